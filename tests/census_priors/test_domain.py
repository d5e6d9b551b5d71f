import numpy as np
import pytest

from census_personas.census_priors.domain import Domain, DomainError

pytestmark = pytest.mark.quick

DOMAIN = Domain({"sex": ("Female", "Male"), "age": (18, 19, 20), "state": ("NY", "WY", "VI", "PR")})


def test_axes_follow_the_attributes() -> None:
    assert DOMAIN.attributes == tuple(DOMAIN) == ("sex", "age", "state")
    assert DOMAIN.shape == (2, 3, 4)
    assert DOMAIN.size == 24
    assert "age" in DOMAIN
    assert "height" not in DOMAIN


def test_codes_are_positions_of_states() -> None:
    assert DOMAIN.code("age", 20) == 2
    codes = DOMAIN.codes("state", ["PR", "NY", "PR"])
    assert codes.dtype == np.int32
    assert codes.tolist() == [3, 0, 3]


def test_projection_keeps_the_order() -> None:
    assert DOMAIN.project(("state", "sex")).shape == (4, 2)
    assert DOMAIN.axes(("state", "sex")) == (2, 0)


def test_empty_domain_has_one_cell() -> None:
    assert Domain({}).size == 1


def test_unknown_attribute_lists_known() -> None:
    with pytest.raises(DomainError, match="unknown attribute 'height'; known: sex, age, state"):
        DOMAIN.project(("height",))


@pytest.mark.parametrize("state", [17, "18", None])
def test_unknown_state_lists_known(state: object) -> None:
    with pytest.raises(DomainError, match=f"unknown age {state!r}; known: 18, 19, 20"):
        DOMAIN.code("age", state)  # type: ignore[arg-type]


def test_twelve_states_are_listed() -> None:
    with pytest.raises(DomainError, match=r"known: 0, 1, .*, 11, …$"):
        Domain({"age": tuple(range(99))}).code("age", 200)


@pytest.mark.parametrize("states", [(), ("a", "b", "a")])
def test_bad_state_lists_are_refused(states: tuple[str, ...]) -> None:
    with pytest.raises(DomainError, match="sex: states must be given, each once"):
        Domain({"sex": states})
