"""Cell reading: the value of a cell of a user's dataset, independent of the type that its file gave it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from census_personas.census_priors.priors import Priors
from census_personas.foundation.schema import LISTS
from census_personas.foundation.traits import TRAITS

_MAY_BE_EMPTY = ("middle_name", "metro")
_LONGEST = 18  # digits that fit 64 bits


class CellReading:
    """Reads cells under the roles of a locale."""

    def __init__(self, priors: Priors) -> None:
        """Read nothing yet."""
        self._priors = priors

    def said(self, name: str, value: Any) -> Any:
        """Return a cell's value; None for an empty cell, or for a non-number that can be drawn instead."""
        if value is None or value != value or (value == "" and name not in self._may_be_empty):  # noqa: PLR0124  NaN
            return None
        if name == self._priors.roles.get("postcode"):
            return self.postcode(value)
        if name in self._whole:
            text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
            if text.isascii() and text.isdecimal() and len(text) <= _LONGEST:
                return int(text)
            return value if name == self._priors.roles.get("age") else None
        return str(value) if isinstance(value, list | dict) and name not in LISTS else value

    @cached_property
    def _may_be_empty(self) -> frozenset[str]:
        return frozenset({"occupation_code", *self._priors.roles.named(_MAY_BE_EMPTY)})

    @cached_property
    def _whole(self) -> frozenset[str]:
        return frozenset({"row", "birth_year", *TRAITS, *self._priors.roles.named(("age",))})

    def postcode(self, value: Any) -> str:
        """Return a postcode as text, with the leading zeros that a numeric column (8055, 8055.0) has lost."""
        digits = self._priors.places.digits if "places" in self._priors.declaration.lookups else 0
        text = str(value).strip().removesuffix(".0")
        return text.zfill(digits) if digits and text.isascii() and text.isdecimal() else str(value)
