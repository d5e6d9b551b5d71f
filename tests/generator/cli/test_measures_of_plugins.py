"""Measures of a plug-in in reports of runs and files, through the commands that write them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs/reference/validators.md"
Personas = Callable[..., tuple[int, str, str]]
TALLEST = """\"\"\"Heights, of which nothing is known.\"\"\"

from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.measure import MeasureResult, Needs, Tested, Values

TITLE = "Heights <b>"
NEEDS = Needs(columns=("state",), optional=("age",))


class Group(Values):
    state: str
    people: int
    mean: float | None


class Result(MeasureResult):
    groups: tuple[Group, ...]
    shares: dict[str, float]
    told: bool
    words: tuple[str, ...]
    p: float
    tests: int

    @property
    def marks(self):
        return ("heights",) if self.p * self.tests < FAMILY else ()


def measure(dataset):
    counts = dataset.facts["state"].value_counts()
    groups = [Group(state=f"<{s}>", people=n, mean=dataset.facts["age"].mean()) for s, n in counts.items() if n]

    def judge(tests):
        return Result(groups=groups, shares={"tall": 0.25}, told=False, words=("a<", "b"), p=1e-9, tests=tests)

    return Tested(5, judge)
"""
SLOW = TALLEST.replace("NEEDS", "COSTLY = True\nNEEDS", 1)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A plug-in with three measures: that of the page, one that marks something, and a costly one."""
    text = re.search(
        r"`persona_length.py`.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert text is not None
    (tmp_path / "mine/measures").mkdir(parents=True)
    for name, code in {"persona_length": text[1], "heights": TALLEST, "slow": SLOW}.items():
        (tmp_path / f"mine/measures/{name}.py").write_text(code)
    return tmp_path / "mine"


def _json(file: Path) -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads(file.read_text())
    return numbers


def test_measures_are_in_every_report(tmp_path: Path, mine: Path, personas: Personas) -> None:
    (tmp_path / "config.yaml").write_text(f"rows: 12\nplugins: ['{mine}']\nllm: {{backend: offline}}\n")
    run = tmp_path / "run"
    assert personas("generate", tmp_path / "config.yaml", "-o", run)[0] == 0
    numbers = _json(run / "report.json")
    _holds(numbers["further_measures"], numbers["tests"], {"heights", "persona_length"})
    page = (run / "report.html").read_text()
    assert "<h2>Heights &lt;b&gt;</h2>" in page
    assert "<h2>Length of personas</h2>" in page
    assert "<td>told</td><td>no</td>" in page
    assert "<td>words</td><td>a&lt;, b</td>" in page
    assert re.search(r"<tr><td class=\"\">&lt;[A-Z]{2}&gt;</td><td class=\"n\">\d</td>", page)

    assert personas("report", run)[0] == 0
    without = _json(run / "report.json")
    assert without["further_measures"] == {}
    assert without["tests"]["number"] == numbers["tests"]["number"] - 5

    part = run / "personas/part-00000.parquet"
    assert personas("validate", part, "--plugins", mine, "--report", tmp_path / "out")[0] == 0
    measured = _json(tmp_path / "out/validation.json")["measures"]
    _holds(measured["further_measures"], measured["tests"], {"heights", "persona_length", "slow"})
    assert "<h2>Heights &lt;b&gt;</h2>" in (tmp_path / "out/validation.html").read_text()


def _holds(further: dict[str, Any], tests: dict[str, Any], names: set[str]) -> None:
    assert set(further) == names
    assert further["persona_length"]["fields"]["texts"] == 12
    heights = further["heights"]["fields"]
    assert sum(group["people"] for group in heights["groups"]) == 12
    assert heights["tests"] == tests["number"]
    assert "heights" in tests["marked"]


def test_silent_measure_is_explained(tmp_path: Path, mine: Path, personas: Personas) -> None:
    (tmp_path / "people.csv").write_text("sex,age\nFemale,30\nMale,40\n")
    code, out, _ = personas("report", tmp_path / "people.csv", "--plugins", mine, "--json")
    assert code == 0
    assert json.loads(out)["not_measured"] == {
        "heights": "the dataset has no state",
        "persona_length": "the dataset has no education_level",
    }
    page = tmp_path / "report.html"
    assert "<p>Not judged: the dataset has no state.</p>" in page.read_text()


def test_faulty_measure_stops_a_run_early(tmp_path: Path, mine: Path, personas: Personas) -> None:
    (mine / "measures/heights.py").write_text("NEEDS = None\n\n\ndef measure(dataset):\n    pass\n")
    (tmp_path / "config.yaml").write_text(f"rows: 2\nplugins: ['{mine}']\nllm: {{backend: offline}}\n")
    code, _, err = personas("generate", tmp_path / "config.yaml", "-o", tmp_path / "run")
    assert code == 2
    assert f"{mine}/measures/heights.py: NEEDS is a NoneType; write Needs" in err
    assert not (tmp_path / "run").exists()
    assert personas("plugins", "check", mine)[0] == 2
