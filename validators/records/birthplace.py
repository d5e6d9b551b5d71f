"""Where the text says that the person was born fits the fact: a naturalized citizen was born abroad."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon, stands
from census_personas.validators.text.prose import plain

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.text.record_view import RecordView

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
WARNINGS: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("birth",)
LOOKUPS: tuple[str, ...] = ("places",)

RULE = Rule.of(__name__)
ENOUGH = 0.75  # votes for the person's own region: a name that hardly another has
LEAD = 90  # letters before "born" in which another person stands
_BORN = re.compile(
    r"\b[Bb]orn(?: and (?:raised|bred))?(?:,? in \d{4}| on [A-Z]\w+ \d+(?:, \d{4})?)?,? in "
    r"(?P<place>(?:the )?[A-Z][\w.'-]*(?:,? (?:and )?[A-Z][\w.'-]*){0,5})"
)


@cache
def _others() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('birthplace', ENGLISH)['others'])})\b")


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare each birth in a place, and each journey to the country, with the fact.

    A birth in the person's own city, region or country is an error where the fact says abroad. Other names may
    be those of places abroad, and citizens by birth may have been born abroad or in Puerto Rico: these are warnings.
    """
    reading = reference.read(record)
    said, birth = lexicon("birthplace", ENGLISH), reading.fact_of("birth")
    if birth in said["abroad"]:
        yield from _born_here(reading, reference)
    elif birth in said["here"]:
        yield from _came(reading)


def _born_here(reading: RecordView, reference: RuleContext) -> Iterator[Finding]:
    region = reading.fact_of("region") or ""
    own = [plain(reading.fact_of("municipality") or ""), reference.state_name(region) or ""]
    here = [name.lower() for name in (*own, *lexicon("birthplace", ENGLISH)["country"]) if name]
    for field, text in reading.prose.items():
        for match in _BORN.finditer(text):
            if _others().search(_sentence_before(text, match.start()).lower()):
                continue
            said = "the person was born abroad; the text has the birth here"
            place = match["place"].lower()
            if any(stands(name, place) for name in here):
                yield RULE.error(field, said, match.group())
            elif reference.gazetteer.votes([match["place"]], frozenset()).get(region, 0.0) >= ENOUGH:
                yield RULE.warning(field, said, match.group())


def _came(reading: RecordView) -> Iterator[Finding]:
    name, said = reading.name, lexicon("birthplace", ENGLISH)
    subjects = "|".join(("he", "she", "they", *([re.escape(name.first.lower())] if name else [])))
    came = re.compile(rf"(?:(?<![\w-])(?:{subjects}){said['journey']}|{said['stay']})")
    for field, text in reading.lowered.items():
        match = came.search(text) if "united states" in text or "u.s." in text or "america" in text else None
        if match is not None and not _others().search(_sentence_before(text, match.start())):
            yield RULE.warning(
                field, "the person is a citizen by birth; the text has them immigrate", match.group()
            )


def _sentence_before(text: str, at: int) -> str:
    return text[max(0, at - LEAD) : at].rpartition(". ")[2]


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "nativity": "naturalized",
        "state": "TX",
        "cultural_background": "Ana was born in Kerala and raised in Austin.",
    },
    {"nativity": "naturalized", "state": "TX", "cultural_background": "Ana's son was born in Austin, Texas."},
    {
        "nativity": "us_born",
        "state": "TX",
        "cultural_background": "Ana's parents came to the United States in 1990.",
    },
    {
        "nativity": "us_born",
        "state": "TX",
        "cultural_background": "Ana was born and raised in Austin, Texas.",
    },
    {"state": "TX", "cultural_background": "Ana was born in Texas."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "nativity": "naturalized",
        "city": "Spicewood",
        "state": "TX",
        "cultural_background": "Ana Wu, born in 1972 in Spicewood, Texas, grew up in a small town.",
    },
    {"nativity": "not_citizen", "state": "CA", "cultural_background": "Ana was born in the United States."},
)
