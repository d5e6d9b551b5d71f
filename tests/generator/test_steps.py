"""Compiled steps against the tables they were compiled from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from persona_engine.census_priors.conditional import ConditionalTable
from persona_engine.generator.model.fitting import FitError
from persona_engine.generator.model.leaves import Leaf
from persona_engine.generator.model.network import Network, Node
from persona_engine.generator.population import Population
from persona_engine.generator.sampling.core_steps import CoreStep
from persona_engine.generator.sampling.sampler import Sampler
from persona_engine.generator.sampling.steps import compile_leaf, compile_node

Codes = npt.NDArray[np.int64]
GRID = (np.arange(2000) + 0.5) / 2000
ENDS = np.array([0.0, 2.0**-53, 0.5, 1 - 2.0**-20, 1 - 2.0**-30, 1 - 2.0**-53])


@pytest.fixture(scope="module")
def sampler(toy: Population) -> Sampler:
    return Sampler.compile(toy.network, toy.leaves)


def rows_of(node: Node, network: Network) -> list[dict[str, int]]:
    """Codes of every combination of parents of a node, and of what it refines, that can occur."""
    names = (*node.parents, *([node.refines] if node.refines else []))
    return [dict(zip(names, cell, strict=True)) for cell in np.argwhere(network.joint(names) > 1e-9).tolist()]


def chances(node: Node, network: Network, row: Mapping[str, int]) -> Any:
    """P(child | row), read from the table."""
    if node.certain is not None and node.certain[1][row[node.certain[0]]] >= 0:
        return np.eye(network.size(node.child))[node.certain[1][row[node.certain[0]]]]
    at = tuple(int(node.axis_codes(name, network.size(name))[row[name]]) for name in node.parents)
    table = node.table[at].astype(float)
    if node.refines is not None:
        table = table * (network.hierarchy.codes(node.child, node.refines) == row[node.refines])
    return table


def repeated(row: Mapping[str, int], count: int) -> dict[str, Codes]:
    return {name: np.full(count, code, dtype=np.int64) for name, code in row.items()}


CHILDREN = ("age", "trade_group", "trade", "transport", "mood")


@pytest.mark.parametrize("child", CHILDREN)
def test_evenly_spaced_numbers_draw_each_state_as_often_as_its_probability(
    toy: Population, sampler: Sampler, child: str
) -> None:
    node = next(node for node in toy.network.nodes if node.child == child)
    step = next(step for step in sampler.steps if step.child == child)
    for row in rows_of(node, toy.network):
        drawn = step.draw(repeated(row, len(GRID)), GRID)
        found = np.bincount(drawn, minlength=toy.network.size(child)) / len(GRID)
        np.testing.assert_allclose(found, chances(node, toy.network, row), atol=1 / len(GRID))


@pytest.mark.parametrize("child", CHILDREN)
def test_no_number_draws_a_state_that_cannot_occur(toy: Population, sampler: Sampler, child: str) -> None:
    node = next(node for node in toy.network.nodes if node.child == child)
    step = next(step for step in sampler.steps if step.child == child)
    for row in rows_of(node, toy.network):
        drawn = step.draw(repeated(row, len(ENDS)), ENDS)
        assert (chances(node, toy.network, row)[drawn] > 0).all()


def test_rounding_to_one_does_not_draw_a_last_state_that_cannot_occur(toy: Population) -> None:
    mood = next(node for node in toy.network.nodes if node.child == "mood")
    table = mood.table.copy()
    table[..., 0], table[..., 1] = 1.0, 0.0
    step = compile_node(Node("mood", mood.parents, table), toy.priors.hierarchy)
    codes = repeated(dict.fromkeys(mood.parents, 0), len(ENDS))
    assert (step.draw(codes, ENDS) == 0).all()


def test_the_core_draws_cells_as_often_as_their_probability(toy: Population, sampler: Sampler) -> None:
    numbers = (np.arange(200_000) + 0.5) / 200_000
    codes = sampler.core.draw(lambda _: numbers)
    found = np.zeros(toy.network.core.shape)
    np.add.at(found, tuple(codes[name] for name in toy.network.core_attributes), 1 / len(numbers))
    np.testing.assert_allclose(found, toy.network.core, atol=1e-5)


def test_the_core_never_draws_a_structural_zero(toy: Population, sampler: Sampler) -> None:
    numbers = np.sort(
        np.concatenate([ENDS, sampler.core.cells.real[:-1], sampler.core.cells.real - 2.0**-53])
    )
    codes = sampler.core.draw(lambda _: numbers)
    assert (toy.network.core[tuple(codes[name] for name in toy.network.core_attributes)] > 0).all()


def test_draws_are_monotone_in_their_numbers(sampler: Sampler) -> None:
    step = next(step for step in sampler.steps if step.child == "age")
    codes = {name: np.ones(len(GRID), dtype=np.int64) for name in ("age_band", "region", "sex")}
    assert (np.diff(step.draw(codes, GRID)) >= 0).all()


@pytest.mark.parametrize("wide", [(2,) * 9, (300, 2)], ids=["nine attributes", "300 states"])
def test_a_core_that_a_packed_cell_cannot_hold_is_an_error(wide: tuple[int, ...]) -> None:
    with pytest.raises(FitError, match="at most 8 of at most 256 states"):
        CoreStep.compile(tuple(map(str, range(len(wide)))), np.ones(wide))


ROWS = [[0.1, 0, 0.2, 0.3, 0, 0.4, 0], [0, 0, 0, 1, 0, 0, 0], [1 / 7] * 7]


@pytest.fixture(scope="module")
def leaf(toy: Population) -> Leaf:
    """A leaf below the region, with seven states."""
    dense = np.array(ROWS)
    conditional = ConditionalTable(
        "leaf",
        toy.priors.domain.project(("region",)),
        np.array(list("abcdefg"), dtype=object),
        np.concatenate(([0], np.cumsum((dense > 0).sum(axis=1)))).astype(np.int64),
        np.nonzero(dense)[1].astype(np.int32),
        dense[dense > 0],
    )
    return Leaf("leaf", ("region",), np.arange(3, dtype=np.int32), conditional)


@pytest.mark.parametrize("region", range(3))
def test_a_leaf_is_drawn_as_often_as_its_probability(leaf: Leaf, region: int) -> None:
    step = compile_leaf(leaf)
    drawn = step.draw(repeated({"region": region}, len(GRID)), GRID)
    np.testing.assert_allclose(np.bincount(drawn, minlength=7) / len(GRID), ROWS[region], atol=1 / len(GRID))


@pytest.mark.parametrize("region", [0, 2])
def test_a_leaf_under_evidence_is_drawn_among_the_allowed_states(leaf: Leaf, region: int) -> None:
    allowed = np.array([True, True, False, True, True, False, False])
    step = compile_leaf(leaf, allowed)
    numbers = np.concatenate([GRID, ENDS])
    drawn = step.draw(repeated({"region": region}, len(numbers)), numbers)
    wanted = np.where(allowed, ROWS[region], 0)
    assert (wanted[drawn] > 0).all()
    found = np.bincount(drawn[: len(GRID)], minlength=7) / len(GRID)
    np.testing.assert_allclose(found, wanted / wanted.sum(), atol=1 / len(GRID))
