"""Memory: texts that were judged before, beside the same facts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from persona_engine.validators.finding import Finding
from persona_engine.validators.reading import LISTS, PROSE, Reading

_TEXTS = frozenset((*PROSE, *LISTS))
_ORDER = (*PROSE, *LISTS)
Judge = Callable[[Reading], list[Finding]]


class Memory:
    """Findings about facts, and of rules that judge each text for itself, kept for the last people.

    A narrator checks a record after every answer; its facts, and most of its texts, are then the same as before.
    """

    def __init__(self, size: int) -> None:
        """Keep the findings about `size` texts."""
        self._size = size
        self._kept = 0
        self._people: OrderedDict[Hashable, _Person] = OrderedDict()

    def facts(self, reading: Reading, judge: Judge) -> list[Finding]:
        """What `judge` finds in the facts, which is asked once."""
        person = self._person(reading)
        if person.facts is None:
            person.facts = tuple(judge(reading))
        return list(person.facts)

    def findings(self, reading: Reading, judge: Judge) -> list[Finding]:
        """What `judge` finds in the record, which is asked only about texts that are new."""
        texts = self._person(reading).texts
        values = {
            field: tuple(value) if isinstance(value, list) else value
            for field in _ORDER
            if (value := reading.record.get(field)) is not None
        }
        old = [field for field, value in values.items() if field in texts and value in texts[field]]
        new = [field for field in values if field not in old]
        found = [finding for field in old for finding in texts[field][values[field]]]
        judged = judge(reading.only(new)) if new or not values else []
        for field in new:  # what is said of a fact goes with the first text that led to it
            mine = {field} if field != new[0] else {field} | {f.field for f in judged} - set(new)
            texts.setdefault(field, {})[values[field]] = tuple(f for f in judged if f.field in mine)
        self._kept += len(new)
        while self._kept > self._size and len(self._people) > 1:
            _, forgotten = self._people.popitem(last=False)
            self._kept -= sum(map(len, forgotten.texts.values()))
        return found + judged

    def _person(self, reading: Reading) -> _Person:
        key = tuple(
            str(value) if isinstance(value, list) else value
            for field, value in reading.record.items()
            if field not in _TEXTS
        )
        person = self._people.get(key)
        if person is None:
            person = self._people[key] = _Person()
        return person


class _Person:
    """What was found about one person: in the facts, and in each value that a text has had."""

    __slots__ = ("facts", "texts")

    def __init__(self) -> None:
        self.facts: tuple[Finding, ...] | None = None
        self.texts: dict[str, dict[Any, tuple[Finding, ...]]] = {}
