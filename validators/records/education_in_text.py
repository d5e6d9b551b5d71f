"""Education that the text claims, or plans, fits the education level."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from persona_engine.validators.finding import Finding, Policy, Rule, Severity
from persona_engine.validators.reading import Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "repair"

RULE = Rule.of(__name__)
LEVELS = ("less_than_9th", "9th_12th_no_diploma", "high_school", "some_college", "associates", "bachelors", "graduate")
CLEAR = 2  # levels apart from which one claim is an error; two claims of one level each are one as well
FUTURE = frozenset({"career_goals_and_ambitions", "professional_persona", "persona"})  # texts whose plans are of today
LEAD = 70  # letters before a credential in which the verb stands

_CREDENTIAL = re.compile(
    r"\b(?:(?P<graduate>master's(?! (?:swim|of ceremon|touch|eye))|master of (?:science|arts|business|education|social|public|fine)"
    r"|m\.?b\.?a\b|ph\.?d\b|doctora\w+|graduate(?:-level)? (?:degree|studies|work|training|education|background|school)"
    r"|law degree|medical degree|advanced degree|j\.d\.|postgraduate \w+|graduate degree in)"
    r"|(?P<bachelors>bachelor's|bachelor of \w+|b\.s\.|b\.a\.|undergraduate degree|four-year degree|college degree"
    r"|college[- ]educated|college graduate|university degree)"
    r"|(?P<field>(?:stem|business|humanities|liberal[- ]arts|arts)[- ](?:degree|education|graduate|trained|educated))"
    r"|(?P<associates>associate's?(?: of \w+)?(?: degrees?)|associate's|two-year degree)"
    r"|(?P<some_college>some college|college coursework|unfinished degree|incomplete degree)"
    r"|(?P<high_school>high[- ]school (?:diploma|education|graduate|graduation|equivalency|level|credential|educated)|ged\b|h\.s\. diploma))",
)
_PLANS = re.compile(
    r"\b(?:plan\w*|aim\w*|hop\w+|pursu\w+|complet(?:e|es|ing)|earn(?:ing|s)?|obtain\w*|enroll\w*|toward|towards|work(?:s|ing) on"
    r"|finish\w*|return\w*|consider\w*|dream\w*|aspir\w+|intend\w*|seek\w*|attain\w*|achiev\w+|secur\w+|want\w*|next|eventual\w*"
    r"|explor\w+|look\w*|would|will|could|prepar\w+|envision\w*|gain\w*|apply|applying|get|start\w*|begin\w*|transfer\w*|fund"
    r"|possib\w+|part-time|underway|program|studying|juggl\w+|goal|undertake|acquire|upcoming|once|due to|future|continu\w+)\b",
)
_HAS = re.compile(
    r"\b(?:holds?|holding|earned|received|completed|obtained|possess\w*|graduated|leverag\w+|combin\w+|armed|trained|having|complement\w*|building on|build on|supplement\w*|translate"
    r"|after (?:earning|completing|obtaining|receiving)|despite|thanks to)\b",
)
_OWN = re.compile(r"\b(?:his|her|their|with an?) (?:[\w-]+ )?$")
_OTHERS = re.compile(
    r"\b(?:daughter|son|children|kids|students?|youth|mentor\w*|parents?|mother|father|wife|husband|teach\w*|help\w*|support\w*|provid\w+"
    r"|offer\w*|scholarship\w*|peers|apprentices|local|watch\w*|team|tutor\w*|employees|others|adults|families|instructor|grand\w+"
    r"|prepare|sibling\w*|brother|sister|lead\w*|coach\w*|spouse)\b",
)
_NOT = re.compile(r"\b(?:without|no|not|never|lack\w*|beyond|nor|neither|didn't|did not|though|limited|short of|interrupt\w*)\b")
_NO_DIPLOMA = re.compile(
    r"(?:did(?:n't| not)|never|without) (?:\w+ ){0,3}(?:finish\w*|complet\w*|graduat\w*|earn\w*|obtain\w*|receiv\w*)(?: \w+){0,3}?"
    r" high[- ]school|without a (?:formal )?(?:high[- ]school )?diploma|lack of (?:a )?(?:formal )?(?:high[- ]school )?diploma"
    r"|left (?:high )?school (?:early|before|at|in|after)|dropp\w+ out of high|complet\w+ (?:up to )?the (?:ninth|tenth|eleventh|9th|10th|11th) grade"
    r"|(?:sixth|seventh|eighth|fifth|6th|7th|8th)[- ]grade (?:education|schooling)|elementary[- ](?:school )?education(?:al level)? only"
    r"|less than (?:a )?(?:ninth|9th)",
)
_ANCHORS = ("degree", "diploma", "ged", "master", "bachelor", "associate", "college", "graduat", "doctor", "mba", "ph", "school", "educat", "grade", "b.")
_WORDS = frozenset(
    "master masters mba phd doctorate doctoral graduate graduated graduation bachelor bachelors degree degrees college"
    " associate associates ged diploma school grade postgraduate undergraduate stem humanities educated coursework".split()
)


class _Claim(NamedTuple):
    field: str
    low: int
    high: int
    quote: str


def check(record: Mapping[str, Any], reference: Reference) -> Iterator[Finding]:
    """Read each credential as held or planned, and compare the levels that this allows with the level given.

    Held: at least that level (a diploma or an associate's degree is also claimed by people one level above). Planned:
    below it; people who hold a degree plan further ones of the same level, so that only lower plans speak.
    """
    reading = Reading.of(record)
    level = reading.fact("education_level")
    if level not in LEVELS:
        if reading.prose:
            yield RULE.not_judged("education_level", "no education is given to compare with")
        return
    if reading.words.isdisjoint(_WORDS):
        return
    own = LEVELS.index(level)
    wrong = [(claim, max(claim.low - own, own - claim.high)) for claim in _claims(reading)]
    wrong = [(claim, gap) for claim, gap in wrong if gap > 0]
    together = len(wrong) > 1
    words = reference.label("education_level", level)
    for claim, gap in wrong:
        make = RULE.error if gap >= CLEAR or together else RULE.warning
        yield make(claim.field, f"the person's education is: {words}", claim.quote)


def _claims(reading: Reading) -> Iterator[_Claim]:
    for field, original in reading.prose.items():
        text = original.lower()
        if not any(anchor in text for anchor in _ANCHORS):
            continue
        for match in _CREDENTIAL.finditer(text):
            start = _sentence(text, match.start())
            lead = text[start : match.start()]
            kind = match.lastgroup or LEVELS[0]
            credential = LEVELS.index("bachelors" if kind == "field" else kind)
            quote = text[start : match.end()].strip()
            if _OTHERS.search(lead) or _NOT.search(lead[-40:]):
                continue
            if kind == "field" and not _OWN.search(lead):
                continue
            planned, held = _last(_PLANS, lead), _last(_HAS, lead)
            if planned > held:
                if field in FUTURE:
                    yield from _planned(field, credential, quote)
            elif held >= 0 or _OWN.search(lead):
                yield from _held(field, credential, quote)
        match = _NO_DIPLOMA.search(text)
        if match and not _OTHERS.search(text[_sentence(text, match.start()) : match.start()]):
            yield _Claim(field, 0, 1, match.group())


def _sentence(text: str, at: int) -> int:
    """Where the sentence of a position begins, at most LEAD letters before it."""
    return max(text.rfind(". ", 0, at) + 1, at - LEAD, 0)


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _planned(field: str, credential: int, quote: str) -> Iterator[_Claim]:
    """Who plans a credential does not have it yet; a first degree leads to a graduate one."""
    if credential == LEVELS.index("high_school"):
        yield _Claim(field, 0, credential, quote)
    elif credential in {LEVELS.index("associates"), LEVELS.index("bachelors")}:
        yield _Claim(field, 0, credential - 1, quote)


def _held(field: str, credential: int, quote: str) -> Iterator[_Claim]:
    if credential == LEVELS.index("high_school"):
        yield _Claim(field, credential, credential + 1, quote)
    elif credential in {LEVELS.index("some_college"), LEVELS.index("associates")}:
        yield _Claim(field, LEVELS.index("some_college"), LEVELS.index("associates") + 1, quote)
    else:
        yield _Claim(field, credential, LEVELS.index("graduate"), quote)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "bachelors", "persona": "With a bachelor's degree in art, Ana hopes to earn a master's."},
    {"education_level": "high_school", "persona": "Ana plans to enrol and earn an associate degree next year."},
    {"education_level": "9th_12th_no_diploma", "persona": "Ana plans to complete her GED."},
    {"education_level": "less_than_9th", "persona": "Ana cheers for the local high-school team."},
    {"education_level": "high_school", "persona": "Ana saves for her daughter's bachelor's degree."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "high_school", "persona": "Ana, who holds a master's degree in physics, teaches."},
    {"education_level": "graduate", "career_goals_and_ambitions": "Ana plans to earn her GED next year."},
    {"education_level": "bachelors", "cultural_background": "Ana never finished high school, and says so."},
)
