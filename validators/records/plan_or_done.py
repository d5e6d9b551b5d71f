"""What one text tells as done is not an aim in another: who leads a workshop does not hope to launch it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import mood_at, titles
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)

RULE = Rule.of(__name__)
GOALS = "career_goals_and_ambitions"
DOING = (
    "professional_persona", "persona", "arts_persona", "culinary_persona", "sports_persona", "cultural_background",
)  # fmt: skip
OCCUPATION = ("professional_persona", "persona")  # texts that give the person a title
REACH = 80  # letters after a verb in which its object stands
WORDS = 9  # words of an object
SHORTEST = 3  # letters of a word that says what a thing is
STEM = 4  # letters that are left of a word without its ending
TOPICS = 3  # words that two things have in common, unless both are of one kind
SHAPED = 2  # such words where the aim is to create or develop what there may be some of already
TITLE = 2  # words of a title that is wanted; one word is a trade
_ENDINGS = ("ing", "ies", "es", "s", "al")
_OBJECT = re.compile(r"[a-z'&-]+")


class _Words(NamedTuple):
    """The lexicon, compiled."""

    done: re.Pattern[str]
    aims: re.Pattern[str]
    shaping: frozenset[str]
    titles: re.Pattern[str]
    ventures: frozenset[str]
    generic: frozenset[str]
    more: frozenset[str]
    ends: frozenset[str]
    below: frozenset[str]


@cache
def _words() -> _Words:
    content = lexicon("plan_or_done", ENGLISH)

    def verbs(names: list[str]) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(sorted(names, key=len, reverse=True))}) ")

    return _Words(
        done=verbs(content["done"]),
        aims=verbs(content["beginning"] + content["shaping"]),
        shaping=frozenset(content["shaping"]),
        titles=verbs(content["titles"]),
        ventures=frozenset(map(_stem, content["ventures"])),
        generic=frozenset(map(_stem, content["generic"])),
        more=frozenset(content["more"]),
        ends=frozenset(content["ends"]),
        below=frozenset(content["below"]),
    )


class _Thing(NamedTuple):
    """What a verb leads to: its kinds, what it is about, and the passage that says so."""

    kinds: frozenset[str]
    topics: frozenset[str]
    verb: str
    quote: str


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare what the goals want to begin with what the other texts say is there, by kind and topic."""
    reading = reference.read(record)
    goals = reading.lowered.get(GOALS)
    if goals is None:
        return
    aims = [thing for thing in _things(goals, _words().aims, "aim") if thing.topics]
    for field in DOING if aims else ():
        for done in _things(reading.lowered.get(field, ""), _words().done, "present"):
            aim = next((aim for aim in aims if _same(aim, done)), None)
            if aim is not None:
                yield RULE.error(
                    GOALS, f"the text aims at what {field} tells as done", f"{aim.quote} | {done.quote}"
                )
                return
    yield from _title(reading, goals)


def _things(text: str, verbs: re.Pattern[str], mood: str) -> Iterator[_Thing]:
    """The things that a verb leads to, where the text holds it so."""
    lexis = _words()
    for match in verbs.finditer(text):
        said = _object(text, match.end())
        parts = [part for word in said for part in word.split("-")]
        if mood == "aim" and not lexis.more.isdisjoint(parts):
            continue
        stems = {_stem(part) for part in parts if len(part) >= SHORTEST}
        thing = _Thing(
            frozenset(stems & lexis.ventures),
            frozenset(stems - lexis.ventures - lexis.generic),
            match.group().strip(),
            f"{match.group()}{' '.join(said)}",
        )
        if thing.topics and mood_at(text, match.end() if mood == "aim" else match.start()) == mood:
            yield thing


def _object(text: str, at: int) -> list[str]:
    """The words of a phrase, up to a comma or what ends it."""
    passage = re.split(r"[,.;:()]| - ", text[at : at + REACH], maxsplit=1)[0]
    found: list[str] = []
    for word in _OBJECT.findall(passage)[:WORDS]:
        if word in _words().ends:
            break
        found.append(word)
    return found


def _same(aim: _Thing, done: _Thing) -> bool:
    topics, kinds = aim.topics & done.topics, aim.kinds & done.kinds
    if aim.verb in _words().shaping:
        return bool(kinds) and len(topics) >= SHAPED
    return bool(topics) and (bool(kinds) or len(topics) >= TOPICS)


def _title(reading: RecordView, goals: str) -> Iterator[Finding]:
    """A title that the person wants to have, and has."""
    lexis = _words()
    held = [claim for field in OCCUPATION for claim in titles(reading, field) if claim.mood == "present"]
    for match in lexis.titles.finditer(goals) if held else ():
        wanted = [
            word for word in _object(goals, match.end()) if word not in {"a", "an", "the", "role", "position"}
        ]
        for claim in held:
            own = claim.title.split()
            if (
                len(wanted) >= TITLE
                and wanted[-1] == claim.head
                and frozenset(wanted) <= frozenset(own)
                and lexis.below.isdisjoint(own)
            ):
                quote = f"{match.group()}{' '.join(wanted)} | {claim.quote}"
                yield RULE.error(GOALS, f"the text aims at a title that {claim.field} gives already", quote)
                return


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= STEM:
            return word[: -len(ending)]
    return word


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "professional_persona": "Ana Wu leads pottery workshops.",
        "career_goals_and_ambitions": "Ana hopes to launch a second pottery workshop, and to open a bakery.",
    },
    {
        "persona": "Ana Wu hopes to lead a knitting circle.",
        "career_goals_and_ambitions": "Ana plans to launch a knitting circle.",
    },
    {
        "professional_persona": "Ana Wu, a junior facilities supervisor, checks boilers.",
        "career_goals_and_ambitions": "Ana aims to become a facilities supervisor.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "professional_persona": "Ana Wu leads weekly pottery workshops at the library.",
        "career_goals_and_ambitions": "Ana hopes to launch a series of pottery workshops for children.",
    },
    {
        "persona": "Ana Wu runs a handyman service.",
        "career_goals_and_ambitions": "She dreams of opening a small handyman service.",
    },
    {
        "first_name": "Ana",
        "last_name": "Wu",
        "professional_persona": "Ana Wu is a senior title examiner who forgets no lien.",
        "career_goals_and_ambitions": "Ana aims to become a senior title examiner.",
    },
)
