"""An age that the text states is the person's age, and a decade or generation that it states fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH
from census_personas.validators.text.number_words import ONE_TO_TEN, TENS
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("age",)

RULE = Rule.of(__name__)
TOLERANCE = 1  # years: a birthday may lie between the facts and the text
NEAR = 45  # letters before a statement that say whose age it is
LONGEST_COUNT = 16  # letters of an age in words: "seventy-seven-"
LATIN_SLACK = 3  # years by which "octogenarian" and the like are used loosely
_DECADES = {"teens": 10} | {name.removesuffix("y") + "ies": number for name, number in TENS.items()}
_ORDINALS = {f"{name.removesuffix('y')}ieth": number for name, number in TENS.items()}
_UNITS = {name: number for name, number in ONE_TO_TEN.items() if number < 10}
_WORD_AGE = rf"(?P<ten>{'|'.join(TENS)})(?:[- ](?P<unit>{'|'.join(_UNITS)}))?"
# All on lower-case text. What follows an age, and, before it, the age: a pattern that begins with a word is found fast.
_YEARS_OLD = re.compile(r"years?[- ](?:old|young)\b(?:[- ](?P<after>\w+))?")
_COUNT = re.compile(rf"(?:\b(?P<number>\d{{1,3}})|\b{_WORD_AGE})[- ]$")
_NUMBER = re.compile(r"(?<![0-9])[0-9]{2,9}(?=[,.;]? |[,.;]?$)")  # bounded: a loop writes digits without end
_AT = re.compile(r"(?:^|[.;,] )(?:(?:even|now|currently|still|but) )?at (?:the )?(?:age (?:of )?)?$")
_AGED = re.compile(r"(?:^|[.;,(] |\b(?:is|now|currently) )aged? $|\bat the age of $")
_NOT_NOW = re.compile(
    r", (?:he|she|they|(?:[a-z'-]+ ){0,2}[a-z'-]+) (?:\w{3,}ed|had|first|began|left|took|won|became|bought|was|were"
    r"|quit|lost|met|got|came|went|saw|found|fell|gave|made|built|ran|taught|thought|wrote|read)\b"
    r"| (?:to|and) \d|%"
)
_IN_WORDS = re.compile(rf"(?:^|[.;] )(?:(?:even|now|still|but) )?at {_WORD_AGE},")
_BIRTHDAY = re.compile(
    rf"\b(?:(?:has|have|just|recently|having) (?:just |recently )?turned (?P<had>\d\d|{'|'.join(TENS)})\b"
    rf"|turned (?P<now>\d\d|{'|'.join(TENS)}) (?:this|last)\b"
    rf"|(?:about to turn|turns|turning) (?P<soon>\d\d|{'|'.join(TENS)})(?= (?:this|next|in|soon)|[,.]| and\b)"
    rf"|(?:just|recently) celebrated (?:his|her|their) (?P<th>\d0th|{'|'.join(_ORDINALS)}) birthday)"
)
_OUT_OF_TEENS = re.compile(r"\b(?:barely|just|not long|fresh) out of (?:his|her|their) teens\b")
_DECADE = re.compile(
    rf" in (?:his|her|their) (?P<part>early|mid|late)?[- ]?(?P<decade>{'|'.join(_DECADES)}|\d0'?s)\b"
)
_SOMETHING = re.compile(rf"\b(?P<ten>{'|'.join(TENS)}|\d0)[- ]something\b")
_LATIN = re.compile(r"\b(?P<stem>quinqua|sexa|septua|octo|nona)genarian\b|\b(?P<hundred>centenarian)\b")
_STEMS = {"quinqua": 50, "sexa": 60, "septua": 70, "octo": 80, "nona": 90}
_OTHERS = re.compile(
    r"\b(?:his|her|their|'s|with an?|two|three|mentor\w*|teach\w*|coach\w*|of an?|to an?|for an?) (?:\w+ )?$"
)
_THINGS = frozenset(
    "daughter son child children kid kids niece nephew grandson granddaughter house home farmhouse farm barn tradition"
    " recipe oak tree dog cat car truck company building church family business tower bridge cabin boat guitar piano"
    " tractor motorcycle bicycle bike clock mill theater store shop firm marriage friendship quilt map radio"
    " neighbor neighbors neighbour aunt uncle mother father grandmother grandfather friend client patient cousin"
    " brother sister husband wife pupil student resident terrier horse mare"
    " sourdough starter journal plan horizon apprentice apprentices student students".split()
)
_OF_THING = re.compile(r"\b(?:that|which|it|this) (?:is|was)(?: now| over| nearly| almost)? $")
_PRESENT = re.compile(r"\b(?:now|currently|woman|man|person|professional|\w+er|\w+or|\w+ist|\w+ian|still),?$")
_ANOTHER = re.compile(
    r"\b(?:for|with|to|of|by|from|helps|mentors|like) (?:an?|the|his|her|their|older) (?:[\w-]+ )?[\w-]+,?$"
)
_EARLIER = re.compile(  # what was done at an age that is over
    r"\b(?:mov|relocat|settl|arriv|immigrat|emigrat|migrat|came|return|began|start|since|until|before|after|when|while"
    r"|grew|lost|learn|discover|left|join|marri|during|career)\w*\b"
)
_INTRODUCES = re.compile(r",?(?: is| remains)?(?: now)? an? (?:(?!(?:of|to|with|for|and) )[\w-]+ ){0,3}")
_OLD = frozenset({"old", "young"})
_LATINS = frozenset({"centenarian"}) | frozenset(f"{stem}genarian" for stem in _STEMS)
_TURNS = frozenset({"turned", "turn", "turns", "turning", "birthday", "teens"})
_RELATIVE = re.compile(
    r"\b(?:when|until|before|after|once|since|mother|father|son|daughter|wife|husband|brother|sister|who|as)\b"
)
_STARTS = _OLD | _LATINS | _DECADES.keys() | {"something"} | TENS.keys() | (_TURNS - {"turn"})
_SPELT = (_STARTS - _OLD) | _TURNS  # without them an age stands in digits


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare every statement of an age about the person with the age in the facts."""
    reading = reference.read(record)
    age = reading.age
    stated = list(_stated(reading, age))
    if age is None:
        if stated:
            yield RULE.not_judged(
                reading.column_of("age"), "the text states an age, the facts none", stated[0][3]
            )
        return
    for field, low, high, quote in stated:
        if not low - TOLERANCE <= age <= high + TOLERANCE:
            yield RULE.error(field, f"the person is {age} years old; say so or leave the age out", quote)


