from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

ATTRIBUTES = ["region", "age", "sex", "status", "trade", "transport", "mood"]
JUDGED = ("sex", "status", "trade_group", "mood")


def _given(cells: pd.DataFrame, facts: dict[str, Any], fact: str) -> tuple[float, float]:
    """P(fact | other facts) and P(fact), by enumeration."""
    others = {name: value for name, value in facts.items() if name != fact}
    if fact == "trade_group":
        others.pop("trade", None)
    here = cells[(cells[list(others)] == pd.Series(others)).all(axis=1)]
    return float(here.loc[here[fact] == facts[fact], "p"].sum() / here["p"].sum()), float(
        cells.loc[cells[fact] == facts[fact], "p"].sum()
    )


@pytest.mark.parametrize(
    "columns",
    [
        ATTRIBUTES,
        ["region", "age_half", "trade", "status"],
        ["sex", "age", "trade"],
        ["age_band", "trade_group", "sex"],
    ],
)
def test_facts_have_conditional_probabilities(
    toy: Population, toy_cells: pd.DataFrame, columns: list[str]
) -> None:
    people = toy_cells.sample(40, weights="p", replace=True, random_state=3)[columns].to_dict("records")
    found = Plausibility(toy.network, JUDGED, people=200).oddities(people)
    judged = [fact for fact in JUDGED if fact in columns or (fact == "trade_group" and "trade" in columns)]
    for facts, odd in zip(people, found, strict=True):
        assert list(odd) == judged
        for fact in judged:
            told = {**facts, **({"trade_group": _group(facts["trade"])} if "trade" in facts else {})}
            expected, share = _given(
                toy_cells, {k: v for k, v in told.items() if k in (*columns, fact)}, fact
            )
            assert odd[fact].probability == pytest.approx(expected, rel=1e-4)
            assert odd[fact].lift == pytest.approx(expected / share, rel=1e-4)


def _group(trade: str) -> str:
    return {"carpenter": "hands", "mason": "hands", "no_trade": "no_trade"}.get(trade, "minds")


def test_tail_is_the_share_as_rare(toy: Population, toy_cells: pd.DataFrame) -> None:
    columns = ["region", "age_band", "sex", "status"]
    people = toy_cells.sample(4000, weights="p", replace=True, random_state=5)[columns].to_dict("records")
    found = Plausibility(toy.network, ("sex", "status")).oddities(people)
    for fact in ("sex", "status"):
        tails = np.array([odd[fact].tail for odd in found])
        for level in (0.1, 0.3, 0.6):
            assert np.mean(tails < level) == pytest.approx(level, abs=0.06)
            assert np.mean(tails < level) <= level + 0.02


def test_excluded_facts_have_tail_zero(toy: Population) -> None:
    plausible = Plausibility(toy.network, ("status", "sex"), people=200)
    young = {"region": "north", "age": 18, "sex": "Male", "status": "resting"}
    strange = {"region": "north", "age": "old", "sex": ["Male"], "status": "working"}
    (impossible, unread, alone) = plausible.oddities([young, strange, {"sex": "Male"}])
    assert (impossible["status"].tail, impossible["status"].probability) == (0.0, 0.0)
    assert list(unread) == ["status"]
    assert alone == {}


def test_batch_and_single_record_agree(toy: Population, toy_cells: pd.DataFrame) -> None:
    people = toy_cells[ATTRIBUTES].sample(30, random_state=1).to_dict("records")
    plausible = Plausibility(toy.network, JUDGED, people=200)
    together = plausible.oddities(people)
    assert together == [plausible.oddities([facts])[0] for facts in people]
    assert together == plausible.oddities(people[::-1])[::-1]


@pytest.fixture(scope="module")
def checker() -> RecordChecker:
    population = Population.load("en_US")
    return RecordChecker(RuleContext(population.priors, Plausibility.of(population)))


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, ""),
        ({"age": 18, "marital_status": "widowed", "education_level": "graduate"}, "error"),
        (
            {"age": 19, "occupation": "physician_or_surgeon", "education_level": "9th_12th_no_diploma"},
            "warning",
        ),
        ({"ethnicity": "pacific_islander"}, ""),
    ],
)
def test_both_schemas_are_judged(checker: RecordChecker, changes: dict[str, Any], severity: str) -> None:
    facts = {
        "sex": "Female",
        "age": 47,
        "marital_status": "divorced",
        "education_level": "associates",
        "occupation": "dental_hygienist",
        "state": "MN",
    }
    found = {f.severity for f in checker.check({**facts, **changes}) if f.code == "demographic_consistency"}
    assert found.issuperset({severity} - {""})
    assert bool(found) == bool(severity)
