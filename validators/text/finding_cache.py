"""Finding cache: readings and findings of a person, kept while later texts are written."""

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
    """One person, whose facts stay as they are while texts are added or replaced."""

    __slots__ = ("_facts", "_found", "_known", "_last", "_recipe", "_roles")

    def __init__(
        self,
        record: Mapping[str, Any],
        roles: Mapping[str, str] = PUBLIC_ROLES,
        recipe: Sequence[str] = NAME_RECIPE,
    ) -> None:
        """Know the facts of a record, which of its columns play which roles, and which of them make a full name."""
        self._roles, self._recipe = roles, recipe
        self._known = {field: value for field, value in record.items() if field not in _NO_FACTS}
        self._last: RecordView | None = None
        self._facts: tuple[Finding, ...] | None = None
        self._found: dict[str, tuple[Any, tuple[Finding, ...]]] = {}

    def has(self, record: Mapping[str, Any]) -> bool:
        """Whether the facts of a record are this person's."""
        facts = len(record) - sum([field in record for field in _TEXTS])
        return facts == len(self._known) and self._known.items() <= record.items()

    def read(self, record: Mapping[str, Any]) -> RecordView:
        """A reading of the record, of which the texts that it has kept need not be read again."""
        self._last = RecordView.following(record, self._last, self._roles, self._recipe)
        return self._last

    def facts(self, reading: RecordView, judge: Judge) -> list[Finding]:
        """What `judge` finds in the facts, which is asked once."""
        if self._facts is None:
            self._facts = tuple(judge(reading))
        return list(self._facts)

    def texts(self, reading: RecordView, judge: Judge) -> list[Finding]:
        """What `judge` finds in the texts, each beside the facts; it is asked only about those that are new."""
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
        for field in new:  # what is said of a fact goes with the first text that led to it
            fields = {field} if field != new[0] else {field} | {f.field for f in judged} - set(new)
            self._found[field] = reading.given[field], tuple(f for f in judged if f.field in fields)
        return found + judged


class FindingCache:
    """The people who were judged last, each until all texts are there and right.

    A narrator checks a record after every answer; its facts, and most of its texts, are then the same as before.
    """

    def __init__(
        self, size: int, roles: Mapping[str, str] = PUBLIC_ROLES, recipe: Sequence[str] = NAME_RECIPE
    ) -> None:
        """Keep `size` people at most, whose columns play `roles` and whose names have the parts of `recipe`."""
        self._size = size
        self._roles, self._recipe = roles, recipe
        self._people: OrderedDict[tuple[str, str], Person] = OrderedDict()

    def person(self, record: Mapping[str, Any]) -> Person:
        """The person of a record: one met before only if all facts are the same."""
        key = _key(record)
        person = self._people.get(key)
        if person is None or not person.has(record):
            person = self._people[key] = Person(record, self._roles, self._recipe)
            if len(self._people) > self._size:
                self._people.popitem(last=False)
        return person

    def forget(self, record: Mapping[str, Any]) -> None:
        """Let go of a person of whom nothing is left to write."""
        if all(field in record for field in _TEXTS):
            self._people.pop(_key(record), None)


def _key(record: Mapping[str, Any]) -> tuple[str, str]:
    return str(record.get("uuid")), str(record.get("row"))