def _stated(reading: RecordView, age: int | None) -> Iterator[tuple[str, int, int, str]]:
    """Field, lowest and highest age that each statement allows, and its words.

    Rules of regular expressions are tried where the record has the words, or the digits, that they begin with. Whose
    an age is need not be found out where it is the person's.
    """
    known = reading.words
    runs = [run for run in reading.numbers if len(run) > 1]
    own = str(age) if age is None or age % 10 else ""  # "50" may be the person's age, or a decade
    if known.isdisjoint(_SPELT) and all(run == own for run in runs):
        return
    starts = known & _STARTS
    names = (reading.name.full.lower(), reading.name.first.lower()) if reading.name else ()
    vocabulary = reading.vocabulary
    for field, text in reading.lowered.items():
        known = vocabulary[field]
        numbered = any(map(text.__contains__, runs))
        if numbered or not starts.isdisjoint(known):
            for low, high, quote in _read(text, known, names, age, numbered=numbered):
                yield field, low, high, quote


def _read(
    text: str, known: frozenset[str], names: tuple[str, ...], age: int | None, *, numbered: bool
) -> Iterator[tuple[int, int, str]]:
    if not known.isdisjoint(_OLD):
        yield from _years_old(text, names, age)
    if numbered:
        yield from _at(text)
        yield from _after_name(text, names)
    if not known.isdisjoint(_TURNS):
        yield from _birthdays(text)
    if not known.isdisjoint(TENS.keys()):
        for match in _IN_WORDS.finditer(text):
            if not _NOT_NOW.match(text, match.end() - 1):
                yield _number(match), _number(match), match.group().strip(",.; ")
    if not known.isdisjoint(_DECADES) or (numbered and "0" in text):
        yield from _decades(text, names)
    if "something" in known:
        yield from _somethings(text)
    if not known.isdisjoint(_LATINS):
        yield from _latin(text)


