from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.foundation.plugins import Plugins
from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.measure import Measures
from census_personas.validators.measure_registry import measures
from census_personas.validators.measured_dataset import CensusTables, MeasuredDataset
from census_personas.validators.measurement import Measurements, measure_dataset
from census_personas.validators.measures import diversity, duplication

HEAD = "from census_personas.validators.measure import MeasureResult, Needs, NotMeasured, Tested\n"
MARKS = f"""{HEAD}
NEEDS = Needs(optional=("sex",))


class Result(MeasureResult):
    p: float
    tests: int

    @property
    def marks(self):
        return ("suspicious",) if self.p * self.tests < 0.01 else ()


def measure(dataset):
    return Tested(3, lambda tests: Result(p=PROBABILITY, tests=tests))
"""
DRAWS = f"""{HEAD}
NEEDS = Needs(columns=("sex",))


class Result(MeasureResult):
    number: float


def measure(dataset):
    return Result(number=dataset.rng.random())
"""


def plugin(folder: Path, **texts: str) -> Plugins:
    (folder / "measures").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"measures/{name}.py").write_text(text)
    return Plugins.load([folder])


def only(listed: Measures, *names: str) -> Measures:
    return {name: listed[name] for name in names}


def measured(listed: Measures, frame: pd.DataFrame, *, others: int = 0) -> Measurements:
    priors = Priors.load("en_US")
    dataset = MeasuredDataset(
        priors=priors,
        expected=CensusTables(priors),
        rows=len(frame),
        facts=frame,
        people=frame,
        pairs=frame,
        rng=np.random.default_rng(0),
    )
    return measure_dataset(dataset, listed, others=others)


PEOPLE = pd.DataFrame({"sex": pd.Categorical(["Female", "Male"] * 5), "age": range(20, 30)})


def test_every_file_is_a_measure_and_costly_ones_can_be_left_out() -> None:
    listed = measures()
    assert list(listed) == sorted(listed)
    assert {"fidelity", "names", "assumptions", "duplication", "texts"} < set(listed)
    assert set(listed) - set(measures(costly=False)) == {"associations", "near_duplication", "vendi", "words"}
    folder = Path(__file__).parents[2] / "validators/measures"
    assert set(listed) == {file.stem for file in folder.glob("*.py")} - {"__init__"}


def test_all_tests_share_one_chance_of_a_mark(tmp_path: Path) -> None:
    one, other = (MARKS.replace("PROBABILITY", str(p)) for p in (FAMILY / 7.5, FAMILY / 8.5))
    listed = measures(plugin(tmp_path / "mine", above=one, below=other))
    found = measured(only(listed, "above", "below"), PEOPLE, others=2)
    assert (found.tests.number, found.tests.chance) == (8, FAMILY)
    assert found.tests.marked == ("suspicious",)
    assert found.further(()).keys() == {"above", "below"}
    assert found.further(())["above"].fields == {"p": FAMILY / 7.5, "tests": 8}
    assert measured(only(listed, "below"), PEOPLE).tests.number == 3


def test_a_measure_whose_needs_are_not_met_says_why_it_is_silent(tmp_path: Path) -> None:
    needs = {
        "of_columns": 'columns=("shoe_size",)',
        "of_numbers": 'numbers=("income",)',
        "of_texts": 'texts=("persona",)',
        "of_tables": 'tables=(("age", "sex"), ("sex", "zipcode"))',
    }
    texts = {name: DRAWS.replace('columns=("sex",)', need) for name, need in needs.items()}
    listed = measures(plugin(tmp_path / "mine", **texts))
    found = measured(only(listed, *needs), PEOPLE)
    assert found.silent(()) == {
        "of_columns": "the dataset has no shoe_size",
        "of_numbers": "the dataset has no income",
        "of_texts": "no record that was read has persona",
        "of_tables": "there is no table of sex by zipcode to hold it against",
    }
    assert found.results == {}


def test_no_measure_is_asked_about_nobody() -> None:
    found = measured(measures(), PEOPLE[:0])
    assert set(found.not_measured.values()) == {"there are no rows"}
    assert found.or_empty(diversity.Result) == diversity.Result()
    assert found.of(duplication.Result) is None


def test_a_measure_draws_numbers_of_its_own_whatever_others_there_are(tmp_path: Path) -> None:
    alone = measures(plugin(tmp_path / "one", mine=DRAWS))
    beside = measures(plugin(tmp_path / "two", mine=DRAWS, another=DRAWS))
    first = measured(only(alone, "mine"), PEOPLE).further(())
    second = measured(only(beside, "another", "mine"), PEOPLE).further(())
    assert first["mine"] == second["mine"]
    assert second["another"] != second["mine"]


@pytest.mark.parametrize("text", ["associations", "assumptions"])
def test_shipped_measures_draw_alike_whatever_a_plug_in_draws(tmp_path: Path, text: str) -> None:
    people = pd.concat([PEOPLE.assign(state=pd.Categorical(["CA", "OR"] * 5))] * 30, ignore_index=True)
    beside = measures(plugin(tmp_path / "mine", aaa=DRAWS))
    alone, accompanied = measured(only(measures(), text), people), measured(only(beside, "aaa", text), people)
    assert alone.results[text] == accompanied.results[text]
