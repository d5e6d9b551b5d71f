"""Roles: the purpose of an attribute, independent of its name in a locale."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from census_personas.foundation.errors import PersonasError

PLACE: Mapping[str, str] = {
    "region": "the largest part of the country that people name as theirs; places are looked up in it",
    "subregion": "the part of a region above the municipality",
    "municipality": "the city, town or village",
    "postcode": "the postal code, which decides subregion and municipality",
    "metro": "the metropolitan area, empty outside one",
    "urbanicity": "how urban the surroundings are",
}
"""Roles that a look-up of places fills."""
NAME: Mapping[str, str] = {
    "given_name": "the name by which a person is called",
    "middle_name": "a further given name, empty for people without one",
    "family_name": "the family name, or the first of two",
    "second_family_name": "the second family name",
}
"""Roles that a look-up of names fills."""
NAME_RECIPE = ("given_name", "family_name", "second_family_name")
"""Default parts of a full name, in order."""
ROLES: Mapping[str, str] = {
    "age": "age in years",
    "sex": "sex, which decides pronouns and grammatical gender",
    **PLACE,
    **NAME,
    "origin": "ethnicity or descent: names, places and measures of bias depend on it",
    "birth": "born in the country or not, and citizenship",
    "language": "the language spoken at home",
    "schooling": "the level of education, a ladder from the lowest to the highest",
    "field": "the field of a degree",
    "marital": "marital status",
    "work": "employed, looking for work, or neither",
    "occupation": "the occupation, and the states of those who have none",
    "industry": "the industry of the job",
    "employer": "who a person works for, or whether for themselves",
    "income": "personal income, in bands",
    "commute": "the way to work",
    "household": "whom a person lives with",
    "military": "military service",
    "disability": "disability",
}
"""Every known role, and its purpose."""


class RoleError(PersonasError, KeyError):
    """An unknown role, or one that a locale does not fill; the message names the locale and the remedy."""

    def __str__(self) -> str:
        """The message without the quotes that KeyError puts around it."""
        return str(self.args[0])


@dataclass(frozen=True)
class Roles(Mapping[str, str]):
    """The attribute, or column of a look-up, of each role in a locale.

    Attributes:
        locale: for messages.
        columns: role -> attribute or column, in the locale's order.
    """

    locale: str
    columns: Mapping[str, str]

    def __getitem__(self, role: str) -> str:
        """Return the attribute of a role.

        Raises:
            RoleError: there is no such role, or the locale does not fill it (`get` then returns None).
        """
        if role in self.columns:
            return self.columns[role]
        if role not in ROLES:
            raise RoleError(unknown_role(role))
        raise RoleError(
            f"locale {self.locale}: no attribute has the role {role} ({ROLES[role]}); declare it under `roles` "
            "in its locale.yaml"
        )

    def get(self, role: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """Return the attribute of a role, or the default if the locale does not fill it.

        Raises:
            RoleError: there is no such role.
        """
        return self[role] if role in self.columns or role not in ROLES else default

    def __iter__(self) -> Iterator[str]:
        """Iterate over the filled roles, in the locale's order."""
        return iter(self.columns)

    def __len__(self) -> int:
        """Return the number of filled roles."""
        return len(self.columns)

    def role_of(self, column: str) -> str | None:
        """Return the role of an attribute; None if it has none."""
        return next((role for role, name in self.columns.items() if name == column), None)

    def named(self, roles: Iterable[str], among: Container[str] | None = None) -> tuple[str, ...]:
        """Return the attributes of these roles, as far as they are filled and in `among`, if given."""
        names = (name for role in roles if (name := self.get(role)) is not None)
        return tuple(name for name in names if among is None or name in among)

    def missing(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Return the roles that the locale does not fill."""
        return tuple(role for role in roles if self.get(role) is None)


def full_name(recipe: Iterable[str], part_of: Callable[[str], object]) -> str:
    """Join the present parts of a name in the order of the recipe; `part_of` returns each part."""
    return " ".join(str(part) for name in recipe if (part := part_of(name)))


def unknown_role(role: str) -> str:
    """Describe an unknown role in one line."""
    near = difflib.get_close_matches(role, ROLES, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ROLES)}"
    return f"unknown role {role!r}; {hint}"
