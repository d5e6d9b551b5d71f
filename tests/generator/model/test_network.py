"""Joint tables of the network against enumeration, for every way of computing them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.generator.model import network as network_module
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.node import Node
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

NAMES = (
    *("region", "age", "age_band", "age_half", "voter", "sex", "status"),
    *("trade", "trade_group", "transport", "mood"),
)


def enumerated(toy: Population, cells: pd.DataFrame, names: tuple[str, ...]) -> Any:
    domain = toy.priors.domain.project(names)
    result = np.zeros(domain.shape)
    np.add.at(result, tuple(domain.codes(name, cells[name]) for name in names), cells["p"])
    return result


@pytest.mark.parametrize("names", list(combinations(NAMES, 2)), ids="-".join)
def test_pairwise_tables_match_enumeration(
    toy: Population, toy_cells: pd.DataFrame, names: tuple[str, ...]
) -> None:
    np.testing.assert_allclose(toy.network.joint(names), enumerated(toy, toy_cells, names), atol=1e-6)


@pytest.mark.parametrize("names", list(permutations(("mood", "voter", "status"))), ids="-".join)
def test_axes_follow_the_query(toy: Population, toy_cells: pd.DataFrame, names: tuple[str, ...]) -> None:
    np.testing.assert_allclose(toy.network.joint(names), enumerated(toy, toy_cells, names), atol=1e-6)


def test_whole_joint_matches_enumeration(toy: Population, toy_cells: pd.DataFrame) -> None:
    names = ("region", "age", "sex", "status", "trade", "transport", "mood")
    np.testing.assert_allclose(toy.network.joint(names), enumerated(toy, toy_cells, names), atol=1e-7)


def test_sliced_joint_is_the_same(
    toy: Population, toy_cells: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_module, "SLICE_CELLS", 1)
    for names in combinations(NAMES, 2):
        found = toy.network.joint(names)
        np.testing.assert_allclose(found, enumerated(toy, toy_cells, names), atol=1e-6, err_msg=str(names))


def test_oversized_joint_is_refused(toy: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "MOST_CELLS", 50)
    with pytest.raises(FitError, match=r"mood, region: a joint over .* would have [\d,]+ cells"):
        toy.network.joint(("mood", "region"))


def test_unknown_attribute_is_named(toy: Population) -> None:
    with pytest.raises(FitError, match="'height' is not an attribute of the model; it has region, age_band"):
        toy.network.joint(("sex", "height"))


def test_node_rows_are_distributions(toy: Population) -> None:
    for node in toy.network.nodes:
        groups = np.zeros(node.table.shape[-1], dtype=int)
        if node.refines is not None:
            groups = toy.priors.hierarchy.codes(node.child, node.refines)
        for group in np.unique(groups):
            sums = node.table[..., groups == group].sum(axis=-1)
            assert (np.isclose(sums, 1, atol=1e-5) | (sums == 0)).all(), (node.child, group)


def test_deciding_parents_have_no_row(toy: Population) -> None:
    group = next(node for node in toy.network.nodes if node.child == "trade_group")
    assert group.axis_codes("status", 3).tolist() == [0, -1, -1]
    assert group.table.shape[group.parents.index("status")] == 1


def test_parents_sharing_an_attribute_are_read_once(
    toy: Population,
) -> None:
    random = np.random.default_rng(2).dirichlet(np.ones(2), size=(2, 2)).astype(np.float32)
    node = Node("mood", ("age_half", "voter"), random)
    table = node.over(("age",), toy.priors.hierarchy)
    for code, age in enumerate(range(18, 26)):
        np.testing.assert_array_equal(table[code], random[int(age >= 23), int(age >= 21)])


def test_joint_of_parents_sharing_an_attribute_is_exact(toy: Population, toy_cells: pd.DataFrame) -> None:
    random = np.random.default_rng(2).dirichlet(np.ones(2), size=(2, 2)).astype(np.float32)
    nodes = (*toy.network.nodes[:-1], Node("mood", ("age_half", "voter"), random))
    found = replace(toy.network, nodes=nodes).joint(("age", "mood"))
    age = enumerated(toy, toy_cells, ("age",))
    chance = [random[int(years >= 23), int(years >= 21)] for years in range(18, 26)]
    np.testing.assert_allclose(found, age[:, None] * chance, atol=1e-6)
