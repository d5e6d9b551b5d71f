"""Titles: what one person is called by whose census occupation joins several."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from census_personas.census_priors.occupations import WITHOUT_WORK

# Nouns for the members of an occupation end so ("plumber", "technician"); other words are halves of compounds.
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
_BY_SEX = {"waiter": "waitress", "restaurant host": "restaurant hostess", "actor": "actor"}
# Titles of which another part is the commoner trade, or whose first part is no modifier.
_COMMONER = {
    "architectural or engineering manager": "engineering manager",
    "child, family or school social worker": "family social worker",
    "commercial or industrial designer": "industrial designer",
    "control or valve installer or repairer": "valve installer",
    "educational instruction or library worker": "library worker",
    "educational, guidance or career counselor or advisor": "guidance counselor",
    "medical or health services manager": "health services manager",
    "model, demonstrator or product promoter": "product demonstrator",
    "occupational health or safety specialist or technician": "safety specialist",
    "plant or system operator": "plant operator",
    "welding, soldering or brazing worker": "welder",
    "word processor or typist": "typist",
}


def occupation_words(facts: Mapping[str, Any], sex: str) -> str:
    """Return the occupation as one person would be called by it ("construction or extraction supervisor": the first).

    Empty for people without one.
    """
    occupation = str(facts.get("occupation") or "")
    if not occupation or occupation in WITHOUT_WORK:
        return ""
    return _one_title(str(facts.get("occupation_title") or occupation.replace("_", " ")), sex)


@lru_cache(maxsize=4096)
def _one_title(title: str, sex: str) -> str:
    parts = [part for part in re.split(r", | or ", title) if part]
    if len(parts) == 1 or " of " in parts[0]:
        return parts[0]
    if title in _COMMONER:
        return _COMMONER[title]
    named = next((part for part in parts if _is_agent(part)), None)
    if named is None:
        # "automotive body or related repairer"
        last = parts[-1]
        return f"{parts[0]} {last.removeprefix('related ')}" if last.startswith("related ") else title
    if named != parts[0]:
        return _completed(parts[0], named)
    return _BY_SEX.get(named, named) if sex == "female" else named


def _is_agent(part: str) -> bool:
    return (
        _AGENT.search(part) is not None and _NO_AGENT.search(part) is None and not part.startswith("related ")
    )


def _completed(first: str, named: str) -> str:
    """Return the first part of a title with the noun that it shares: "construction" of "extraction supervisor"."""
    found = _SHARED.search(named)
    shared = found[0].strip() if found else named
    while " " in shared and (shared.split(" ")[0] in first.split(" ") or _is_verb(first, shared)):
        shared = shared.partition(" ")[2]
    return f"{first} {shared}"


def _is_verb(first: str, shared: str) -> bool:
    """Whether both say what is done: "packaging" and "filling machine operator"."""
    return first.endswith("ing") and shared.split(" ", maxsplit=1)[0].endswith("ing")
