"""Claims: what a text says that the person is or does, with tense and hedge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

Mood = Literal["present", "aim", "past", "negated", "other", "volunteer", "training"]
"""How a text presents a claim: as present fact, aim, past, denied, another person's, unpaid, or not yet reached
(titles only: aspiring, in training)."""

LEAD = 110  # characters of a clause before a position that are searched for hedges
LONGEST_TITLE = 90  # characters
LONGEST_SUBJECT = 200  # characters before a title that are searched for the start of its sentence
MOST_IN_NAME, MOST_BEFORE = 4, 6  # most spaces in a name, and in the words before "is a"
_BREAK = re.compile(
    r"[.;:!?] |, (?:while|whereas|but|although|though|and (?:he|she|they)|who)\b|\b(?:while|whereas|yet)\b"
)
# Where a title may begin: after a comma, at the start of a sentence, after the verb that gives the person a title.
_START = re.compile(
    r"(?:(?P<first>^|[.!?] )(?P<as>as )?|(?P<comma>, )|(?P<verb> (?:is|are|remains|works as|work as|serves as|serve as"
    r"|excels as|excel as|acts as|shines as|thrives as|working as|serving as)) )"
    r"(?:now |currently |still |already |also |today |both )*(?:an?|the) (?=[a-z0-9])"
)
_TITLE_END = re.compile(
    r"[,;:.(]| - | (?:who|whose|that|which|with|in|at|for|from|of|on|by|to|where|he|she|they|is|has|known|based|blends"
    r"|leverages|combines|channels|uses|applies|brings|skilled|living|specializing|leveraging|blending|combining|while|named)\b"
)
_RELATIVE = re.compile(r"\b(?:who|that|which) $")
_ASIDE = re.compile(r", (?:who|whose|which|where|once|formerly) [^,]*,")
_AND = re.compile(r",? and (?:an? )?|/|, (?:an? )?")
_AGENT = re.compile(
    r"(?:er|or|ist|ian|ant|ent|yst|eer|preneur|ive|ate|tect|man|woman|person|nurse|mechanic|chef|cook|clerk|aide|guard|coach"
    r"|smith|worker|professional|hand|lead|official|head|pro|guide|host|judge|scribe|pilot|veteran|expert|ace|buff"
    r"|attorney|barista|paralegal|paramedic|secretary|surgeon|waitress)s?$"
)
_NO_AGENT = frozenset(
    "former her other senior junior senior career center over under later ever never number master lifelong community"
    " art-driven creative competitive collaborative proactive innovative adaptive inventive meticulous passionate"
    " imaginative detail-driven intuitive assertive active sensitive dedicated seasoned considerate compassionate"
    " 19-year-old confident resilient independent competent consistent efficient diligent patient brilliant vibrant"
    " elegant reluctant extravagant exuberant clever sober tender eager proper popular".split()
)


HIRED = frozenset({"part-time", "freelance", "remote", "contract", "now", "current"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A title that a text gives the person.

    Attributes:
        field: field of the text.
        title: the title in lower case with its adjectives: "seasoned front-end developer".
        head: the noun for a person in it: "developer".
        mood: how the text presents it.
        quote: the passage, for findings.
        end: position after the title in the plain text of the field.
    """

    field: str
    title: str
    head: str
    mood: Mood
    quote: str
    end: int


def mood_at(text: str, at: int) -> Mood:
    """Return the mood of a claim at a position of lower-case text, by the nearest hedge before it in its clause."""
    return _nearest_hedge(clause_before(text, at))[0]


def _nearest_hedge(lead: str) -> tuple[Mood, int]:
    """Return the mood of the last hedge of a passage and where the hedge ends; "present" and 0 without one."""
    best: tuple[Mood, int] = ("present", 0)
    for mood, pattern in _hedges():
        for match in pattern.finditer(lead):
            best = max(best, (mood, match.end()), key=lambda pair: pair[1])
    return best


