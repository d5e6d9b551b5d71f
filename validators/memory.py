"""Memory: texts that were judged before, beside the same facts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from persona_engine.validators.finding import Finding
from persona_engine.validators.reading import LISTS, PROSE, Reading

_TEXTS = (*PROSE, *LISTS)


class Memory:
    """Findings of rules that judge each text for itself, kept for the last texts.

    A narrator checks a record after every answer; most of its texts are then the same as before.
    """

    def __init__(self, size: int) -> None:
        """Keep the findings about `size` texts."""
        self._size = size
        self._known: OrderedDict[Hashable, tuple[Finding, ...]] = OrderedDict()

    def findings(self, reading: Reading, judge: Callable[[Reading], list[Finding]]) -> list[Finding]:
        """What `judge` finds in the record, which is asked only about texts that are new."""
        facts = tuple(
            str(value) if isinstance(value, list) else value
            for field, value in reading.items()
            if field not in _TEXTS
        )
        keys: dict[str, Hashable] = {
            field: (field, tuple(value) if isinstance(value, list) else value, facts)
            for field in _TEXTS
            if (value := reading.record.get(field)) is not None
        }
        new = [field for field, key in keys.items() if key not in self._known]
        judged = judge(reading.only(new)) if new or not keys else []
        for field in new:  # what is said of a fact goes with the first text that led to it
            mine = {field} if field != new[0] else {field} | {f.field for f in judged} - set(new)
            self._known[keys[field]] = tuple(finding for finding in judged if finding.field in mine)
        found = [finding for field in keys if field not in new for finding in self._known[keys[field]]]
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return found + judged
