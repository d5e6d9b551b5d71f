"""`personas narrate` with a real model: whatever it writes, the run ends with rows or with reasons."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from model_endpoint import SLOTS, ModelEndpoint

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.generator.llm.answer import parse_object
from census_personas.generator.run.rejections import read_rejections
from census_personas.prompts.set_folder import people_of

PEOPLE = 2

pytestmark = pytest.mark.small_model


def test_killed_run_ends_with_rows_or_reasons(
    endpoint: ModelEndpoint, killed_once: Any, tmp_path: Path
) -> None:
    settings = {
        "llm.backend": "openai",
        "llm.model": endpoint.model,
        "llm.base_url": endpoint.base_url,
        "llm.concurrency": SLOTS,
        "llm.max_tokens": 1600,
        "llm.timeout_s": 7200,
        "validation.max_repairs": 1,
        "validation.max_attempts": 2,
        "output.schema": "full",
    }
    run = tmp_path / "run"
    command = [
        str(Path(sys.executable).with_name("personas")),
        "narrate",
        str(people_of("en_US", "evaluation")),
    ]
    command += ["-n", str(PEOPLE), "-o", str(run)]
    command += [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = killed_once.run(command, run)
    assert done.returncode in {0, 1}, done.stderr
    assert "Traceback" not in done.stderr

    manifest = json.loads((run / "manifest.json").read_text())
    rejected = list(read_rejections(run))
    rows = pd.read_parquet(run / "personas")
    assert manifest["state"] == ("short" if rejected else "complete")
    assert (len(rows), len(rejected)) == (manifest["accepted"], manifest["rejected"])
    assert len(rows) + len(rejected) == PEOPLE
    assert all(rejection["reasons"] for rejection in rejected)
    assert (rows[[*PROSE, *LISTS]].map(len) > 0).all(axis=None)

    answers = killed_once.answers(run)
    assert len({answer["key"] for answer in answers}) == len(answers), "an answer was paid for twice"
    completions = [answer["completion"] for answer in answers]
    assert all(parse_object(said["text"]) for said in completions if said["finish_reason"] == "stop")
    for kind in ("prompt_tokens", "completion_tokens"):
        assert manifest[kind] == sum(said[kind] for said in completions) > 0
