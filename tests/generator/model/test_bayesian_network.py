"""The exported pgmpy model against pgmpy's inference and the network's own."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pgmpy.inference import VariableElimination
from pgmpy.models import DiscreteBayesianNetwork
from pgmpy.readwrite import BIFReader, BIFWriter

from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.bayesian_network import refined_name
from census_personas.generator.population.population import Population

BY_NAME = ("region", "age_band", "sex", "status", "trade_group", "transport", "mood")
"""Attributes that are variables of the export under their own names."""


@pytest.fixture(scope="module")
def inference(toy: Population) -> VariableElimination:
    return VariableElimination(toy.model)


def queried(inference: VariableElimination, toy: Population, names: tuple[str, ...], **given: str) -> Any:
    """P(names | given) by pgmpy, axes and states in our order."""
    factor = inference.query(list(names), evidence=given or None, show_progress=False)
    order = [factor.variables.index(name) for name in names]
    values = np.transpose(factor.values, order)
    for axis, name in enumerate(names):
        codes = [factor.state_names[name].index(str(state)) for state in toy.priors.domain[name]]
        values = np.take(values, codes, axis=axis)
    return values


def test_pgmpy_check_accepts_the_toy(toy: Population) -> None:
    assert toy.model.check_model()


def test_pairwise_tables_match_elimination(toy: Population, inference: VariableElimination) -> None:
    for names in combinations(BY_NAME, 2):
        found = queried(inference, toy, names)
        np.testing.assert_allclose(toy.marginal(names).weights, found, atol=1e-6, err_msg=str(names))


@pytest.mark.parametrize(
    "where",
    [
        {"mood": "grim"},
        {"mood": "glad", "region": "west"},
        {"transport": "none"},
        {"transport": "cart", "age_band": "20-22", "sex": "Male"},
        {"trade_group": "minds", "mood": "grim"},
    ],
    ids=str,
)
def test_conditioned_tables_match_elimination(
    toy: Population, inference: VariableElimination, where: dict[str, str]
) -> None:
    for names in combinations([name for name in BY_NAME if name not in where], 2):
        found = queried(inference, toy, names, **where)
        ours = toy.marginal(names, where=where).weights
        np.testing.assert_allclose(ours, found, atol=1e-6, err_msg=str(names))


def test_evidence_probability_matches_elimination(toy: Population, inference: VariableElimination) -> None:
    joint = queried(inference, toy, ("mood", "region", "status"))
    domain = toy.priors.domain
    at = domain.code("mood", "grim"), domain.code("region", "south"), domain.code("status", "working")
    where = {"mood": "grim", "region": "south", "status": "working"}
    assert toy.probability(where) == pytest.approx(joint[at], abs=1e-6)


def test_refinement_is_split_by_parent_state(toy: Population, inference: VariableElimination) -> None:
    for group in ("hands", "minds"):
        name = refined_name("trade", group)
        factor = inference.query([name], evidence={"trade_group": group}, show_progress=False)
        given = toy.marginal(("trade",), where={"trade_group": group}).weights
        ours = dict(zip(toy.priors.domain["trade"], given, strict=True))
        found = dict(zip(factor.state_names[name], factor.values, strict=True))
        assert found == pytest.approx({state: ours[state] for state in found}, abs=1e-6)


def test_bif_round_trip_keeps_the_model(toy: Population, tmp_path: Path) -> None:
    path = tmp_path / "toy.bif"
    BIFWriter(toy.model).write(str(path))
    read: DiscreteBayesianNetwork = BIFReader(str(path)).get_model()
    assert read.check_model()
    assert set(read.edges()) == set(toy.model.edges())
    again = VariableElimination(read)
    for names in (("mood", "region"), ("transport", "status"), ("trade_group", "sex")):
        ours = toy.marginal(names).weights
        np.testing.assert_allclose(queried(again, toy, names), ours, atol=1e-6)


def test_partial_export_agrees_with_the_whole(toy: Population) -> None:
    part = toy.model_of("transport")
    assert set(part.nodes()) < set(toy.model.nodes())
    assert part.check_model()
    found = queried(VariableElimination(part), toy, ("transport",))
    np.testing.assert_allclose(toy.marginal("transport").weights, found, atol=1e-6)
    with pytest.raises(EvidenceError, match="unknown attribute 'nope'; known: "):
        toy.model_of("nope")


def test_pgmpy_simulation_agrees(toy: Population) -> None:
    drawn = toy.model.simulate(20_000, seed=1, show_progress=False)
    counts = drawn["mood"].astype(str).value_counts(normalize=True)
    for state, expected in zip(toy.priors.domain["mood"], toy.marginal(("mood",)).weights, strict=True):
        assert counts[state] == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 20_000) ** 0.5)


def test_pgmpy_check_accepts_en_us(population: Population) -> None:
    model = Population(population.priors, population.network).model  # a gigabyte, not kept for the session
    assert model.check_model()
    assert "industry" in model.nodes()
