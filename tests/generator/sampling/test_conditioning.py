"""Conditioning against enumeration of the toy: any evidence, on any kind of attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.census_priors.conditional import ConditionalTable
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.conditioning import condition
from census_personas.generator.sampling.where_clause import masks

KINDS = {
    "a core attribute": {"region": "south"},
    "several core attributes": {"region": ["north", "west"], "sex": "Male", "status": "working"},
    "a list": {"status": ["working", "looking"]},
    "a range of a refined child": {"age": "19-23"},
    "an open range": {"age": "22-"},
    "a range as minimum and maximum": {"age": {"min": 20, "max": 24}},
    "a mixed list": {"age": [18, "21-22", {"min": 25}]},
    "a pattern": {"trade": "*a*"},
    "a child": {"mood": "grim"},
    "a child that others make certain": {"transport": "none"},
    "a child that others make certain, among others": {"transport": ["none", "foot"]},
    "a refined child": {"trade": ["mason", "teacher"]},
    "the parent that a child refines": {"trade_group": "hands"},
    "a view of a core attribute": {"age_half": "18-22"},
    "a view that is no view of the band": {"voter": "18-20"},
    "a view of the age and a child below it": {"voter": "21+", "mood": "glad"},
    "a child below a certain one": {"transport": "none", "mood": "glad", "region": "west"},
    "everything at once": {
        "region": ["north", "south"],
        "age": "20-24",
        "sex": "Female",
        "status": "working",
        "trade": "[clt]*",
        "transport": ["foot", "cart"],
        "mood": "glad",
    },
}


def meets(cells: pd.DataFrame, where: Mapping[str, Any]) -> pd.Series:
    """Return which people meet the conditions, read in the simplest way."""
    result = pd.Series(True, index=cells.index)
    for name, wanted in where.items():
        result &= cells[name].map(lambda value, wanted=wanted: accepts(wanted, value))
    return result


def accepts(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, list):
        return any(accepts(part, value) for part in wanted)
    if isinstance(wanted, dict):
        return bool(wanted.get("min", 0) <= value <= wanted.get("max", 99))
    if isinstance(value, int) and "-" in str(wanted):
        low, high = str(wanted).split("-")
        return int(low or 0) <= value <= int(high or 99)
    if wanted == "*a*":
        return "a" in value
    if wanted == "[clt]*":
        return value[0] in "clt"
    return str(wanted) == str(value)


def share(cells: pd.DataFrame, where: Mapping[str, Any]) -> float:
    return float(cells["p"][meets(cells, where)].sum())


def table(cells: pd.DataFrame, toy: Population, names: tuple[str, ...], where: Mapping[str, Any]) -> Any:
    """P(names | where) by enumeration, as an array over the states."""
    domain = toy.priors.domain.project(names)
    kept = cells[meets(cells, where)]
    index = [kept[name].map({state: i for i, state in enumerate(domain[name])}) for name in names]
    result = np.zeros(domain.shape)
    np.add.at(result, tuple(index), kept["p"])
    return result / result.sum()


@pytest.mark.parametrize("where", KINDS.values(), ids=KINDS)
def test_evidence_probability_matches_enumeration(
    toy: Population, toy_cells: pd.DataFrame, where: dict[str, Any]
) -> None:
    assert toy.probability(where) == pytest.approx(share(toy_cells, where), rel=1e-6)


@pytest.fixture(scope="module")
def check_tables(
    toy: Population, toy_cells: pd.DataFrame
) -> Callable[[Mapping[str, Any], Sequence[str]], None]:
    """Compare the model's P(names | where) with the enumeration's."""

    def check(where: Mapping[str, Any], names: Sequence[str]) -> None:
        found = toy.marginal(names, where=where).weights
        wanted = table(toy_cells, toy, tuple(names), where)
        np.testing.assert_allclose(found, wanted, atol=1e-6, err_msg=str(names))

    return check


@pytest.mark.parametrize("where", KINDS.values(), ids=KINDS)
def test_conditioned_tables_match_enumeration(
    check_tables: Callable[[Mapping[str, Any], Sequence[str]], None], where: dict[str, Any]
) -> None:
    for names in combinations(("region", "age", "voter", "status", "trade", "transport", "mood"), 2):
        check_tables(where, names)


some_names = st.lists(
    st.sampled_from(["age", "status", "trade", "transport", "voter"]), min_size=1, max_size=3, unique=True
)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """Evidence on one to four attributes of the toy, each a value, a list, or a range."""
    names = "region age age_band age_half voter sex status trade trade_group transport mood".split()
    states = {
        "region": ["north", "south", "west"],
        "age_band": ["18-19", "20-22", "23+"],
        "age_half": ["18-22", "23+"],
        "voter": ["18-20", "21+"],
        "sex": ["Female", "Male"],
        "status": ["working", "looking", "resting"],
        "trade": ["carpenter", "mason", "lawyer", "clerk", "teacher", "no_trade"],
        "trade_group": ["hands", "minds", "no_trade"],
        "transport": ["foot", "cart", "none"],
        "mood": ["glad", "grim"],
    }
    where: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)):
        if name == "age":
            low = draw(st.integers(18, 25))
            where[name] = f"{low}-{draw(st.integers(low, 25))}"
        else:
            some = draw(st.lists(st.sampled_from(states[name]), min_size=1, unique=True))
            where[name] = some[0] if len(some) == 1 else some
    return where


@settings(max_examples=100, deadline=None)
@given(where=conditions(), names=some_names)
def test_random_evidence_matches_enumeration(
    toy: Population,
    toy_cells: pd.DataFrame,
    check_tables: Callable[[Mapping[str, Any], Sequence[str]], None],
    where: dict[str, Any],
    names: list[str],
) -> None:
    expected = share(toy_cells, where)
    if expected == 0:
        with pytest.raises(EvidenceError, match=r"nobody in toy|nothing meets it"):
            toy.probability(where)
    else:
        assert toy.probability(where) == pytest.approx(expected, rel=1e-5)
        check_tables(where, names)


@pytest.fixture(scope="module")
def town(toy: Population) -> Leaf:
    """A leaf below a core attribute and a child, with towns that some of its parents cannot have."""
    domain = toy.priors.domain.project(("region", "transport"))
    rows = [[0.7, 0.3, 0, 0], [0, 1, 0, 0], [0.25, 0.25, 0.25, 0.25]] * 3
    dense = np.array(rows)
    indptr = np.concatenate(([0], np.cumsum((dense > 0).sum(axis=1)))).astype(np.int64)
    conditional = ConditionalTable(
        "town",
        domain,
        np.array(["Upton", "Ashby", "Hill", "Mere"], dtype=object),
        indptr,
        np.nonzero(dense)[1].astype(np.int32),
        dense[dense > 0],
    )
    return Leaf("town", domain.attributes, np.arange(9, dtype=np.int32).reshape(3, 3), conditional)


@pytest.mark.parametrize("towns", [["Upton"], ["Ashby", "Mere"], ["Hill"]], ids="-".join)
def test_leaf_evidence_reaches_its_relatives(
    toy: Population, toy_cells: pd.DataFrame, town: Leaf, towns: list[str]
) -> None:
    allowed = np.isin(town.table.states.astype(str), towns)
    chance = {"foot": [0.7, 0.3, 0, 0], "cart": [0, 1, 0, 0], "none": [0.25] * 4}
    weight = toy_cells["p"] * toy_cells["transport"].map({k: np.dot(v, allowed) for k, v in chance.items()})
    weight = weight[toy_cells["mood"] == "glad"]
    evidence = {"town": allowed, **masks({"mood": "glad"}, toy.priors, ())}
    conditioned = condition(toy.network, (town,), evidence)
    assert conditioned.probability == pytest.approx(weight.sum(), rel=1e-6)
    for name in ("trade", "region", "voter", "transport"):
        wanted = weight.groupby(toy_cells[name]).sum() / weight.sum()
        found = dict(zip(toy.priors.domain[name], conditioned.network.joint((name,)), strict=True))
        assert found == pytest.approx({state: wanted.get(state, 0.0) for state in found}, abs=1e-6)


def test_untouched_nodes_are_shared(toy: Population) -> None:
    conditioned = condition(toy.network, (), masks({"trade": "mason"}, toy.priors, ()))
    assert set(conditioned.products) == {"trade_group", "trade"}
    before, after = ({n.child: n for n in network.nodes} for network in (toy.network, conditioned.network))
    assert after["mood"] is before["mood"]
    assert after["trade"] is not before["trade"]


def test_impossible_evidence_has_probability_zero(toy: Population) -> None:
    impossible = masks({"region": "west", "trade": "mason"}, toy.priors, ())
    conditioned = condition(toy.network, (), impossible)
    assert conditioned.probability == 0
    assert not conditioned.network.core.any()
