"""A licence, a post or a doctorate that the text claims is one that people of this education hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import mood_at
from census_personas.validators.text.lexicon import ENGLISH, lexicon

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("schooling",)

RULE = Rule.of(__name__)
FIELDS = ("persona", "professional_persona", "career_goals_and_ambitions", "skills_and_expertise")
KINDS = ("words", "titles")  # of the lexicon's patterns
LEAD = 80  # letters before a credential in which its holder stands
STEPS = 2  # levels below the least at which a plan leaves out a step
QUOTE = 40  # letters shown before a credential


class _Credential(NamedTuple):
    """One credential: its name in messages, words of its occupations, the least education, and whether plans count."""

    name: str
    of: frozenset[str]
    least: str
    plan: bool


class _Words(NamedTuple):
    """The lexicon, compiled."""

    words: re.Pattern[str]
    credentials: tuple[_Credential, ...]
    anchors: frozenset[str]
    studies: frozenset[str]
    others: re.Pattern[str]


@cache
def _words() -> _Words:
    content = lexicon("credentials", ENGLISH)
    known = content["credentials"]
    groups = "|".join(
        f"(?P<{kind}{number}>{'|'.join(item[kind])})"
        for number, item in enumerate(known)
        for kind in KINDS
        if kind in item
    )
    return _Words(
        words=re.compile(rf"(?<![\w-])(?:{groups})(?![\w-])"),
        credentials=tuple(
            _Credential(item["name"], frozenset(item["of"]), item["least"], item.get("plan", False))
            for item in known
        ),
        anchors=frozenset(content["anchors"]),
        studies=frozenset(content["studies"]),
        others=re.compile("|".join(rf"\b{pattern}" for pattern in content["others"])),
    )


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare the least education of each credential that the person has, or plans as a next step, with the facts.

    Of people whose occupation goes with it, it is a warning: their education is what is odd, and no text mends that
    (`occupation_education` judges it).
    """
    reading = reference.read(record)
    level = reading.fact_of("schooling")
    if level not in reference.levels:
        if reading.prose:
            yield RULE.not_judged(reading.column_of("schooling"), "no education is given to compare with")
        return
    lexis, own = _words(), reference.levels.index(level)
    work = frozenset((reading.fact_of("occupation") or "").split("_"))
    words = reference.label(reading.column_of("schooling"), level)
    for field in FIELDS:
        if field not in reading.prose or lexis.anchors.isdisjoint(reading.vocabulary[field]):
            continue
        text = reading.lowered[field]
        for match in lexis.words.finditer(text):
            kind = match.lastgroup or "words0"
            item = lexis.credentials[int(kind.removeprefix("words").removeprefix("titles"))]
            least = reference.levels.index(item.least) if item.least in reference.levels else 0
            if own >= least or lexis.others.search(_sentence_before(text, match.start())):
                continue
            in_it = not item.of.isdisjoint(work)
            if in_it and kind.startswith("titles"):
                continue
            make = RULE.warning if in_it else RULE.error
            mood = mood_at(text, match.start())
            quote = text[max(0, match.start() - QUOTE) : match.end()]
            if mood in {"present", "past"} and not _planned(text, match.start()):
                yield make(field, f"{item.name} is not held with {words}", quote)
                break
            unprepared = lexis.studies.isdisjoint(reading.vocabulary[field])
            if mood == "aim" and item.plan and own <= least - STEPS and unprepared:
                yield make(field, f"{item.name} is not the next step after {words}", quote)
                break


def _sentence_before(text: str, at: int) -> str:
    return text[max(0, at - LEAD) : at].rpartition(". ")[2]


_PLANNED = re.compile(
    r"\b(?:achiev|complet|obtain|earn|gain|attain|pass|prepar|stud|acquir|toward|exam|becom|pursu|secur|qualif|transition|bridge)"
)


def _planned(text: str, at: int) -> bool:
    """Whether what is named is got rather than had: the nearest words before it are of getting."""
    return _PLANNED.search(text[max(0, at - QUOTE) : at].rpartition(". ")[2]) is not None


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "graduate", "professional_persona": "Ana Wu, a board-certified physician, listens."},
    {"education_level": "high_school", "persona": "Ana Wu assists a licensed architect and files for a CPA."},
    {
        "education_level": "high_school",
        "career_goals_and_ambitions": "Ana plans a bachelor's degree, and to become a CPA after it.",
    },
    {"education_level": "associates", "professional_persona": "Ana Wu is a registered nurse."},
    {
        "education_level": "high_school",
        "occupation": "registered_nurse",
        "professional_persona": "Ana Wu is a registered nurse.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "high_school", "professional_persona": "Ana Wu, a board-certified surgeon, listens."},
    {"education_level": "high_school", "professional_persona": "Ana Wu is a tenured historian."},
    {"education_level": "high_school", "skills_and_expertise": "Ana is an experienced lawyer."},
    {"education_level": "9th_12th_no_diploma", "persona": "Ana Wu is a licensed practical nurse in Tulsa."},
    {
        "education_level": "high_school",
        "career_goals_and_ambitions": "Ana aims to earn her CPA license within two years.",
    },
)
