"""The bytes hashed for streams and the keys in files never change, even if the project is renamed."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import numpy as np
import pytest

from census_personas.foundation import randomness
from census_personas.foundation.dataset_reader import FOOTER, SAMPLE
from census_personas.foundation.randomness import RowGenerator
from census_personas.generator.sampling.decode import uuids

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[2]
ROOMS = ("foundation", "census_priors", "prompts", "validators", "generator", "census_personas")


def test_dataset_file_keys_are_frozen() -> None:
    assert (FOOTER, SAMPLE) == (b"persona_engine", b"sample")


def test_stream_keys_keep_their_name() -> None:
    digest = hashlib.sha256(b"persona-engine/7/age").digest()
    assert randomness.stream_key(7, "age").tolist() == np.frombuffer(digest[:16], dtype="<u8").tolist()


def test_row_keeps_its_uuid() -> None:
    assert uuids(0, 5, 1, "model")[0] == "bd5e53e1-8379-8c5f-a52c-4a6b12f08cf1"


def test_selection_keeps_its_seed() -> None:
    assert randomness.selection_seed(7, "abc") == 9_126_572_112_556_282_829


def test_missing_fact_keeps_its_number() -> None:
    word = int.from_bytes(hashlib.blake2b(b"persona-engine/7/imputation/origin/u-1", digest_size=8).digest())
    assert randomness.uniform_of(7, "imputation/origin", "u-1") == (word >> 11) / 2**53 == 0.404652392337428


def test_uuid_row_keeps_its_number() -> None:
    assert randomness.row_of("u-1") == 5_847_149_694_768_934_564


def test_request_keeps_its_seed() -> None:
    assert randomness.sampling_seed(7, 5, "personas", 1, 0) == 286_129_814


def test_row_keeps_its_prompt_facts() -> None:
    rows = RowGenerator(7, randomness.GROUNDING)
    rows.at(9).random(5)
    assert rows.at(5).integers(0, 2**32, 3).tolist() == [3_587_405_492, 4_267_684_049, 832_496_084]


def test_person_keeps_the_offline_draws() -> None:
    draw = randomness.draws("3 Ana")
    numbers = [draw() for _ in range(87)]
    assert numbers[:4] == [9_819, 19_479, 33_645, 24_538]
    assert numbers[84:] == [12_290, 52_702, 15_880], "a second block of the hash"


def test_calibration_people_stay_the_same() -> None:
    assert randomness.generator_of(7).random(2).tolist() == [0.46881748695593284, 0.42614583623918467]


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_module_makes_streams(room: str) -> None:
    makers = {"Philox", "PCG64", "MT19937", "SFC64", "shake_128"}
    found = {
        str(module.relative_to(ROOT))
        for module in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in makers)
        or (isinstance(node, ast.alias) and node.name in makers)
    }
    assert found <= {"foundation/randomness.py"}
