import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from census_personas.census_priors.domain import Domain, DomainError
from census_personas.census_priors.marginal import Marginal, TableError

pytestmark = pytest.mark.quick

DOMAIN = Domain({"sex": ("Female", "Male"), "age": (18, 19, 20)})
WEIGHTS = arrays(np.float64, (2, 3), elements=st.floats(0.5, 1e6))


@given(weights=WEIGHTS)
def test_projection_sums_out_the_rest(weights: np.ndarray) -> None:
    table = Marginal(DOMAIN, weights, weights * 2)
    found = table.project(("age",))
    np.testing.assert_allclose(found.weights, weights.sum(axis=0))
    assert found.samples is not None
    np.testing.assert_allclose(found.samples, 2 * weights.sum(axis=0))


@given(weights=WEIGHTS)
def test_projection_can_reorder_axes(weights: np.ndarray) -> None:
    turned = Marginal(DOMAIN, weights).project(("age", "sex"))
    np.testing.assert_array_equal(turned.weights, weights.T)
    assert turned.domain.attributes == ("age", "sex")


def test_three_axes_come_in_any_order() -> None:
    domain = Domain({"a": ("0", "1"), "b": ("0", "1", "2"), "c": ("0", "1", "2", "3")})
    weights = np.arange(24.0).reshape(2, 3, 4)
    table = Marginal(domain, weights)
    np.testing.assert_array_equal(table.project(("c", "a", "b")).weights, weights.transpose(2, 0, 1))
    np.testing.assert_array_equal(table.project(("c", "a")).weights, weights.sum(axis=1).T)


@given(weights=WEIGHTS)
def test_probabilities_sum_to_one(weights: np.ndarray) -> None:
    table = Marginal(DOMAIN, weights)
    assert table.probabilities().sum() == pytest.approx(1)
    assert table.total == pytest.approx(weights.sum())


@pytest.mark.parametrize("bad", [-3.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", ["weights", "samples"])
def test_bad_count_is_named_with_its_cell(bad: float, kind: str) -> None:
    values = np.ones((2, 3))
    values[1, 2] = bad
    good = np.ones((2, 3))
    arguments = {"weights": good, "samples": good} | {kind: values}
    with pytest.raises(
        TableError, match=f"age.csv: {kind} of sex='Male', age=20 are {bad}; counts must be >= 0"
    ):
        Marginal(DOMAIN, source="age.csv", **arguments)


def test_all_zero_table_is_refused() -> None:
    with pytest.raises(
        TableError, match=r"age\.csv: all weights are zero; a table needs at least one person"
    ):
        Marginal(DOMAIN, np.zeros((2, 3)), source="age.csv")


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(TableError, match=r"weights have shape \(3, 2\), the domain \(2, 3\)"):
        Marginal(DOMAIN, np.ones((3, 2)))


def test_unknown_attribute_is_refused() -> None:
    with pytest.raises(DomainError, match="unknown attribute 'height'"):
        Marginal(DOMAIN, np.ones((2, 3))).project(("height",))
