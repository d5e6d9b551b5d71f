"""Compiled steps against the tables they were compiled from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import Codes
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.alias import AliasTable
from census_personas.generator.sampling.conditional_draw import TableStep, compile_product
from census_personas.generator.sampling.conditioning import condition
from census_personas.generator.sampling.leaf_draw import compile_leaf
from census_personas.generator.sampling.product import Product
from census_personas.generator.sampling.sampler import Sampler
from census_personas.generator.sampling.where_clause import masks

pytestmark = pytest.mark.quick

GRID = ((np.arange(2000) + 0.5) / 2000 * 2**32).astype(np.uint32)
ENDS = np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 2**12, 2**32 - 2, 2**32 - 1], dtype=np.uint32)


def compile_node(node: Node, hierarchy: Hierarchy) -> TableStep:
    return compile_product(Product.of(node, hierarchy))


@pytest.fixture(scope="module")
def steps(toy: Population) -> dict[str, TableStep]:
    return {node.child: compile_node(node, toy.network.hierarchy) for node in toy.network.nodes}


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
def test_states_are_drawn_by_their_probability(
    toy: Population, steps: dict[str, TableStep], child: str
) -> None:
    node = next(node for node in toy.network.nodes if node.child == child)
    for row in rows_of(node, toy.network):
        drawn = steps[child].draw(repeated(row, len(GRID)), GRID)
        found = np.bincount(drawn, minlength=toy.network.size(child)) / len(GRID)
        np.testing.assert_allclose(found, chances(node, toy.network, row), atol=1 / len(GRID))


@pytest.mark.parametrize("child", CHILDREN)
def test_impossible_states_are_never_drawn(toy: Population, steps: dict[str, TableStep], child: str) -> None:
    node = next(node for node in toy.network.nodes if node.child == child)
    for row in rows_of(node, toy.network):
        drawn = steps[child].draw(repeated(row, len(ENDS)), ENDS)
        assert (chances(node, toy.network, row)[drawn] > 0).all()


def test_rounding_never_draws_an_impossible_last_state(toy: Population) -> None:
    mood = next(node for node in toy.network.nodes if node.child == "mood")
    table = mood.table.copy()
    table[..., 0], table[..., 1] = 1.0, 0.0
    step = compile_node(Node("mood", mood.parents, table), toy.priors.hierarchy)
    codes = repeated(dict.fromkeys(mood.parents, 0), len(ENDS))
    assert (step.draw(codes, ENDS) == 0).all()


def test_impossible_first_states_are_never_drawn(toy: Population) -> None:
    mood = next(node for node in toy.network.nodes if node.child == "mood")
    table = np.zeros_like(mood.table)
    table[..., -1] = 1.0
    step = compile_node(Node("mood", mood.parents, table), toy.priors.hierarchy)
    codes = repeated(dict.fromkeys(mood.parents, 0), len(ENDS))
    assert (step.draw(codes, ENDS) == table.shape[-1] - 1).all()


def test_excluded_states_have_no_entries(
    toy: Population,
) -> None:
    given = condition(toy.network, (), masks({"trade": ["lawyer", "teacher"]}, toy.priors, ()))
    step = compile_product(given.products["trade"])
    assert step.codes is not None
    assert [toy.priors.domain["trade"][code] for code in step.codes] == ["lawyer", "teacher"]


def test_draws_are_monotone(steps: dict[str, TableStep]) -> None:
    codes = {name: np.ones(len(GRID), dtype=np.int64) for name in ("age_band", "region", "sex")}
    assert (np.diff(steps["age"].draw(codes, GRID).astype(int)) >= 0).all()


def test_wide_tables_draw_correctly() -> None:
    chances = np.random.default_rng(0).random(300) ** 4
    chances[[0, 7, 8, 299]] = 0
    chances /= chances.sum()
    rows = {"mood": tuple(map(str, range(300)))}
    hierarchy = Hierarchy(Domain({"sex": ("f", "m"), **rows}), {}, {})
    step = compile_node(Node("mood", ("sex",), np.array([chances, chances], dtype=np.float32)), hierarchy)
    numbers = (np.arange(400_000) * (2**32 / 400_000)).astype(np.uint32)
    drawn = step.draw(repeated({"sex": 1}, len(numbers)), numbers)
    found = np.bincount(drawn, minlength=300) / len(numbers)
    np.testing.assert_allclose(found, chances, atol=1 / 400_000 + 1e-6)
    assert not found[chances == 0].any()


@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (64,), (300, 7)])
def test_alias_slots_match_the_shares(shape: tuple[int, ...]) -> None:
    weights = np.random.default_rng(1).random(shape).ravel() ** 8
    weights[weights < 1e-4] = 0
    weights[-1] = 3.0
    table = AliasTable.of(weights)
    keep = (table.slots >> np.uint64(32)).astype(float) / 2**32
    own, other = np.arange(len(keep)), table.slots.astype(np.uint32).astype(int)
    share = np.zeros(len(keep))
    np.add.at(share, own, keep / len(keep))
    np.add.at(share, other, (1 - keep) / len(keep))
    cells = np.arange(len(weights)) if table.cells is None else table.cells
    found = np.zeros(len(weights))
    found[cells] = share[: len(cells)]
    np.testing.assert_allclose(found, weights / weights.sum(), atol=1e-8)
    assert not share[len(cells) :].any()
    assert not found[weights == 0].any()


def test_core_cells_are_drawn_by_probability(toy: Population) -> None:
    codes = Sampler.compile(toy.network, ()).draw(3, 0, 400_000)
    found = np.zeros(toy.network.core.shape)
    np.add.at(found, tuple(codes[name] for name in toy.network.core_attributes), 1 / 400_000)
    assert not found[toy.network.core == 0].any()
    np.testing.assert_allclose(found, toy.network.core, atol=5 * (0.25 / 400_000) ** 0.5)


def test_parents_in_one_core_part_share_a_look_up(toy: Population) -> None:
    sampler = Sampler.compile(toy.network, toy.leaves)
    core = {name for name in toy.network.hierarchy.domain if name in toy.network.core_attributes}
    assert not any(core & set(step.lookups) for step in sampler.steps if isinstance(step, TableStep))


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
def test_leaves_are_drawn_by_probability(leaf: Leaf, region: int) -> None:
    step = compile_leaf(leaf)
    drawn = step.draw(repeated({"region": region}, len(GRID)), GRID)
    np.testing.assert_allclose(np.bincount(drawn, minlength=7) / len(GRID), ROWS[region], atol=1 / len(GRID))


@pytest.mark.parametrize("region", [0, 2])
def test_leaf_draws_respect_evidence(leaf: Leaf, region: int) -> None:
    allowed = np.array([True, True, False, True, True, False, False])
    step = compile_leaf(leaf, allowed)
    numbers = np.concatenate([GRID, ENDS])
    drawn = step.draw(repeated({"region": region}, len(numbers)), numbers)
    wanted = np.where(allowed, ROWS[region], 0)
    assert (wanted[drawn] > 0).all()
    found = np.bincount(drawn[: len(GRID)], minlength=7) / len(GRID)
    np.testing.assert_allclose(found, wanted / wanted.sum(), atol=1 / len(GRID))
