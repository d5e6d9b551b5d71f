import numpy as np
import pytest

from census_personas.census_priors.domain import Domain, DomainError
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.priors import Priors

pytestmark = pytest.mark.quick

TREE = Hierarchy(
    Domain(
        {
            "age": (18, 19, 20, 21),
            "band": ("a", "b", "c"),
            "half": ("x", "y"),
            "voter": ("no", "yes"),
            "sex": ("F",),
        }
    ),
    {"band": "age", "half": "band", "voter": "age"},
    {
        "band": np.array([0, 1, 1, 2], dtype=np.int32),
        "half": np.array([0, 0, 1], dtype=np.int32),
        "voter": np.array([0, 0, 0, 1], dtype=np.int32),
    },
)


def test_a_chain_leads_from_a_view_to_what_it_is_a_view_of() -> None:
    assert TREE.chain("half") == ("half", "band", "age")
    assert TREE.chain("sex") == ("sex",)
    assert TREE.root("half") == TREE.root("voter") == "age"


def test_codes_of_a_view_are_composed_along_the_chain() -> None:
    assert TREE.codes("age", "half").tolist() == [0, 0, 0, 1]
    assert TREE.codes("band", "half").tolist() == [0, 0, 1]
    assert TREE.codes("age", "age").tolist() == [0, 1, 2, 3]


def test_an_attribute_refines_itself_and_its_views_alone() -> None:
    assert TREE.refines("age", "half")
    assert TREE.refines("age", "age")
    assert not TREE.refines("half", "age")
    assert not TREE.refines("band", "voter"), "both are views of age, but neither of the other"


def test_codes_between_attributes_that_are_no_views_of_each_other_are_refused() -> None:
    with pytest.raises(DomainError, match="'voter' is not a coarser view of 'band'"):
        TREE.codes("band", "voter")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("half", "sex", "age"), ("sex", "age")),
        (("half", "voter"), ("half", "voter")),
        (("band", "band", "half"), ("band",)),
        ((), ()),
    ],
)
def test_the_finest_are_those_that_no_other_refines(given: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert TREE.finest(given) == kept


def test_every_view_of_the_united_states_uses_every_one_of_its_states() -> None:
    hierarchy = Priors.load("en_US").hierarchy
    for view, finer in hierarchy.finer.items():
        codes = hierarchy.codes(finer, view)
        assert sorted(set(codes.tolist())) == list(range(len(hierarchy.domain[view]))), view


def test_states_that_share_a_state_of_a_refined_parent_lie_together() -> None:
    priors = Priors.load("en_US")
    for node in priors.declaration.model.conditionals:
        for parent in node.parents:
            if priors.hierarchy.refines(node.child, parent):
                assert (np.diff(priors.hierarchy.codes(node.child, parent)) >= 0).all(), node.child
