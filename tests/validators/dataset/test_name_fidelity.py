from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.cohorts import cohort_codes
from census_personas.census_priors.priors import Priors
from census_personas.validators.dataset.assumption import assumptions
from census_personas.validators.dataset.fidelity import Fidelity
from census_personas.validators.dataset.name_exposure import NameExposure
from census_personas.validators.dataset.name_fidelity import name_fidelity, names_in_texts

ROWS = 6_000
ETHNICITIES = ("hispanic", "white", "black", "asian")
STATES = ("CA", "TX", "NY", "PR")


@pytest.fixture(scope="module")
def priors() -> Priors:
    return Priors.load("en_US")


@pytest.fixture(scope="module")
def people(priors: Priors) -> pd.DataFrame:
    """People whose names are drawn from the shipped tables, row by row, by their own facts."""
    rng = np.random.default_rng(8)
    facts = pd.DataFrame(
        {
            "sex": rng.choice(["Male", "Female"], ROWS),
            "age": rng.integers(18, 90, ROWS),
            "ethnicity": rng.choice(ETHNICITIES, ROWS, p=[0.2, 0.6, 0.12, 0.08]),
            "nativity": rng.choice(["us_born", "naturalized"], ROWS, p=[0.85, 0.15]),
            "state": rng.choice(STATES, ROWS, p=[0.4, 0.3, 0.2, 0.1]),
            "marital_status": rng.choice(["never_married", "divorced"], ROWS),
        }
    )
    first, last = priors.names.first, priors.names.last
    inside = (facts["nativity"] == "us_born") & (facts["state"] != "PR")
    cells = np.ravel_multi_index(
        [
            first.parents.codes("sex", facts["sex"]),
            cohort_codes(2024 - facts["age"].to_numpy()),
            first.parents.codes("ethnicity", facts["ethnicity"]),
            np.where(inside, 0, 1),
        ],
        first.parents.shape,
    )
    return facts.assign(
        first_name=_drawn(first, cells, rng),
        last_name=_drawn(last, last.parents.codes("ethnicity", facts["ethnicity"]), rng),
    )


def _drawn(table: Any, cells: Any, rng: np.random.Generator) -> list[str]:
    rows = {cell: table.row(int(cell)) for cell in np.unique(cells)}
    sums = {cell: np.cumsum(shares, dtype=np.float64) for cell, (_, shares) in rows.items()}
    draws = rng.random(len(cells))
    return [
        table.states[rows[cell][0][np.searchsorted(sums[cell], draw * sums[cell][-1])]]
        for cell, draw in zip(cells, draws, strict=True)
    ]


def _measured(frame: pd.DataFrame, priors: Priors) -> dict[str, Fidelity]:
    found = name_fidelity(frame, priors)
    return {item.attributes[-1]: item for item in found.measured}


def _moved(people: pd.DataFrame, column: str, rows: Any) -> pd.DataFrame:
    """The names of these rows, each with another of them."""
    names = people[column].to_numpy(dtype=object).copy()
    names[rows] = np.random.default_rng(2).permutation(names[rows])
    return people.assign(**{column: names})


def test_names_drawn_from_the_tables_agree_with_them(people: pd.DataFrame, priors: Priors) -> None:
    found = _measured(people, priors)
    assert found["first_name"].attributes == ("sex", "birth_cohort", "first_name")
    assert found["last_name"].attributes == ("ethnicity", "last_name")
    assert all(item.passes and item.rows == ROWS and item.unknown == 0 for item in found.values())
    assert all(0.5 * item.floor < item.tvd < item.limit < 0.2 for item in found.values())


def test_names_of_other_people_do_not(people: pd.DataFrame, priors: Priors) -> None:
    some = np.random.default_rng(3).random(ROWS) < 0.3
    assert not _measured(_moved(people, "first_name", some), priors)["first_name"].passes
    assert not _measured(_moved(people, "last_name", some), priors)["last_name"].passes


def test_a_name_given_to_too_many_and_one_that_nobody_has_are_told(
    people: pd.DataFrame, priors: Priors
) -> None:
    some = np.random.default_rng(4).random(ROWS) < 0.05
    smiths = _measured(people.assign(last_name=people["last_name"].mask(some, "Smith")), priors)["last_name"]
    assert (smiths.passes, smiths.unknown) == (False, 0)
    odd = _measured(people.assign(last_name=people["last_name"].mask(some, "Qqx")), priors)["last_name"]
    assert not odd.passes
    assert odd.unknown == pytest.approx(some.mean())


def test_spelling_tells_no_names_apart(people: pd.DataFrame, priors: Priors) -> None:
    shouted = people.assign(last_name=people["last_name"].str.upper(), first_name=people["first_name"] + " ")
    assert _measured(shouted, priors) == _measured(people, priors)


def test_a_dataset_is_held_against_the_names_of_its_own_people(people: pd.DataFrame, priors: Priors) -> None:
    women = people[(people["sex"] == "Female") & (people["state"] == "PR")]
    assert all(item.passes and item.rows == len(women) for item in _measured(women, priors).values())


