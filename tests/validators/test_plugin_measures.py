from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.foundation.plugin import PluginError
from census_personas.foundation.plugins import Plugins
from census_personas.validators.assess import Assessment, assess_files
from census_personas.validators.measure_registry import measures

PAGE = Path(__file__).parents[2] / "docs/reference/validators.md"
HEAD = "from census_personas.validators.measure import MeasureResult, Needs, NotMeasured, Tested\n"
INCOME = f"""{HEAD}
NEEDS = Needs(columns=("religion",), numbers=("income",), digests=("motto",))


class Result(MeasureResult):
    mean: dict[str, float]
    mottos: int


def measure(dataset):
    groups = dataset.facts.groupby("religion", observed=True)["income"].mean()
    return Result(mean=groups.to_dict(), mottos=dataset.digests.repeated(["motto"])["motto"])
"""


def plugin(folder: Path, text: str, name: str = "mine") -> Plugins:
    (folder / "measures").mkdir(parents=True, exist_ok=True)
    (folder / f"measures/{name}.py").write_text(text)
    return Plugins.load([folder])


def assessed(folder: Path, plugins: Plugins, rows: list[dict[str, Any]], suffix: str = "jsonl") -> Assessment:
    path = folder / f"rows.{suffix}"
    if suffix == "jsonl":
        lines = [json.dumps(row) for row in rows]
    else:
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    listed = {
        name: measure
        for name, measure in measures(plugins).items()
        if name in {"diversity", "mine", "persona_length"}
    }
    return assess_files([path], Priors.load("en_US"), np.random.default_rng(0), listed=listed)


def test_the_example_of_the_page_measures_a_file(tmp_path: Path, good: dict[str, Any]) -> None:
    text = re.search(
        r"`persona_length.py`.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert text is not None
    found = assessed(tmp_path, plugin(tmp_path / "house", text[1], "persona_length"), [good, good])
    said = found.further_measures["persona_length"]
    assert said.title == "Length of personas"
    assert said.fields == {"texts": 2, "words": {good["education_level"]: len(good["persona"].split())}}
    assert Assessment.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_columns_of_measures_are_read(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"sex": "Male", "religion": belief, "income": income, "motto": "Carpe diem"}
        for belief, income in (("none", 10), ("some", 20.5), ("none", 30), ("some", "secret"))
    ]
    found = assessed(tmp_path, plugin(tmp_path / "plug", INCOME), rows, suffix)
    assert found.further_measures["mine"].fields == {"mean": {"none": 20, "some": 20.5}, "mottos": 3}
    assert found.people.entropy == {"sex": 0}


def test_plugin_cannot_retype_a_fact(tmp_path: Path, good: dict[str, Any]) -> None:
    text = INCOME.replace('numbers=("income",)', 'numbers=("sex",)')
    found = assessed(tmp_path, plugin(tmp_path / "plug", text), [good])
    assert found.people.entropy["sex"] == 0
    assert found.not_measured == {"mine": "the dataset has no religion"}


def test_a_measure_may_give_a_reason_of_its_own(tmp_path: Path, good: dict[str, Any]) -> None:
    text = f'{HEAD}NEEDS = Needs()\nTITLE = "Silence"\n\n\ndef measure(dataset):\n    return NotMeasured("too few")\n'
    assert assessed(tmp_path, plugin(tmp_path / "plug", text), [good]).not_measured == {"mine": "too few"}


FAULTS = {
    "NEEDS = 3\n\n\ndef measure(dataset):\n    pass": "mine.py: NEEDS is a int; write Needs",
    "NEEDS = Needs()\nmeasure = 3": "mine.py: measure is no function",
    "NEEDS = Needs()": "mine.py: does not define measure",
}


@pytest.mark.parametrize("text", FAULTS)
def test_no_measure_is_refused_first(tmp_path: Path, text: str) -> None:
    with pytest.raises(PluginError, match=FAULTS[text]):
        measures(plugin(tmp_path / "plug", HEAD + text + "\n"))


def test_the_name_of_a_shipped_measure_is_taken(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"'fidelity' is also the name of validators/measures/fidelity\.py"):
        measures(plugin(tmp_path / "plug", INCOME, "fidelity"))


FAILING = {
    "return 1 / 0": r"mine\.py:\d+: measure mine failed: ZeroDivisionError: division by zero",
    "return {'a': 1}": r"mine\.py: measure mine failed: it gives a dict; give a MeasureResult",
    "return Result(number=float('nan'))": r"mine\.py:\d+: measure mine failed: ValidationError: ",
    "return Result(number=0, anything=object())": r"mine\.py: measure mine failed: PydanticSerializationError",
    "return Tested(1, lambda tests: 1 / 0)": r"mine\.py:\d+: measure mine failed: ZeroDivisionError",
    "return Tested(1, lambda tests: tests)": r"mine\.py: measure mine failed: it gives a int",
}


@pytest.mark.parametrize("line", FAILING)
def test_failing_measure_is_named(tmp_path: Path, good: dict[str, Any], line: str) -> None:
    text = (
        f"from typing import Any\n{HEAD}NEEDS = Needs()\n\n\nclass Result(MeasureResult):\n    number: float\n"
        f"    anything: Any = None\n\n\ndef measure(dataset):\n    {line}\n"
    )
    with pytest.raises(PluginError, match=FAILING[line]) as failure:
        assessed(tmp_path, plugin(tmp_path / "plug", text), [good])
    assert "\n" not in failure.value.message
