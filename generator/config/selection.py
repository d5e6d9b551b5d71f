"""Selection: the people of a sample: conditions, targets, quotas and stratification."""

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
    """A `where` cannot be read, or nobody meets it; names the part and the remedy."""


@dataclass(frozen=True)
class Selection:
    """The selection of a sample; empty, it is the whole population.

    Attributes:
        where: conditions that every row meets.
        target: marginals that the model is changed to meet.
        quota: cells with exact numbers of rows.
        stratified: whether draws are spread evenly.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    quota: Mapping[str, Any] = field(default_factory=dict)
    stratified: bool = False

    def files(self) -> list[Path]:
        """Return the table files of targets and quotas."""
        return [
            Path(value)
            for wanted in (self.target, self.quota)
            for value in wanted.values()
            if isinstance(value, str) and value.endswith(TABLES)
        ]

    @property
    def key(self) -> str:
        """Canonical text: equal for selections that draw the same rows.

        Without target, quota and stratification it is the text of `where`, whose values have no order.
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
        """Return a selection unchanged, or one with a mapping as its `where`; None selects everybody.

        Raises:
            EvidenceError: the argument is neither.
        """
        return said if isinstance(said, Selection) else cls(where=mapping("where", said))


def mapping(name: str, said: Any) -> Mapping[str, Any]:
    """Check a mapping that selects people; None selects everybody.

    Raises:
        EvidenceError: it is not a mapping of attributes.
    """
    if said is None:
        return {}
    if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
        raise EvidenceError(f'{name}: give a mapping of attributes, such as {{"state": "NY"}}, not {said!r}')
    return said


def names_of(place: str, attributes: Any) -> tuple[str, ...]:
    """Return the named attributes, a single one or several, each once.

    Raises:
        EvidenceError: there is none, or one is not a text.
    """
    listed = isinstance(attributes, Iterable) and not isinstance(attributes, str)
    names = list(attributes) if listed else [attributes]
    if not names or not all(isinstance(name, str) for name in names):
        raise EvidenceError(
            f"{place}: no attribute is named; give some, such as 'sex' or ('sex', 'age'), not {attributes!r}"
        )
    return tuple(dict.fromkeys(str(name) for name in names))


def _unordered(wanted: object) -> object:
    """Return the values of a condition as texts, sorted and each once; a single value is a list of one."""
    if isinstance(wanted, Mapping):
        return dict(wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        return sorted({str(value) for value in wanted})
    return [str(wanted)]


def plain(value: object) -> object:
    """Return a value for JSON that is equal in every process: sets sorted, arrays and ranges in full."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet):
        return sorted(value, key=str)
    return list(value) if isinstance(value, Iterable) else str(value)


def with_digests(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return wanted marginals with digests of table files in place of their names."""
    return {
        name: hashlib.sha256(Path(value).read_bytes()).hexdigest()
        if isinstance(value, str) and value.endswith(TABLES) and Path(value).is_file()
        else value
        for name, value in wanted.items()
    }
