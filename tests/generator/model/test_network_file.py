"""The pgmpy model written to BIF and read again: no state name is lost or confused."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pgmpy.readwrite import BIFReader, BIFWriter

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.generator.model.bayesian_network import encoded, refined_name, to_pgmpy
from census_personas.generator.model.fitting import FitError
from census_personas.generator.model.network import Network
from census_personas.generator.model.node import Node

AWKWARD = (
    *(
        "a, b",
        'say "x"',
        "a b",
        " a",
        "{x}",
        "x}",
        "a|b",
        "(x)",
        "x)",
        ";",
        "//x",
        "/*x*/",
        "$x",
        "%",
        "%2C",
        "ü",
    ),
    *("\n", "table 5", "default", "variable", "probability", "1", "1e5", "-", "70+", "25-29", "漢字", "a;b"),
)
STATES = st.lists(
    st.sampled_from(AWKWARD) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
    min_size=1,
    max_size=3,
    unique_by=str.casefold,
)


def network(fine: list[str], other: list[str], seed: int) -> Network:
    """Build a core of two attributes, a child of both, and a refinement with two states per parent state."""
    domain = Domain(
        {
            "detail": tuple(f"{state}{end}" for state in fine for end in "12"),
            "kind": tuple(fine),
            "other": tuple(other),
            "child": ("x, y", "z"),
        }
    )
    codes = np.repeat(np.arange(len(fine), dtype=np.int32), 2)
    hierarchy = Hierarchy(domain, {"kind": "detail"}, {"kind": codes})
    random = np.random.default_rng(seed)
    core = random.dirichlet(np.ones(len(fine) * len(other))).reshape(len(fine), len(other))
    rows = random.dirichlet(np.ones(2), size=(len(fine), len(other)))
    runs = random.dirichlet(np.ones(2), size=(len(other), len(fine))).reshape(len(other), -1)
    nodes = (
        Node("child", ("kind", "other"), rows.astype(np.float32)),
        Node("detail", ("other",), runs.astype(np.float32), "kind"),
    )
    return Network(hierarchy, ("kind", "other"), core.astype(np.float32), nodes, {})


@given(fine=STATES, other=STATES, seed=st.integers(0, 99))
@example(fine=["a"], other=list(AWKWARD), seed=1)
@settings(deadline=None, max_examples=5)
def test_any_state_name_survives_bif(fine: list[str], other: list[str], seed: int) -> None:
    built = network(fine, other, seed)
    model = to_pgmpy(built)
    read = BIFReader(string=str(BIFWriter(model))).get_model()
    assert set(read.nodes()) == set(model.nodes())
    assert set(read.edges()) == set(model.edges())
    for cpd in model.get_cpds():
        again = read.get_cpds(cpd.variable)
        assert again.variables == cpd.variables
        assert again.state_names == cpd.state_names
        np.testing.assert_array_equal(again.values, cpd.values)
    for name, states in (("kind", fine), ("other", other)):
        assert [unquote(state) for state in read.get_cpds(name).state_names[name]] == states
    assert {refined_name("detail", state) for state in fine} <= set(read.nodes())


@pytest.mark.parametrize("state", ["registered_nurse", "25-29", "70+", "less_than_9th", "18", "a.b~c"])
def test_plain_names_are_unchanged(state: str) -> None:
    assert encoded(state) == state


def test_empty_state_is_refused() -> None:
    with pytest.raises(FitError, match="a state is an empty string"):
        to_pgmpy(network(["a", ""], ["b"], 1))


def test_names_differing_by_case_are_refused() -> None:
    with pytest.raises(FitError, match="detail_in_b: differs from detail_in_B by case alone"):
        to_pgmpy(network(["B", "b"], ["c"], 1))


def test_number_like_name_is_refused() -> None:
    with pytest.raises(FitError, match="detail_in_table5: readers of network files parse 'table5'"):
        to_pgmpy(network(["table5"], ["c"], 1))
