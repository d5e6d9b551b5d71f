"""What one text tells as done is not an aim in another: who leads a workshop does not hope to launch it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
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
_NO_TITLE = frozenset({"a", "an", "the", "role", "position"})
TITLE = 2  # words of a title that is wanted; one word is a trade
_ENDINGS = ("ing", "ies", "es", "s", "al")
_PHRASE_END = re.compile(r"[,.;:()]| - ")
_OBJECT = re.compile(r"[a-z'&-]+")


_Verbs = Mapping[str, tuple[str, ...]]  # first word -> verbs that begin with it, each with the space after it


class _Words(NamedTuple):
    """The lexicon, compiled."""

    done: _Verbs
    aims: _Verbs
    shaping: frozenset[str]
    titles: _Verbs
    ventures: frozenset[str]
    generic: frozenset[str]
    more: frozenset[str]
    ends: frozenset[str]
    below: frozenset[str]


@cache
def _words() -> _Words:
    content = lexicon("plan_or_done", ENGLISH)

    return _Words(
        done=_by_first_word(content["done"]),
        aims=_by_first_word(content["beginning"] + content["shaping"]),
        shaping=frozenset(content["shaping"]),
        titles=_by_first_word(content["titles"]),
        ventures=frozenset(map(_stem, content["ventures"])),
        generic=frozenset(map(_stem, content["generic"])),
        more=frozenset(content["more"]),
        ends=frozenset(content["ends"]),
        below=frozenset(content["below"]),
    )


def _by_first_word(verbs: list[str]) -> _Verbs:
    found: dict[str, list[str]] = {}
    for verb in verbs:
        found.setdefault(verb.replace("-", " ").split()[0], []).append(f"{verb} ")
    return {first: tuple(both) for first, both in found.items()}


class _Thing(NamedTuple):
    """What a verb leads to: its kinds, what it is about, the passage that says so, and where the verb stands."""

    kinds: frozenset[str]
    topics: frozenset[str]
    verb: str
    quote: str
    start: int
    end: int


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare what the goals want to begin with what the other texts say is there, by kind and topic."""
    reading = reference.read(record)
    goals = reading.lowered.get(GOALS)
    if goals is None:
        return
    aims = list(_things(goals, reading.vocabulary[GOALS], _words().aims, more=True))
    for field in DOING if aims else ():
        text = reading.lowered.get(field, "")
        for done in _things(text, reading.vocabulary.get(field, frozenset()), _words().done):
            alike = (aim for aim in aims if _same(aim, done))  # moods take longest to read, and come last
            aim = next((aim for aim in alike if mood_at(goals, aim.end) == "aim"), None)
            if aim is not None and mood_at(text, done.start) == "present":
                yield RULE.error(
                    GOALS, f"the text aims at what {field} tells as done", f"{aim.quote} | {done.quote}"
                )
                return
    yield from _title(reading, goals)


def _verbs_of(text: str, known: AbstractSet[str], verbs: _Verbs) -> list[tuple[int, int]]:
    """Where verbs stand in a text of known words, in order; of two that overlap the first, then the longer."""
    found = []
    for first in verbs.keys() & known:
        for verb in verbs[first]:
            at = text.find(verb)
            while at >= 0:
                if not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
                    found.append((at, -len(verb)))
                at = text.find(verb, at + 1)
    kept, end = [], 0
    for at, less in sorted(found):
        if at >= end:
            end = at - less
            kept.append((at, end))
    return kept


def _things(text: str, known: AbstractSet[str], verbs: _Verbs, *, more: bool = False) -> Iterator[_Thing]:
    """The things that a verb leads to; without those that are to be `more` than what is there, if asked."""
    lexis = _words()
    for start, end in _verbs_of(text, known, verbs):
        said = _object(text, end)
        parts = [part for word in said for part in word.split("-")]
        if more and not lexis.more.isdisjoint(parts):
            continue
        stems = {_stem(part) for part in parts if len(part) >= SHORTEST}
        topics = frozenset(stems - lexis.ventures - lexis.generic)
        if topics:
            kinds, verb = frozenset(stems & lexis.ventures), text[start:end]
            yield _Thing(kinds, topics, verb.strip(), f"{verb}{' '.join(said)}", start, end)


def _object(text: str, at: int) -> list[str]:
    """The words of a phrase, up to a comma or what ends it."""
    passage, ends = _PHRASE_END.split(text[at : at + REACH], maxsplit=1)[0], _words().ends
    found: list[str] = []
    for word in _OBJECT.findall(passage)[:WORDS]:
        if word in ends:
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
    for start, end in _verbs_of(goals, reading.vocabulary[GOALS], lexis.titles):
        wanted = [word for word in _object(goals, end) if word not in _NO_TITLE]
        if len(wanted) < TITLE:
            continue
        for claim in (claim for field in OCCUPATION for claim in titles(reading, field)):
            own = claim.title.split()
            if (
                claim.mood == "present"
                and wanted[-1] == claim.head
                and frozenset(wanted) <= frozenset(own)
                and lexis.below.isdisjoint(own)
            ):
                quote = f"{goals[start:end]}{' '.join(wanted)} | {claim.quote}"
                yield RULE.error(GOALS, f"the text aims at a title that {claim.field} gives already", quote)
                return


@cache
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
