"""Selection: whom a sample is of: conditions, wanted marginals, exact counts, and how draws are spread."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from census_personas.foundation.errors import PersonasError

TABLES = (".csv", ".parquet")


class EvidenceError(PersonasError, ValueError):
    """A `where` that cannot be read, or that no one meets; names the part and the remedy."""


@dataclass(frozen=True)
class Selection:
    """What a sample is asked to be; nothing asked is the whole population.

    Attributes:
        where: conditions that every row meets.
        target: marginals that the model is bent to.
        quota: cells of which rows come in exact numbers.
        stratified: whether draws are spread evenly.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    quota: Mapping[str, Any] = field(default_factory=dict)
    stratified: bool = False

    def files(self) -> list[Path]:
        """The tables that are read for targets and quotas."""
        return [
            Path(value)
            for wanted in (self.target, self.quota)
            for value in wanted.values()
            if isinstance(value, str) and value.endswith(TABLES)
        ]

    @property
    def key(self) -> str:
        """Canonical text: the same for selections that draw the same rows.

        Without target, quota and stratification it is the text of `where` alone, whose values have no order.
        """
        conditions = {name: _unordered(wanted) for name, wanted in self.where.items()}
        where = json.dumps(conditions, sort_keys=True, default=plain)
        further = {
            "target": with_digests(self.target),
            "quota": with_digests(self.quota),
            "stratified": self.stratified,
        }
        asked = {name: value for name, value in further.items() if value}
        return f"{where}/{json.dumps(asked, sort_keys=True, default=plain)}" if asked else where

    @classmethod
    def read(cls, said: Selection | Mapping[str, Any] | None) -> Selection:
        """A selection as it is, or the one of a condition given as a plain mapping; of nothing, everybody.

        Raises:
            EvidenceError: it is neither.
        """
        return said if isinstance(said, Selection) else cls(where=mapping("where", said))


def mapping(name: str, said: Any) -> Mapping[str, Any]:
    """What selects people, as given; nothing selects everybody.

    Raises:
        EvidenceError: it is no mapping of attributes.
    """
    if said is None:
        return {}
    if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
        raise EvidenceError(f'{name}: give a mapping of attributes, such as {{"state": "NY"}}, not {said!r}')
    return said


def names_of(place: str, attributes: Any) -> tuple[str, ...]:
    """The attributes that were named, one by itself or several, each once.

    Raises:
        EvidenceError: there is none, or something else stands there.
    """
    listed = isinstance(attributes, Iterable) and not isinstance(attributes, str)
    names = list(attributes) if listed else [attributes]
    if not names or not all(isinstance(name, str) for name in names):
        raise EvidenceError(
            f"{place}: no attribute is named; give some, such as 'sex' or ('sex', 'age'), not {attributes!r}"
        )
    return tuple(dict.fromkeys(str(name) for name in names))


def _unordered(wanted: object) -> object:
    """The values that a condition lists, each once and as text, in order; one value is a list of one."""
    if isinstance(wanted, Mapping):
        return dict(wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        return sorted({str(value) for value in wanted})
    return [str(wanted)]


def plain(value: object) -> object:
    """What JSON can say of a value, the same in every process: sets in order, arrays and ranges in full."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet):
        return sorted(value, key=str)
    return list(value) if isinstance(value, Iterable) else str(value)


def with_digests(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Wanted marginals, with the contents of table files in place of their names."""
    return {
        name: hashlib.sha256(Path(value).read_bytes()).hexdigest()
        if isinstance(value, str) and value.endswith(TABLES) and Path(value).is_file()
        else value
        for name, value in wanted.items()
    }