def test_what_is_not_told_of_the_bearers_is_filled_by_the_census(
    priors: Priors, people: pd.DataFrame
) -> None:
    asian = people[people["ethnicity"] == "asian"].drop(columns=["ethnicity", "nativity"])
    assert not _measured(asian, priors)["last_name"].passes  # the census expects all kinds of people
    islanders = people[(people["state"] == "PR") & (people["ethnicity"] == "hispanic")]
    found = _measured(islanders.drop(columns=["ethnicity", "nativity"]), priors)
    assert found["last_name"].attributes == ("last_name",)
    assert all(item.passes for item in found.values())


def _why_not(frame: pd.DataFrame, priors: Priors) -> dict[str, str]:
    return dict(name_fidelity(frame, priors).not_judged)


def test_names_that_cannot_be_judged_are_told_with_the_reason(people: pd.DataFrame, priors: Priors) -> None:
    untold = people.drop(columns="age")
    assert _measured(untold, priors) == {}
    assert _why_not(untold, priors) == dict.fromkeys(
        ("first_name", "last_name"), "the dataset does not tell age"
    )
    assert list(_why_not(people.assign(first_name=None), priors)) == ["first_name"]
    assert _why_not(people.drop(columns=["first_name", "last_name"]), priors) == {}


def test_name_without_a_table_is_not_judged(people: pd.DataFrame, priors: Priors) -> None:
    tables = {
        source: tuple(table for table in found if "nativity" not in table)
        for source, found in priors.declaration.tables.items()
    }
    poorer = replace(priors, declaration=priors.declaration.model_copy(update={"tables": tables}))
    shown = people.drop(columns="nativity")
    assert list(_measured(shown, poorer)) == ["last_name"]
    assert _why_not(shown, poorer) == {"first_name": "en_US: no table has nativity with ethnicity, age"}


@pytest.mark.parametrize("told", [(), ("state",)])
def test_untold_ethnicities_are_expected_as_their_sex_has_them(priors: Priors, told: tuple[str, ...]) -> None:
    first = priors.names.first.parents
    people = priors.marginal(("state", "age_band", "sex")).weights[0].T  # of Alabama
    ages = [int(band[:2]) for band in priors.domain["age_band"]]
    counts = np.rint(people.ravel() / people.min()).astype(int)
    facts = pd.DataFrame({"sex": np.repeat(priors.domain["sex"], len(ages)), "age": ages * 2, "state": "AL"})
    frame = facts.loc[facts.index.repeat(counts), ["sex", "age", *told]].reset_index(drop=True)
    cells = NameExposure(frame, priors).expected(first, ("sex",), np.ones(len(frame), dtype=bool))
    expected = cells.reshape(2, *first.shape).sum(axis=(1, 2, 4))
    census = priors.marginal(("state", "sex", "ethnicity")).weights
    census = census[0] if told else census.sum(axis=0)
    men, women = expected / expected.sum(axis=1, keepdims=True)
    his, hers = census / census.sum(axis=1, keepdims=True)
    black = first.code("ethnicity", "black")
    assert hers[black] / his[black] > 1.05
    assert women[black] / men[black] == pytest.approx(hers[black] / his[black], rel=0.04)


def test_people_of_unknown_age_are_left_out(people: pd.DataFrame, priors: Priors) -> None:
    aged = people.assign(age=people["age"].where(np.arange(ROWS) % 2 == 0))
    assert all(item.passes and item.rows == ROWS / 2 for item in _measured(aged, priors).values())


def test_names_are_read_from_texts_where_no_column_has_them(good: dict[str, Any]) -> None:
    record = {key: value for key, value in good.items() if key not in {"first_name", "last_name"}}
    named = names_in_texts([record, {"sex": "Male", "age": 30}], Priors.load("en_US").roles)
    assert named[["first_name", "last_name", "sex"]].to_dict("records") == [
        {"first_name": "Ines", "last_name": "Okafor", "sex": "Female"}
    ]


def test_names_that_depend_on_the_state_fail(people: pd.DataFrame, priors: Priors) -> None:
    found = assumptions(people, priors, np.random.default_rng(0))
    tested = {(item.one, item.other): item for item in found if "name" in item.one}
    assert {("first_name", "division"), ("first_name", "last_name"), ("last_name", "sex")} <= tested.keys()
    assert {item.verdict for item in tested.values()} == {"holds"}
    assert tested["first_name", "division"].given == ("sex", "age", "ethnicity", "nativity_group")
    white_texans = (people["ethnicity"] == "white") & (people["state"] == "TX")
    hispanic = people.loc[people["ethnicity"] == "hispanic", "last_name"]
    names = np.random.default_rng(5).choice(hispanic, ROWS)
    tied = people.assign(last_name=people["last_name"].mask(white_texans & (np.arange(ROWS) % 2 == 0), names))
    failed = [
        (item.one, item.other)
        for item in assumptions(tied, priors, np.random.default_rng(0))
        if item.verdict == "fails"
    ]
    assert failed == [("last_name", "division")]
