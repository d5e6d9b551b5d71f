"""Person name: how a record, or its texts, name the person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PUBLIC_ROLES: Mapping[str, str] = MappingProxyType(
    {"given_name": "first_name", "family_name": "last_name", "municipality": "city"}
)
"""Who plays which role in the public schema, for records that are read without a locale."""
_PARTICLE = (
    r"(?>(?:de la|de los|del|de|la|le|van der|van den|van|von|da|dos|das|di|du|bin|al|el|st\.|ter|ten|y)\s+)"
)
_CAPITAL = r"(?:[A-Z](?:[A-Za-z'-]*[A-Za-z]|\.?)|\d?[A-Z]\.)"
LEADING_NAME = re.compile(rf"(?:{_PARTICLE}?{_CAPITAL})(?:\s+{_PARTICLE}*{_CAPITAL}){{0,4}}")

ARTICLES = frozenset({"A", "An", "As", "The", "In", "At", "With"})
PAIR = re.compile(r"(?=\b([A-Z][A-Za-z'-]{0,40}[A-Za-z] [A-Z][A-Za-z'-]{0,40}[A-Za-z]))\b(?<!')")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name with plain ASCII letters, and whether facts or only the text gave it.

    Attributes:
        first: given name.
        last: family name, the first of two.
        full: the full name, in the order of the locale.
        stated: whether the record's facts have it.
    """

    first: str
    last: str
    full: str
    stated: bool

    @property
    def ends(self) -> tuple[str, str]:
        """The given name and the family name in the order in which the full name has them."""
        return (self.last, self.first) if self.full.startswith(f"{self.last} ") else (self.first, self.last)