def _years_old(text: str, names: tuple[str, ...], age: int | None) -> Iterator[tuple[int, int, str]]:
    for match in _YEARS_OLD.finditer(text) if "year" in text else ():
        count = _COUNT.search(text, max(0, match.start() - LONGEST_COUNT), match.start())
        if count is None or (value := _number(count)) == age:
            continue
        before = text[max(0, count.start() - NEAR) : count.start()]
        if _OF_THING.search(before):
            continue
        if _introduced(before, names) or (
            # A child of four beside the person is likelier than a persona of four.
            value >= _ADULTHOOD and (match["after"] or "") not in _THINGS and not _OTHERS.search(before)
        ):
            yield value, value, text[count.start() : match.end()]


def _introduced(before: str, names: tuple[str, ...]) -> bool:
    """Whether the words before an age introduce the person: "Ana Wu, a driven 42-year-old", "Ana is a"."""
    between = (before.rpartition(name) for name in names)
    return any(found and _INTRODUCES.fullmatch(after) for _, found, after in between)


def _at(text: str) -> Iterator[tuple[int, int, str]]:
    """Ages told without years: "at 61," at the start of a clause; "aged 31"."""
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - NEAR) : match.start()]
        if before[-1:] != " ":
            continue
        whose = _AGED.search(before) or (
            _AT.search(before) if text[match.end() : match.end() + 1] == "," else None
        )
        if (
            whose
            and not _NOT_NOW.match(text, match.end())
            and not _OTHERS.search(before[: whose.start() + 1])
        ):
            yield int(match.group()), int(match.group()), text[max(0, match.start() - 8) : match.end()]


