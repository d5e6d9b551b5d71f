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


def test_chain_ends_at_the_finest() -> None:
    assert TREE.chain("half") == ("half", "band", "age")
    assert TREE.chain("sex") == ("sex",)
    assert TREE.root("half") == TREE.root("voter") == "age"


def test_view_codes_compose() -> None:
    assert TREE.codes("age", "half").tolist() == [0, 0, 0, 1]
    assert TREE.codes("band", "half").tolist() == [0, 0, 1]
    assert TREE.codes("age", "age").tolist() == [0, 1, 2, 3]


def test_attribute_refines_its_views() -> None:
    assert TREE.refines("age", "half")
    assert TREE.refines("age", "age")
    assert not TREE.refines("half", "age")
    assert not TREE.refines("band", "voter"), "both are views of age, but neither of the other"


def test_unrelated_codes_are_refused() -> None:
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
def test_finest_are_not_refined_by_others(given: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert TREE.finest(given) == kept


def test_en_us_views_use_all_states() -> None:
    hierarchy = Priors.load("en_US").hierarchy
    for view, finer in hierarchy.finer.items():
        codes = hierarchy.codes(finer, view)
        assert sorted(set(codes.tolist())) == list(range(len(hierarchy.domain[view]))), view


def test_refined_states_are_adjacent() -> None:
    priors = Priors.load("en_US")
    for node in priors.declaration.model.conditionals:
        for parent in node.parents:
            if priors.hierarchy.refines(node.child, parent):
                assert (np.diff(priors.hierarchy.codes(node.child, parent)) >= 0).all(), node.child
