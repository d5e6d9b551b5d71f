"""FindingCache: keeps views and findings of a person while the person's texts are being written."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from census_personas.census_priors.roles import NAME_RECIPE
from census_personas.foundation.schema import LISTS, PROSE
from census_personas.validators.finding import Finding
from census_personas.validators.text.person_name import PUBLIC_ROLES
from census_personas.validators.text.record_view import RecordView

_TEXTS = (*PROSE, *LISTS)
_NO_FACTS = frozenset(_TEXTS)
Judge = Callable[[RecordView], list[Finding]]


class Person:
    """One person, whose facts do not change while texts are added or replaced."""

    __slots__ = ("_facts", "_found", "_known", "_last", "_recipe", "_roles")

    def __init__(
        self,
        record: Mapping[str, Any],
        roles: Mapping[str, str] = PUBLIC_ROLES,
        recipe: Sequence[str] = NAME_RECIPE,
    ) -> None:
        """Take the facts of a record, the columns of roles, and the roles that make a full name."""
        self._roles, self._recipe = roles, recipe
        self._known = {field: value for field, value in record.items() if field not in _NO_FACTS}
        self._last: RecordView | None = None
        self._facts: tuple[Finding, ...] | None = None
        self._found: dict[str, tuple[Any, tuple[Finding, ...]]] = {}

    def has(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record has exactly this person's facts."""
        facts = len(record) - sum([field in record for field in _TEXTS])
        return facts == len(self._known) and self._known.items() <= record.items()

    def read(self, record: Mapping[str, Any]) -> RecordView:
        """Return a view of the record that reuses what the last one knows of unchanged texts."""
        self._last = RecordView.following(record, self._last, self._roles, self._recipe)
        return self._last

    def facts(self, reading: RecordView, judge: Judge) -> list[Finding]:
        """Return the findings about the facts; `judge` is called once and its result kept."""
        if self._facts is None:
            self._facts = tuple(judge(reading))
        return list(self._facts)

    def texts(self, reading: RecordView, judge: Judge) -> list[Finding]:
        """Return the findings about the texts; `judge` is called for new or changed texts only."""
        found: list[Finding] = []
        new = []
        for field, value in reading.given.items():
            text, mine = self._found.get(field, (None, ()))
            if text == value:
                found += mine
            else:
                new.append(field)
        whole = len(new) == len(reading.given)
        judged = judge(reading if whole else reading.only(new)) if new or whole else []
        for field in new:  # findings about a fact are kept with the first new text
            fields = {field} if field != new[0] else {field} | {f.field for f in judged} - set(new)
            self._found[field] = reading.given[field], tuple(f for f in judged if f.field in fields)
        return found + judged


class FindingCache:
    """The people who were checked last, each until all texts exist and are free of errors.

    A narrator checks a record after every answer; its facts and most of its texts are then unchanged.
    """

    def __init__(
        self, size: int, roles: Mapping[str, str] = PUBLIC_ROLES, recipe: Sequence[str] = NAME_RECIPE
    ) -> None:
        """Keep at most `size` people; `roles` maps roles to columns, `recipe` lists the roles of a full name."""
        self._size = size
        self._roles, self._recipe = roles, recipe
        self._people: OrderedDict[tuple[str, str], Person] = OrderedDict()

    def person(self, record: Mapping[str, Any]) -> Person:
        """Return the person of a record: the cached one if all facts are the same, else a new one."""
        key = _key(record)
        person = self._people.get(key)
        if person is None or not person.has(record):
            person = self._people[key] = Person(record, self._roles, self._recipe)
            if len(self._people) > self._size:
                self._people.popitem(last=False)
        return person

    def forget(self, record: Mapping[str, Any]) -> None:
        """Drop the person of a record that has all its texts."""
        if all(field in record for field in _TEXTS):
            self._people.pop(_key(record), None)


def _key(record: Mapping[str, Any]) -> tuple[str, str]:
    return str(record.get("uuid")), str(record.get("row"))
