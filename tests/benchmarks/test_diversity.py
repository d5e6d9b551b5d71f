from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from census_personas.validators.text.record_view import RecordView

pytestmark = pytest.mark.quick

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "diversity.py"
ANA = {
    "first_name": "Ana",
    "last_name": "Wu",
    "persona": "Ana Wu quietly bakes rye bread, and she never sells a loaf of it.",
    "culinary_persona": "Ana Wu, a baker, serves rye bread with black bean soup and salt.",
    "hobbies_and_interests_list": ["Baking", "Chess"],
}
LEO = {
    "first_name": "Leo",
    "last_name": "Park",
    "persona": "Leo Park quietly bakes 12 pies, and he never sells a slice of it.",
    "culinary_persona": "On Sundays, Leo Park serves chicken soup.",
    "hobbies_and_interests_list": ["baking"],
}


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("diversity_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_item_counts_once_per_person(benchmark: ModuleType) -> None:
    views = [RecordView.of(ANA), RecordView.of(LEO)]
    found = benchmark.commonest(views, benchmark.hobbies, 1)
    assert found["commonest"] == [["baking", 1.0]]
    assert (found["items"], found["different"], found["listed_share"]) == (3, 2, 2 / 3)


def test_openings_follow_the_name(benchmark: ModuleType) -> None:
    assert list(benchmark.openings(RecordView.of(ANA))) == ["quietly bakes rye", "a baker serves"]


def test_verbs_follow_the_name_or_a_pronoun(benchmark: ModuleType) -> None:
    assert list(benchmark.verbs(RecordView.of(ANA))) == ["bakes", "sells"]


def test_dishes_are_the_ends_of_noun_phrases(benchmark: ModuleType) -> None:
    assert list(benchmark.dishes(RecordView.of(ANA))) == ["rye bread", "bean soup"]


def test_frames_ignore_names_and_nouns(benchmark: ModuleType) -> None:
    frames = [next(iter(benchmark.frames(RecordView.of(record)))) for record in (ANA, LEO)]
    assert [frame.replace("she", "he") for frame in frames] == ["_ and he never _ a _ of it"] * 2


def test_datasets_are_compared_over_equal_rows(tmp_path: Path) -> None:
    pd.DataFrame([ANA, LEO, LEO]).to_parquet(tmp_path / "three.parquet")
    pd.DataFrame([ANA, LEO]).to_parquet(tmp_path / "two.parquet")
    command = [
        sys.executable,
        str(SCRIPT),
        str(tmp_path / "three.parquet"),
        "--beside",
        str(tmp_path / "two.parquet"),
    ]
    said = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    result = json.loads(said.stdout)
    assert result["rows"] == 2
    assert [side["shared_sentences"] for side in result["measures"]] == [0, 0]


def test_table_shows_both_datasets_and_their_ratio(benchmark: ModuleType) -> None:
    lines = list(benchmark.tables(benchmark.compare([[ANA, LEO], [LEO, ANA]], 2), ["one", "two"]))
    assert any(line.split() == ["1", "baking", "100.00%", "baking", "100.00%"] for line in lines)
    assert any(line.startswith("people who share a sentence") for line in lines)
    assert sum("ratio 1.00" in line for line in lines) > 10
