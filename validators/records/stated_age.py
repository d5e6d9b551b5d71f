"""An age that the text states is the person's age, and a decade or generation that it states fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from persona_engine.validators.finding import Finding, Policy, Rule, Severity
from persona_engine.validators.reading import Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "repair"

RULE = Rule.of(__name__)
TOLERANCE = 1  # years: a birthday may lie between the facts and the text
NEAR = 45  # letters before a statement in which it is told whose age it is
LATIN_SLACK = 3  # years by which "octogenarian" and the like are used loosely
_TENS = {
    name: 10 * (i + 1)
    for i, name in enumerate(
        "teens twenties thirties forties fifties sixties seventies eighties nineties".split()
    )
}
_UNITS = {name: i + 1 for i, name in enumerate("one two three four five six seven eight nine".split())}
_TWO_DIGITS = re.compile(r"\d\d")
_TEN = {name.removesuffix("ies") + "y": value for name, value in _TENS.items() if name != "teens"}
_WORD_AGE = rf"(?P<ten>{'|'.join(_TEN)})(?:[- ](?P<unit>{'|'.join(_UNITS)}))?"
_YEARS_OLD = re.compile(
    rf"(?:\b(?P<number>\d{{1,3}})|\b{_WORD_AGE})[- ]years?[- ](?:old|young)\b(?:[- ](?P<after>\w+))?",
    re.IGNORECASE,
)
_AT = re.compile(
    r"(?:^|[.;,] )(?:(?:[Ee]ven|[Nn]ow|[Cc]urrently|[Ss]till|[Bb]ut) )?(?:[Aa]t|[Aa]ged) (?:age )?(?P<number>\d{2,3}),"
    r"(?! he had| she had)"
)
_DECADE = re.compile(
    rf"\b(?P<lead>\w+,? )in (?:his|her|their) (?P<part>early|mid|late)?[- ]?(?P<decade>{'|'.join(_TENS)}|\d0'?s)\b",
    re.IGNORECASE,
)
_SOMETHING = re.compile(rf"\b(?P<ten>{'|'.join(_TEN)}|\d0)[- ]something\b", re.IGNORECASE)
_LATIN = re.compile(
    r"\b(?P<stem>quinqua|sexa|septua|octo|nona)genarian\b|\b(?P<hundred>centenarian)\b", re.IGNORECASE
)
_STEMS = {"quinqua": 50, "sexa": 60, "septua": 70, "octo": 80, "nona": 90}
_OTHERS = re.compile(
    r"\b(?:his|her|their|'s|with an?|two|three|mentor\w*|teach\w*|coach\w*|of an?|to an?|for an?) (?:\w+ )?$"
)
_THINGS = frozenset(
    "daughter son child children kid kids niece nephew grandson granddaughter house home farmhouse farm barn tradition"
    " recipe oak tree dog cat car truck company building church family business tower bridge cabin boat guitar piano"
    " sourdough starter journal plan horizon apprentice apprentices student students".split()
)
_PRESENT = re.compile(
    r"\b(?:now|currently|woman|man|person|professional|\w+er|\w+or|\w+ist|\w+ian|still),? $", re.IGNORECASE
)
_HINTS = frozenset({"year", "years", "at", "aged", "in", "something"}) | frozenset(
    f"{stem}genarian" for stem in _STEMS
)


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Compare every statement of an age about the person with the age in the facts."""
    reading = Reading.of(record)
    age = reading.age
    if reading.words.isdisjoint(_HINTS):
        return
    lead = f"{reading.name.full}, a" if reading.name else "\0"
    stated = [
        (field, low, high, quote)
        for field, text in reading.prose.items()
        for low, high, quote in _statements(text, lead)
    ]
    if age is None:
        if stated:
            yield RULE.not_judged("age", "the text states an age, the facts none", stated[0][3])
        return
    for field, low, high, quote in stated:
        if not low - TOLERANCE <= age <= high + TOLERANCE:
            yield RULE.error(field, f"the person is {age} years old; say so or leave the age out", quote)


def _statements(text: str, lead: str) -> Iterator[tuple[int, int, str]]:
    """Lowest and highest age that a statement allows, and its words; after `lead` it speaks of the person."""
    if "-old" in text or " old" in text or "young" in text:
        yield from _years_old(text, lead)
    if _TWO_DIGITS.search(text):
        for match in _AT.finditer(text):
            value = int(match["number"])
            yield value, value, match.group().strip(" .,;")
    if "in his " in text or "in her " in text or "in their " in text or "something" in text:
        yield from _decades(text)
    if "enarian" in text:
        for match in _LATIN.finditer(text):
            if not _OTHERS.search(text[max(0, match.start() - NEAR) : match.start()]):
                low = 100 if match["hundred"] else _STEMS[match["stem"].lower()]
                yield low - LATIN_SLACK, low + 9 + LATIN_SLACK, match.group()


def _years_old(text: str, lead: str) -> Iterator[tuple[int, int, str]]:
    for match in _YEARS_OLD.finditer(text):
        before = text[max(0, match.start() - NEAR) : match.start()]
        other = (match["after"] or "").lower() in _THINGS or _OTHERS.search(before)
        value = _number(match)
        _, led, between = before.rpartition(lead)
        if value >= _ADULTHOOD and (not other or (led and "," not in between)):
            yield value, value, match.group()


def _decades(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _DECADE.finditer(text):
        if _PRESENT.search(match["lead"]):
            low = _TENS.get(match["decade"].lower()) or int(match["decade"][:2])
            yield *_part(low, (match["part"] or "").lower()), match.group()
    for match in _SOMETHING.finditer(text):
        low = _TEN.get(match["ten"].lower()) or int(match["ten"])
        yield low, low + 9, match.group()


_ADULTHOOD = 16


def _number(match: re.Match[str]) -> int:
    if match["number"]:
        return int(match["number"])
    return _TEN[match["ten"].lower()] + _UNITS.get((match["unit"] or "").lower(), 0)


def _part(low: int, part: str) -> tuple[int, int]:
    """Ages of the early (0-4), middle (3-7) or late (5-9) years of a decade; teens are 13 to 19."""
    start, end = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}.get(part, (0, 9))
    return low + start, low + end


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"age": 42, "persona": "Ana Wu, a 42\u2011year\u2011old baker, feeds her 9-year-old sourdough starter."},
    {"age": 42, "persona": "In her thirties she moved west; Ana Wu, a baker in her early forties, stayed."},
    {"age": 85, "persona": "Ana Wu, an octogenarian, teaches her 19-year-old grandson."},
    {"age": 61, "career_goals_and_ambitions": "Even at 61, Ana hopes to learn the cello before turning 70."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"age": 42, "persona": "Ana Wu, a 72\u2011year\u2011old baker, rises early."},
    {"age": 42, "persona": "Ana Wu, a twenty-six-year-old baker, rises early."},
    {"age": 42, "persona": "Ana Wu, a baker in her late sixties, rises early."},
    {"age": 42, "persona": "Ana Wu is a spirited septuagenarian."},
    {"age": 42, "career_goals_and_ambitions": "At 73, Ana hopes to learn the cello."},
)
