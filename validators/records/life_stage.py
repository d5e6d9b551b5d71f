"""Stages of life that the text tells of (retired, grandchildren, decades of work, childhood years) fit the age."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH
from census_personas.validators.text.number_words import ONE_TO_TEN, TENS
from census_personas.validators.text.record_view import RecordView
from census_personas.validators.text.stages import Stage, stages, weak_stages

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
WARNINGS: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("age",)

RULE = Rule.of(__name__)
CLEAR = 8  # years outside the range from which one stage alone is an error
FIRST_HABIT = 4  # age from which anything else is counted that people do for years
FIRST_WORK = 14  # age from which experience is counted
GROWN_UP = 18
OLDEST = 201  # every stage has ended
YEAR = 2025  # of records that state no birth year
YEAR_SLACK = 3
_TEN = 10
_MOST = 50  # years of experience that texts write as a word
_NUMBERS = ONE_TO_TEN | {"twelve": 12, "fifteen": 15}
_NUMBERS |= {name: number for name, number in TENS.items() if number <= _MOST}
# All on lower-case text. An experience, and before it its length: a pattern that begins with a word is found fast.
_EXPERIENCE = re.compile(
    r"(?P<unit>decades?|years?)(?:'|[- ]long)? (?:of|in|as|on|spent|behind|career|working|teaching|managing|serving"
    r"|steering|leading|running|overseeing|supervising|keeping|driving|caring|guiding)\b"
    r"(?! (?:marriage|family|history|tradition|her|his|their|age))"
)
_NUMBERS |= {
    f"{ten}-{one}": tens + ones
    for ten, tens in TENS.items()
    for one, ones in ONE_TO_TEN.items()
    if tens <= _MOST and ones < _TEN
}
_COUNT = re.compile(
    rf"\b(?P<count>\d{{1,2}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\+?(?:[- ]plus)?[- ]$"
)
_LASTING = re.compile(
    rf"\b(?:he|she|they|(?:(?<=^)|(?<=\. ))[\w.-]+(?: [\w.-]+)?) (?:has|have)"
    rf" (?:been \w+ing|\w+ed|run|taught|driven|kept|sung|led)\b[^.,;]{{0,40}} for (?:over |more than |nearly |almost )?"
    rf"(?P<count>\d\d|{'|'.join(_NUMBERS)}) (?P<unit>years|decades)\b"
)
_UNITS = frozenset({"year", "years", "decade", "decades"})
LONGEST_COUNT = 18  # letters of "forty-seven-plus "
_CHILDHOOD = re.compile(
    r"\b(?:grew up|growing up|raised|upbringing|childhood|born|coming of age|came of age)\b(?P<between>[^.;]{0,90}?)"
    r"\b(?:(?P<part>early|mid|late)[- ])?(?P<decade>19\d0|20[01]0)s(?:(?:,? and|-| to)(?: the)?"
    r"(?: early| late)? (?:19|20)?"
    r"(?P<last>\d0)s)?",
)
_YEAR = re.compile(r"[0-9]{4}")
_ELSE = re.compile(
    r"\b(?:parents|mother|father|family|ancestors|grandparents|settled|immigra\w*|emigra\w*"
    r"|migrat\w*|moved|music|echo\w*|\w*legacy|arriv\w*)\b|\bwho\b"
)
_ELDERS = re.compile(r"\b(?:parents?|mother|father|grand\w+)(?: both)?(?: who)? $")
LEAD = 30  # letters before a childhood in which it is told whose it is
_BORN = re.compile(
    r"\bborn (?:and raised )?(?:on \w+ \d+, )?(?:in [\w ,]{0,40}?)?(?:in )?(?P<year>19[0-9]\d|200\d)\b(?!s)"
)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare the stages told with the age; one far outside, or two outside, is an error."""
    reading = reference.read(record)
    age = reading.age
    if age is None or not reading.prose:
        return
    missed: dict[str, tuple[int, str, str]] = {}
    for field in _likely(reading, age):
        for gap, what, quote in reading.once(_missed, field):
            if gap > missed.get(what, (0, "", ""))[0]:
                missed[what] = (gap, field, quote)
    if not missed:
        return
    weak = weak_stages()
    together = len(missed) > 1 and not weak.issuperset(missed)
    for what, (gap, field, quote) in missed.items():
        make = RULE.error if together or (gap >= CLEAR and what not in weak) else RULE.warning
        yield make(field, f"{what} does not fit a person of {age}", quote)


def _likely(reading: RecordView, age: int) -> list[str]:
    """The texts that have a word, or a number, by which a stage is told."""
    words = reading.words & _outside(age).telling
    years = any(run[:2] in {"19", "20"} for run in reading.numbers)
    if not words and not years:
        return []
    return [
        field
        for field, known in reading.vocabulary.items()
        if not words.isdisjoint(known)
        or (years and ("19" in reading.prose[field] or "20" in reading.prose[field]))
    ]


