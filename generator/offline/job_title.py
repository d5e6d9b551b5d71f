"""Job title: one title for a person whose census occupation joins several."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# Endings of nouns for members of an occupation ("plumber", "technician"); other words are parts of compounds.
_AGENT = re.compile(
    r"(?:er|or|ist|yst|ian|(?:ist|end|ult|unt|rv)ant|agent|man|nurse|clerk|guard|aide|maid|chef|cook|judge|coach|mason"
    r"|smith|mechanic|pilot|captain|officer|secretary|representative|detective|athlete|umpire|host|guide|orderly"
    r"|paralegal)$"
)
_NO_AGENT = re.compile(
    r"(?:computer|conveyor|motor|elevator|counter|water|boiler|tower|paper|power|leather|rubber|cement|center|\blayer"
    r"|master|door|floor|teller|hoist|drier)$"
)
# The noun that a last part shares with those before it: "construction or extraction supervisor", "metal or plastic
# forming machine operator".
_SHARED = re.compile(
    r"\b(?:\w+ing (?:and \w+ )?machine|machine(?= (?:servicer|operator|setter))|machine(?:ry| tool)"
    r"|systems|drilling|equipment(?= (?:operator|installer))"
    r"|bus|camera|desk|school|sales|social|health services|engineering|electronics(?= repairer)|laboratory|research"
    r"|system(?= operator)|service(?= (?:manager|assistant|specialist|technician))|support|science)? ?\S+$"
)
_KNOWN = 4096  # results kept
_ENGLISH = "en"


class Titles:
    """Finds the title for one person in an occupation's title, which in English may join several."""

    def __init__(
        self, language: str, commoner: Mapping[str, str], by_sex: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Take the language, the titles whose later part is more common, and the titles that depend on the sex.

        In languages other than English a title is used unchanged.
        """
        self._language, self._commoner, self._by_sex = language, commoner, by_sex
        self.of = lru_cache(_KNOWN)(self._of)

    def _of(self, title: str, sex: str) -> str:
        mine = self._by_sex.get(sex, {})
        if self._language != _ENGLISH:
            return mine.get(title, title)
        parts = [part for part in re.split(r", | or ", title) if part]
        if len(parts) == 1 or " of " in parts[0]:
            return parts[0]
        if title in self._commoner:
            return self._commoner[title]
        named = next((part for part in parts if _is_agent(part)), None)
        if named is None:
            # "automotive body or related repairer"
            last = parts[-1]
            return f"{parts[0]} {last.removeprefix('related ')}" if last.startswith("related ") else title
        if named != parts[0]:
            return _completed(parts[0], named)
        return mine.get(named, named)


def _is_agent(part: str) -> bool:
    return (
        _AGENT.search(part) is not None and _NO_AGENT.search(part) is None and not part.startswith("related ")
    )


def _completed(first: str, named: str) -> str:
    """Return the first part of a title with its shared noun: "construction", "extraction supervisor"."""
    found = _SHARED.search(named)
    shared = found[0].strip() if found else named
    while " " in shared and (shared.split(" ")[0] in first.split(" ") or _is_verb(first, shared)):
        shared = shared.partition(" ")[2]
    return f"{first} {shared}"


def _is_verb(first: str, shared: str) -> bool:
    """Return whether both parts name an activity: "packaging" and "filling machine operator"."""
    return first.endswith("ing") and shared.split(" ", maxsplit=1)[0].endswith("ing")
