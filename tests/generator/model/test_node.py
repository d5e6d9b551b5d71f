"""P(child | parents): the three ways of reading a node agree, also where the child is certain."""

from __future__ import annotations

import numpy as np
import pytest

from census_personas.census_priors.domain import DomainError
from census_personas.foundation.arrays import Codes32
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node, open_positions
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick


def _people(network: Network, node: Node) -> dict[str, Codes32]:
    """One person of every combination of the child and of the finest attributes that decide it."""
    hierarchy = network.hierarchy
    names = dict.fromkeys(hierarchy.root(name) for name in (*node.conditions, node.child))
    grid = np.indices([network.size(name) for name in names])
    return {name: codes.ravel() for name, codes in zip(names, grid, strict=True)}


def test_probability_matches_the_distribution(toy: Population) -> None:
    for node in toy.network.nodes:
        people = _people(toy.network, node)
        child = toy.network.hierarchy.view(node.child, people)
        given = {name: toy.network.hierarchy.view(name, people) for name in node.conditions}
        shares = node.distribution(given, toy.network.hierarchy)
        found = node.probability({**given, node.child: child}, toy.network.hierarchy)
        np.testing.assert_array_equal(found, shares[np.arange(len(child)), child])


def test_people_and_axes_agree(toy: Population) -> None:
    hierarchy = toy.network.hierarchy
    for node in toy.network.nodes:
        names = (*node.conditions, node.child)
        grid = np.indices([toy.network.size(name) for name in names])
        dense = node.joint(node.parents, np.ones(grid.shape[1:-1]), hierarchy)
        people = node.probability(dict(zip(names, grid, strict=True)), hierarchy)
        if node.refines is not None:
            people = people.sum(axis=-2)  # a state of the child lies in one state of what it refines
        np.testing.assert_array_equal(people, dense)


def test_certain_parents_leave_one_state(toy: Population) -> None:
    node = next(node for node in toy.network.nodes if node.certain is not None)
    parent, values = node.certain or ("", np.empty(0, np.int32))
    people = {name: np.zeros(len(values), np.int64) for name in node.conditions}
    people[parent] = np.arange(len(values))
    shares = node.distribution(people, toy.network.hierarchy)
    certain = np.flatnonzero(values >= 0)
    assert len(certain)
    assert shares[certain].sum(axis=1).tolist() == [1.0] * len(certain)
    assert (shares[certain, values[certain]] == 1).all()


def test_open_states_are_numbered_in_order() -> None:
    assert open_positions(np.array([-1, 3, -1, 0, -1], dtype=np.int32)).tolist() == [0, -1, 1, -1, 2]


def test_undecided_attribute_is_named(toy: Population) -> None:
    with pytest.raises(DomainError, match="'mood' follows from none of age, sex"):
        toy.network.hierarchy.view("mood", {"age": np.zeros(1, np.int64), "sex": np.zeros(1, np.int64)})