class _Outside(NamedTuple):
    """The stages that people of an age are not in, all their words, and the words by which anything is told."""

    stages: tuple[Stage, ...]
    words: frozenset[str]
    telling: frozenset[str]


def _outside(age: int) -> _Outside:
    return _outside_of(min(max(age, -1), OLDEST))


@cache
def _outside_of(age: int) -> _Outside:
    found = tuple(stage for stage in stages() if not stage.low <= age <= stage.high)
    words = frozenset[str]().union(*(stage.words for stage in found))
    return _Outside(found, words, words | _UNITS)


def _missed(reading: RecordView, field: str) -> list[tuple[int, str, str]]:
    """For each stage that a text tells of and the age is not in: years between them, what, and the words."""
    age = reading.age or 0
    told = _told(reading.lowered[field], reading.vocabulary[field], age, reading.fact("birth_year"))
    return [(gap, what, quote) for low, high, what, quote in told if (gap := max(low - age, age - high)) > 0]


def _told(
    text: str, known: frozenset[str], age: int, born: str | None
) -> Iterator[tuple[int, int, str, str]]:
    """Lowest age, highest age, what, and the words, for each stage told that may miss the age."""
    outside = _outside(age)
    for stage in outside.stages if not outside.words.isdisjoint(known) else ():
        if not stage.words.isdisjoint(known):
            for quote in stage.told(text):
                yield stage.low, stage.high, stage.what, quote
    for match in _experiences(text) if not known.isdisjoint(_UNITS) else ():
        before = _COUNT.search(text, max(0, match.start() - LONGEST_COUNT), match.start())
        if before:
            count = int(before["count"]) if before["count"].isdigit() else _NUMBERS[before["count"]]
            years = count * 10 - 2 if match["unit"].startswith("decade") else count
            yield FIRST_WORK + years, 200, "experience", text[before.start() : match.end()]
    for match in _LASTING.finditer(text) if not known.isdisjoint(_UNITS) else ():
        count = int(match["count"]) if match["count"].isdigit() else _NUMBERS[match["count"]]
        years = count * 10 - 2 if match["unit"].startswith("decade") else count
        yield FIRST_HABIT + years, 200, "experience", match.group()
    if "19" in text or "20" in text:
        yield from _eras(text, int(born) + age if born and _YEAR.fullmatch(born) else YEAR)


def _experiences(text: str) -> Iterator[re.Match[str]]:
    """Matches of the pattern, which is tried where its first letters stand."""
    for first in ("year", "decade"):
        at = text.find(first)
        while at >= 0:
            match = _EXPERIENCE.match(text, at)
            if match is not None:
                yield match
            at = text.find(first, at + 1)


def _eras(text: str, year: int) -> Iterator[tuple[int, int, str, str]]:
    for match in _CHILDHOOD.finditer(text) if "0s" in text else ():
        if not (_ELSE.search(match["between"]) or _ELDERS.search(text[: match.start()][-LEAD:])):
            first = int(match["decade"])
            last = first + 9 if not match["last"] else first - first % 100 + int(match["last"]) + 9
            low, high = year - last - YEAR_SLACK, year - first + GROWN_UP + YEAR_SLACK
            yield low, high, "childhood years", match.group()
    for match in _BORN.finditer(text) if "born " in text else ():
        born = year - int(match["year"])
        yield born - YEAR_SLACK, born + YEAR_SLACK, "year of birth", match.group()


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "age": 70,
        "persona": "Ana Wu, a retired baker, spoils her grandchildren after four decades of early mornings.",
    },
    {"age": 30, "persona": "Ana Wu bakes for retired neighbours and saves for her retirement."},
    {"age": 68, "cultural_background": "Ana grew up in Ohio during the 1960s and 1970s."},
    {"age": 30, "cultural_background": "Ana was raised by parents who settled in Ohio in the 1970s."},
    {"age": 22, "cultural_background": "Ana's parents grew up in the 1960s in a small mill town."},
    {"age": 35, "sports_persona": "Ana Wu drives the senior league's bus."},
    {"age": 30, "persona": "Ana Wu has skated for twenty years, as her family has for sixty years."},
    {"age": 30, "persona": "Ana Wu's grandmother lives in a retirement home."},
    {"age": 70, "persona": "Ana Wu helps her granddaughter, a college sophomore, with essays."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"age": 25, "persona": "Ana Wu is a retired baker."},
    {"age": 30, "persona": "Ana Wu spoils her grandchildren."},
    {"age": 30, "persona": "Ana Wu, a baker with four decades of experience, rises early."},
    {"age": 30, "cultural_background": "Ana grew up in Ohio during the 1960s."},
    {"age": 26, "persona": "Ana Wu has been tuning pianos for four decades."},
    {"age": 75, "persona": "Ana Wu, a college sophomore, bakes."},
    {"age": 27, "persona": "Ana Wu is a great-grandmother with opinions."},
    {"age": 33, "persona": "Ana Wu deals cards for the residents of her retirement home."},
)