def _after_name(text: str, names: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Yield the ages that stand between commas after the full name: "Ana Wu, 42, bakes"."""
    for name in names[:1]:
        match = re.search(rf"\b{re.escape(name)}, (?:now |only |just )?(\d\d),", text)
        if match is not None:
            yield int(match[1]), int(match[1]), match.group()


def _birthdays(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the ages of birthdays that have just been, or are near; the second kind is a year too high."""
    for match in _BIRTHDAY.finditer(text):
        if _OTHERS.search(text[max(0, match.start() - NEAR) : match.start()]) or _RELATIVE.search(
            text[max(0, match.start() - NEAR) : match.start()]
        ):
            continue
        kind = match.lastgroup or ""
        words = match[kind]
        age = _ORDINALS.get(words) or TENS.get(words) or int(words.removesuffix("th"))
        yield (age - 1 if kind == "soon" else age), age, match.group()
    for match in _OUT_OF_TEENS.finditer(text):
        yield 18, _OUT_OF_TEENS_TO, match.group()


def _decades(text: str, names: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    for match in _DECADE.finditer(text) if " in " in text else ():
        near = max(0, match.start() - NEAR)
        named = text[near : match.start()].endswith(tuple(f"{name}," for name in names))
        if _ANOTHER.search(text, near, match.start()):
            continue
        if (named or _PRESENT.search(text, near, match.start())) and not _EARLIER.search(
            text, near, match.start()
        ):
            low = _DECADES.get(match["decade"]) or int(match["decade"][:2])
            yield *_part(low, match["part"] or ""), match.group().strip()


def _somethings(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _SOMETHING.finditer(text):
        low = TENS.get(match["ten"]) or int(match["ten"])
        yield low, low + 9, match.group()


def _latin(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _LATIN.finditer(text):
        turned = text.startswith("-turned", match.end())  # "a septuagenarian-turned-nonagenarian"
        if not turned and not _OTHERS.search(text[max(0, match.start() - NEAR) : match.start()]):
            low = 100 if match["hundred"] else _STEMS[match["stem"]]
            yield low - LATIN_SLACK, low + 9 + LATIN_SLACK, match.group()


_ADULTHOOD = 16
_OUT_OF_TEENS_TO = 24


def _number(match: re.Match[str]) -> int:
    digits = match.groupdict().get("number")
    if digits:
        return int(digits)
    return TENS[match["ten"]] + _UNITS.get(match["unit"] or "", 0)


def _part(low: int, part: str) -> tuple[int, int]:
    """Ages of the early (0-4), middle (3-7) or late (5-9) years of a decade; teens are 13 to 19."""
    start, end = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}.get(part, (0, 9))
    return low + start, low + end


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"age": 44, "first_name": "Ana", "last_name": "Wu", "persona": "At 29, Ana Wu moved to Peoria."},
    {"age": 44, "persona": "Ana Wu restored a 61-year-old tractor."},
    {"age": 25, "persona": "Ana Wu cares for a neighbor in her late fifties."},
    {"age": 42, "persona": "Ana Wu, a 42\u2011year\u2011old baker, feeds her 9-year-old sourdough starter."},
    {"age": 42, "persona": "In her thirties she moved west; Ana Wu, a baker in her early forties, stayed."},
    {"age": 63, "cultural_background": "Ana grew up in Reading before moving to Lancaster in her thirties."},
    {"age": 92, "persona": "Ana Wu, a septuagenarian-turned-nonagenarian, bakes."},
    {"age": 85, "persona": "Ana Wu, an octogenarian, teaches her 19-year-old grandson."},
    {"age": 44, "persona": "Ana Wu's mother turned 70 this spring, and Ana made 60 tarts."},
    {"age": 44, "persona": "At seventeen, Ana left home. At thirty, she opened a bakery."},
    {
        "age": 44,
        "first_name": "Ana",
        "last_name": "Wu",
        "persona": "Ana Wu, 44, turns 45 in May.",
    },
    {"age": 61, "career_goals_and_ambitions": "Even at 61, Ana hopes to learn the cello before turning 70."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "age": 25,
        "first_name": "Ana",
        "last_name": "Wu",
        "persona": "Ana Wu, in her late fifties, keeps bees.",
    },
    {"age": 42, "persona": "Ana Wu, a 72\u2011year\u2011old baker, rises early."},
    {"age": 42, "persona": "Ana Wu, a twenty-six-year-old baker, rises early."},
    {"age": 42, "persona": "Ana Wu, a baker in her late sixties, rises early."},
    {"age": 42, "persona": "Ana Wu is a spirited septuagenarian."},
    {"age": 42, "career_goals_and_ambitions": "At 73, Ana hopes to learn the cello."},
    {"age": 42, "persona": "Ruth Castellano, aged 71 and living in Ohio, rises early."},
    {"age": 42, "first_name": "Ana", "last_name": "Wu", "persona": "Ana Wu, 58, keeps goats."},
    {"age": 42, "persona": "Ana Wu has just turned 30 and counts the candles."},
    {"age": 42, "persona": "Ana Wu recently celebrated her fiftieth birthday."},
    {"age": 42, "persona": "At seventy, Ana Wu is still the first on the ice."},
    {"age": 42, "persona": "Ana Wu is barely out of her teens."},
    {"age": 42, "persona": "Ana Wu, a 14-year-old baker, rises early."},
)
