"""Conditions that hardly anybody meets, and arguments of the Python API: mappings, names, counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.domain import DomainError
from census_personas.generator.config.run_config import Config
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.population import Population
from census_personas.generator.population.population_file import PopulationFile
from census_personas.generator.sampling.scarcity import more_rows_than_people, too_few

pytestmark = pytest.mark.quick

EXAMPLE = Path(__file__).parents[3] / "examples" / "puerto_rico"
FEW = {"age": 94, "occupation": "legal", "marital_status": "separated", "education_level": "less_than_9th"}


@pytest.fixture
def people() -> Population:
    return Population.load(EXAMPLE)


def test_expected_number_below_one_is_given() -> None:
    said = too_few({"age": 18}, 1e-9, 267e6)
    assert said is not None
    assert said.startswith('where {"age": 18}: 0.27 of 267,000,000 people are expected to meet this')
    assert too_few({"age": 18}, 1e-8, 267e6) is None
    assert too_few({"age": 18}, 1e-9, None) is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.sample(2, where=FEW),
        lambda p: p.probability(FEW),
        lambda p: p.given(FEW),
        lambda p: p.marginal("sex", where=FEW),
    ],
    ids=["sample", "probability", "given", "marginal"],
)
def test_rare_condition_is_warned_about_once(
    people: Population, caplog: pytest.LogCaptureFixture, ask: Callable[[Population], object]
) -> None:
    with caplog.at_level(logging.WARNING):
        ask(people)
        ask(people)
    assert caplog.text.count("of 2,288,030 people are expected to meet this, fewer than one") == 1


def test_common_condition_has_no_warning(people: Population, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        people.sample(2, where={"age": 94})
    assert not caplog.text


def test_more_rows_than_people_are_noted() -> None:
    said = "\n".join(PopulationFile(Config(locale=str(EXAMPLE), rows=1_000_000, where={"age": 94})).notes())
    assert "note: 1,000,000 rows for about " in said
    assert more_rows_than_people(10, 1.0, 10) is None
    assert more_rows_than_people(10, 1.0, None) is None


def test_mappings_are_conditions_everywhere(people: Population) -> None:
    where = {"sex": "Female"}
    assert people.given(where).conditioned.probability == pytest.approx(people.probability(where))
    pd.testing.assert_frame_equal(people.select(where, 5, seed=3), people.sample(5, seed=3, where=where))
    assert people.given(None).conditioned.probability == 1


@pytest.mark.parametrize("wrong", ["sex", ["sex"], 5, {1: 2}], ids=str)
def test_non_mappings_are_refused_everywhere(people: Population, wrong: Any) -> None:
    asked: list[Callable[[], object]] = [
        lambda: people.given(wrong),
        lambda: people.select(wrong, 2),
        lambda: people.probability(wrong),
        lambda: people.sample(2, where=wrong),
        lambda: people.sample(2, target=wrong),
        lambda: people.sample(2, quota=wrong),
        lambda: people.marginal("sex", where=wrong),
    ]
    for ask in asked:
        with pytest.raises(EvidenceError, match="give a mapping of attributes, such as"):
            ask()


@pytest.mark.parametrize("wrong", [(), 5, None, [5]], ids=str)
def test_missing_attribute_is_refused(people: Population, wrong: Any) -> None:
    with pytest.raises(EvidenceError, match="marginal: no attribute is named; give some"):
        people.marginal(wrong)
    with pytest.raises(EvidenceError, match="model_of: no attribute is named; give some"):
        people.model_of(wrong)


def test_attributes_may_be_a_list_or_index(people: Population) -> None:
    for names in ("sex", ["sex"], ("sex",), pd.Index(["sex"]), np.array(["sex"])):
        assert people.marginal(names).domain.attributes == ("sex",)  # type: ignore[arg-type]
        assert set(people.model_of(names).nodes()) == set(people.model_of("sex").nodes())  # type: ignore[arg-type]


def test_record_has_the_likelihood_of_its_row(people: Population) -> None:
    frame = people.sample(3, seed=1)
    scores = people.log_likelihood(frame)
    np.testing.assert_allclose(people.log_likelihood(frame.to_dict("records")), scores)
    np.testing.assert_allclose(people.log_likelihood(frame.iloc[1]), scores[[1]])
    np.testing.assert_allclose(people.log_likelihood(dict(frame.iloc[2])), scores[[2]])
    with pytest.raises(DomainError, match="is missing"):
        people.log_likelihood([])


@pytest.mark.parametrize("kind", [int, float, np.int64], ids=str)
def test_whole_quotas_are_counts(people: Population, kind: Callable[[int], Any]) -> None:
    quota = {"sex": {"Female": kind(6), "Male": kind(4)}}
    assert people.sample(10, quota=quota)["sex"].value_counts().to_dict() == {"Female": 6, "Male": 4}
    with pytest.raises(EvidenceError, match=r"quota\.sex: counts sum to 10, but 20 rows are requested"):
        people.sample(20, quota=quota)
    with pytest.raises(EvidenceError, match="counts sum to 10, but apply to rows from 0 only"):
        people.sample(10, start=10, quota=quota)


def test_share_quotas_fit_any_rows(people: Population) -> None:
    for wanted in ({"Female": 0.6, "Male": 0.4}, ["Female"], "uniform"):
        assert len(people.sample(7, quota={"sex": wanted})) == 7


@pytest.mark.parametrize("attribute", ["zipcode", "first_name", "last_name", "city"])
def test_too_large_quota_is_refused_at_once(population: Population, attribute: str) -> None:
    states = next((leaf.table.states for leaf in population.leaves if leaf.child == attribute), None)
    for wanted in ("uniform", None if states is None else states.tolist()):
        if wanted is not None:
            started = time.monotonic()
            with pytest.raises(
                EvidenceError, match=rf"quota\.{attribute}: \d+ cells or more; a quota has at most 256"
            ):
                population.sample(5, quota={attribute: wanted})
            assert time.monotonic() - started < 3
