"""Places that the text calls home lie where the person lives."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import clause_before
from census_personas.validators.text.lexicon import ENGLISH, stands
from census_personas.validators.text.prose import plain

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.text.record_view import RecordView

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
WARNINGS: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("region",)
LOOKUPS: tuple[str, ...] = ("places",)

RULE = Rule.of(__name__)
# Texts that speak of home; journeys, dishes and works of art are from everywhere.
HOME = (
    "persona",
    "professional_persona",
    "sports_persona",
    "cultural_background",
    "career_goals_and_ambitions",
)
ENOUGH = 0.85  # votes for another state: its name, or a city that hardly another has
WHOLE = 1.0  # votes of a state's name, or of a city that no other state has
MANY = 2.5  # votes in one text that no single team has
SOME = 0.5  # votes by which a text tells of another state
SPORTS = "sports_persona"
_FOLLOWED = re.compile(
    r"\b(?:follow|cheer|root|watch|support|fan\b|fans\b|broadcast|televis|tun(?:e|ing)|loyal)"
)
_MORE = re.compile(r" [A-Z]")  # "Delaware County" is not Delaware
MORE = 3.0  # times the votes of the person's own state that the other must have


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Count the places named by state, and report another state that clearly prevails, or is called home."""
    reading = reference.read(record)
    state, city = reading.fact_of("region"), reading.fact_of("municipality")
    texts = {field: reading.prose[field] for field in HOME if field in reading.prose}
    if state is None or state not in reference.state_codes or not texts:
        if reading.prose:
            yield RULE.not_judged(reading.column_of("region"), "no state is given to compare places with")
        return
    own_city = plain(city) if city else ""
    yield from _city_elsewhere(texts, own_city, state, reference)
    if own_city and stands(own_city.lower(), reading.lower):
        return
    name = frozenset(reading.name.full.split()) if reading.name else frozenset()
    votes = reference.gazetteer.votes(texts.values(), name)
    others = {code: vote for code, vote in votes.items() if code != state}
    if not others:
        return
    other = max(others, key=lambda code: others[code])
    if others[other] >= ENOUGH and others[other] > MORE * votes.get(state, 0.0):
        yield from _report(reading, texts, state, other, reference)


def _report(
    reading: RecordView, texts: Mapping[str, str], state: str, other: str, reference: RuleContext
) -> Iterator[Finding]:
    """The field that names most places of the other state; an error where several do, or where something is done."""
    name = frozenset(reading.name.full.split()) if reading.name else frozenset()
    votes = {field: reference.gazetteer.votes([text], name).get(other, 0.0) for field, text in texts.items()}
    best = max(votes, key=lambda field: votes[field])
    named = votes[best]
    if named:
        there = ", ".join(dict.fromkeys(reference.gazetteer.names(texts[best], name)))
        home, elsewhere = reference.state_name(state), reference.state_name(other)
        prose = reading.prose.values()
        told = [text for text in prose if reference.gazetteer.votes([text], name).get(other, 0.0) >= SOME]
        lived = _lived(texts, name, reference)
        own = lived.pop(state, 0.0)
        several = len(told) > 1 and sum(votes.values()) >= WHOLE
        sure = several or named >= MANY or max(lived.values(), default=0.0) >= max(ENOUGH, MORE * own)
        make = RULE.error if sure else RULE.warning
        yield make(best, f"the person lives in {home}; the text speaks of {elsewhere}", there)


def _lived(texts: Mapping[str, str], name: frozenset[str], reference: RuleContext) -> defaultdict[str, float]:
    """State -> votes of the places where something is done; teams are followed from anywhere."""
    found = defaultdict[str, float](float)
    for field, text in texts.items():
        for mention in reference.gazetteer.mentions(text, name):
            if mention.alone and not (
                field == SPORTS and _FOLLOWED.search(clause_before(text, mention.start))
            ):
                for code, vote in reference.gazetteer.votes_of(mention.name).items():
                    found[code] += vote
    return found


def _city_elsewhere(
    texts: Mapping[str, str], city: str, state: str, reference: RuleContext
) -> Iterator[Finding]:
    """The person's own city, written with another state's name."""
    if not city:
        return
    for field, text in texts.items():
        at = text.find(f"{city}, ")
        if at >= 0:
            after = text[at + len(city) + 2 :]
            other = reference.state_at_start(after)
            named = reference.state_name(other) if other is not None else None
            if other not in (None, state) and named != city and not _MORE.match(after, len(named or "")):
                yield RULE.error(
                    field, f"{city} lies in {reference.state_name(state)}", text[at : at + len(city) + 22]
                )


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "city": "Portland",
        "state": "OR",
        "cultural_background": "Ana moved from Texas to Portland, Oregon, years ago.",
    },
    {
        "state": "OR",
        "persona": "Georgia Wu roots for Oregon's teams.",
        "first_name": "Georgia",
        "last_name": "Wu",
    },
    {"city": "Salem", "state": "OR", "travel_persona": "Ana dreams of Texas, Dallas and Austin."},
    {
        "city": "Salem",
        "state": "OR",
        "sports_persona": "Ana cheers for the Atlanta Braves and the Georgia Bulldogs.",
    },
    {"city": "Lansdowne", "state": "PA", "persona": "Ana gardens in Lansdowne, Delaware County."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"city": "Salem", "state": "OR", "cultural_background": "Ana grew up in Texas and is at home in Dallas."},
    {"city": "Portland", "state": "ME", "cultural_background": "Living in Portland, Oregon, Ana cycles."},
)
