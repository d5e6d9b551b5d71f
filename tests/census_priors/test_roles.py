"""Roles: look-up by purpose, and one-line errors if a locale has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import united_states

from census_personas.census_priors.roles import ROLES, RoleError, Roles

US = united_states().roles


def test_role_gives_its_attribute() -> None:
    assert (US["region"], US["postcode"], US["schooling"]) == ("state", "zipcode", "education_level")
    assert US.role_of("county") == "subregion"
    assert US.role_of("division") is None


def test_unfilled_role_is_none_or_an_error() -> None:
    assert US.get("second_family_name") is None
    with pytest.raises(
        RoleError, match=r"locale en_US: no attribute has the role second_family_name \(the s"
    ):
        US["second_family_name"]


@pytest.mark.parametrize("ask", [US.get, US.__getitem__])
def test_unknown_role_is_always_an_error(ask: object) -> None:
    with pytest.raises(RoleError, match="unknown role 'postcod'; did you mean postcode"):
        ask("postcod")  # type: ignore[operator]


def test_roles_become_columns_in_order() -> None:
    assert US.named(("work", "second_family_name", "age")) == ("labor_force_status", "age")
    assert US.named(("work", "age"), among={"age"}) == ("age",)
    assert US.missing(("age", "second_family_name")) == ("second_family_name",)


@given(st.dictionaries(st.sampled_from(sorted(ROLES)), st.from_regex("[a-z]{1,8}", fullmatch=True)))
def test_filled_roles_have_attributes(columns: dict[str, str]) -> None:
    roles = Roles("xx", columns)
    assert dict(roles) == columns
    assert {*roles.missing(ROLES), *columns} == {*ROLES}