def statements(reading: RecordView, field: str, verbs: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield the passages in which the person is the subject of one of some verbs, in the present and without a hedge.

    The subject is the person's name or a pronoun of the third person in the same sentence, or "who" after a title that
    the text gives the person. A hedge of an earlier clause does not count: "after years at sea, she works at a mill".
    """
    text = reading.lowered.get(field, "")
    if reading.name is None:
        return
    subject = _subject(reading.name.first.lower(), reading.name.last.lower())
    for match in verbs.finditer(text):
        lead = text[_sentence_start(text, match.start()) : match.start()]
        if not subject.named.search(lead) or (_RELATIVE.search(lead) and not subject.titled.search(lead)):
            continue
        spoken = _ASIDE.sub(",", lead)
        clause = clause_before(spoken, len(spoken))
        clause = subject.named.sub("she", clause)  # Hope and Will are names, too
        mood, end = _nearest_hedge(clause)
        if mood == "present" or subject.anew.search(clause[end:]):
            yield match


class _Subject(NamedTuple):
    """Patterns of what precedes a verb: the person; the person in a new clause; the person, a title and "who"."""

    named: re.Pattern[str]
    anew: re.Pattern[str]
    titled: re.Pattern[str]


@cache
def _subject(first: str, last: str) -> _Subject:
    names = rf"(?:he|she|they|{re.escape(first)}|{re.escape(last)})"
    return _Subject(
        re.compile(rf"\b{names}\b"),
        re.compile(rf"(?:, |; |\band )(?:now |today )?{names}\b"),
        re.compile(rf"\b{names}(?:,| is| remains) (?:now |still )?an? [^,.;]{{2,70}} who $"),
    )


def _sentence_start(text: str, at: int) -> int:
    earliest = max(0, at - LONGEST_SUBJECT)
    return max(max(text.rfind(end, earliest, at) for end in (". ", "; ", "! ", "? ")) + 1, earliest)


def clause_before(text: str, at: int) -> str:
    """Return the part of the clause before a position of lower-case text."""
    start = max(0, at - LEAD)
    breaks = [match.end() for match in _BREAK.finditer(text, start, at)]
    return text[breaks[-1] if breaks else start : at]


def titles(reading: RecordView, field: str) -> tuple[Claim, ...]:
    """Return the titles that a text gives the person, with their moods; cached in the view."""
    known: dict[str, tuple[Claim, ...]] = reading.beside.setdefault(__name__, {})
    if field not in known:
        known[field] = tuple(_titles(reading, field)) if field in reading.prose else ()
    return known[field]


def _titles(reading: RecordView, field: str) -> Iterator[Claim]:
    text, name = reading.lowered[field], reading.name
    if name is None:
        return
    subjects = (name.first.lower(), name.last.lower())
    for match in _START.finditer(text):
        if _of_person(text, match, subjects):
            yield from _conjuncts(field, text, match, subjects)


def _of_person(text: str, match: re.Match[str], subjects: tuple[str, str]) -> bool:
    """Return whether a title is the person's: the words before it, or after an opening phrase, name the person."""
    first, last = subjects
    if match["first"] is not None:
        after = text.find(", ", match.end())
        called = text[match.end() : match.end() + LONGEST_TITLE].find(f" named {first} ")
        return called >= 0 or (after >= 0 and first in text[after : after + 70])
    earliest = max(0, match.start() - LONGEST_SUBJECT)
    start = max(text.rfind(". ", earliest, match.start()) + 1, earliest)
    before = text[start : match.start()].strip()
    if match["comma"] is not None:
        return before.startswith(first) and before.count(" ") <= MOST_IN_NAME
    named = before.startswith(first)
    if named and match["verb"].endswith(" as"):
        return True
    return before.endswith((first, last, "he", "she", "they")) or (named and before.count(" ") <= MOST_BEFORE)


def _conjuncts(field: str, text: str, match: re.Match[str], subjects: tuple[str, str]) -> Iterator[Claim]:
    """Yield the titles of a phrase: "a retired nurse turned aspiring writer and mentor" has three."""
    start = end = match.end()
    while True:
        stop = _TITLE_END.search(text, end, start + LONGEST_TITLE)
        end = stop.start() if stop else min(len(text), start + LONGEST_TITLE)
        phrase = text[start:end]
        if stop is None or stop.group() != "," or any(map(_is_agent, phrase.split())):
            break
        end = stop.end()
    after, quote = text[end : end + 60].lstrip(" ,"), text[match.start() : end].strip(" ,.")
    verb = _mood_of_verb(text, match, subjects) if match["verb"] else "present"
    hedged = False  # "aspiring" covers both titles of "an aspiring baker and caterer"
    over_all = False  # "retired" covers both titles of "a retired educator and community facilitator"
    for part in _AND.split(phrase):
        earlier, turned, later = part.replace("-turned-", " turned ").partition(" turned ")
        for title, over in ((earlier, bool(turned)), (later, False)):
            words = title.split()
            mood: Mood = "past" if over else _mood_of_title(words, after)
            hedged = hedged or mood == "training"
            over_all = (over_all or "retired" in words) and not over and not turned
            if mood == "present":
                mood = "training" if hedged else "past" if over_all and HIRED.isdisjoint(words) else mood
            head = next((word for word in reversed(words) if _is_agent(word)), "")
            if head:
                yield Claim(field, title.strip(" ,"), head, verb if mood == "present" else mood, quote, end)


def _mood_of_verb(text: str, match: re.Match[str], subjects: tuple[str, str]) -> Mood:
    """Return the mood of the verb before a title; a person's name such as Hope or Will is not read as a hedge."""
    lead = clause_before(text, match.start()).lstrip()
    return (
        "present" if lead in {subjects[0], subjects[1], " ".join(subjects)} else mood_at(text, match.start())
    )


def _mood_of_title(words: list[str], after: str) -> Mood:
    """Return the mood that the words of a title, and those after it, give it."""
    before, behind = _title_hedges()
    parts = {part for word in words for part in (word, *word.split("-"))}
    for mood, known in before.items():
        if not parts.isdisjoint(known):
            return mood
    title = " ".join(words)
    for mood, hedges in behind.items():
        if any(hedge.match(after) or hedge.search(title) for hedge in hedges):
            return mood
    return "present"


def _is_agent(word: str) -> bool:
    return _AGENT.search(word) is not None and word not in _NO_AGENT


@cache
def _hedges() -> tuple[tuple[Mood, re.Pattern[str]], ...]:
    content = lexicon("claims", ENGLISH)
    keys: tuple[tuple[Mood, str], ...] = (
        ("aim", "aim"),
        ("past", "past"),
        ("negated", "negation"),
        ("other", "others"),
        ("volunteer", "volunteer"),
    )
    return tuple((mood, re.compile(rf"\b(?:{'|'.join(content[key])})(?![\w-])")) for mood, key in keys)


@cache
def _title_hedges() -> tuple[Mapping[Mood, frozenset[str]], Mapping[Mood, tuple[re.Pattern[str], ...]]]:
    """Return mood -> words within a title, and mood -> patterns right after a title, that express the mood."""
    content = lexicon("claims", ENGLISH)
    before = {mood: frozenset(words) for mood, words in content["hedged_titles"].items()}
    behind = {
        mood: tuple(re.compile(rf"\b{hedge}") for hedge in hedges)
        for mood, hedges in content["hedged_after"].items()
    }
    return before, behind
