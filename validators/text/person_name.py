"""PersonName: the person's name, from the facts or the texts of a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PUBLIC_ROLES: Mapping[str, str] = MappingProxyType(
    {"given_name": "first_name", "family_name": "last_name", "municipality": "city"}
)
"""Role -> column of the public schema, for records that are read without a locale."""
_PARTICLE = (
    r"(?>(?:de la|de los|del|de|la|le|van der|van den|van|von|da|dos|das|di|du|bin|al|el|st\.|ter|ten|y)\s+)"
)
_CAPITAL = r"(?:[A-Z](?:[A-Za-z'-]*[A-Za-z]|\.?)|\d?[A-Z]\.)"
LEADING_NAME = re.compile(rf"(?:{_PARTICLE}?{_CAPITAL})(?:\s+{_PARTICLE}*{_CAPITAL}){{0,4}}")

ARTICLES = frozenset({"A", "An", "As", "The", "In", "At", "With"})
PAIR = re.compile(r"(?=\b([A-Z][A-Za-z'-]{0,40}[A-Za-z] [A-Z][A-Za-z'-]{0,40}[A-Za-z]))\b(?<!')")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name in plain ASCII.

    Attributes:
        first: given name.
        last: family name; of two, the first.
        full: full name, in the order of the locale.
        stated: whether the name is among the facts; otherwise it was read from the texts.
    """

    first: str
    last: str
    full: str
    stated: bool

    @property
    def ends(self) -> tuple[str, str]:
        """Given name and family name, in the order of the full name."""
        return (self.last, self.first) if self.full.startswith(f"{self.last} ") else (self.first, self.last)
