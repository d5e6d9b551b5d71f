"""Places that the text calls home lie where the person lives."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import clause_before, statements
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
WHOLE = 1.0  # votes of a city that no other state has
ENOUGH = 0.75  # votes for another state: its name, or a city that hardly another has
MANY = 2.5  # votes in one text that no single team has
SOME = 0.5  # votes by which a text tells of another state
SPORTS = "sports_persona"
# What brings in places where the person does nothing: teams followed from afar, and where somebody comes from.
_FOLLOWED = re.compile(
    r"\b(?:follow|cheer|root|watch|support|fan\b|fans\b|broadcast|televis|tun(?:e|ing)|loyal|catch|allegian)"
)
_ORIGIN = re.compile(
    r"\b(?:grew up|growing up|born|raised|childhood|originally|hails?|moved from|mov(?:ed|ing)|came from|relocat|migrat"
    r"|emigrat|famil|parents|mother|father|grand|ancest|heritage|roots|upbringing|visit|trips?\b|travel|vacation|dream)"
)
_LIVES = re.compile(  # on lower-case text
    r"\b(?:(?:lives|resides|rents (?:an?|the) (?:\w+ ){1,3}|owns (?:an?|the) (?:\w+ ){0,2}(?:home|house|condo))"
    r"|(?:has|have|makes|made) (?:made )?(?:his|her|their) home|(?:is|are) (?:now |currently )?(?:at home|based|living)"
    r"|they (?:live|reside)) (?:(?:with|by) [^.,;]{1,30} )?(?:in an? (?:[\w-]+ ){1,4}?)?"
    r"in (?:downtown |suburban |sunny |nearby )?(?=[a-z])"
)
REACH = 40  # letters in which a place's name stands
RARE = 0.02  # share of the people of places of a name below which it is not meant
_ANOTHER_HOME = re.compile(  # where others live, or where the person would like to
    r"\b(?:sister|brother|daughter|son|cousin|aunt|uncle|niece|nephew|friend)s? (?:\w+ )?(?:live|work|move|reside)"
    r"|\b(?:dream|hope|wish|long)\w* (?:of|to|for|that) (?:\w+ )?(?:liv|mov|settl|retir)"
    r"|\bsav(?:es|ing) (?:up )?for"
)
_MORE = re.compile(r" [A-Z]")  # "Delaware County" is not Delaware
NEAR_KM = 5.0  # how near another region begins whose places people name
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
    yield from _home_elsewhere(reading, texts, state, reference)
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
    if votes[best]:
        there = ", ".join(dict.fromkeys(reference.gazetteer.names(texts[best], name)))
        home, elsewhere = reference.state_name(state), reference.state_name(other)
        told = [_told(field, text, name, reference) for field, text in texts.items()]
        sure = _days_there(told, state, other)
        settled = any(text.settled[other] >= ENOUGH for text in told)
        if not sure and (settled or not _is_near(reading, other, reference)):
            prose = reading.prose.values()
            several = [t for t in prose if reference.gazetteer.votes([t], name).get(other, 0.0) >= SOME]
            agree = len(several) > 1 and sum(votes.values()) >= WHOLE
            sure = agree or told[list(texts).index(best)].all[other] >= MANY or _comes_from(told, state)
        make = RULE.error if sure else RULE.warning
        yield make(best, f"the person lives in {home}; the text speaks of {elsewhere}", there)


class _Told(NamedTuple):
    """Votes by state of the places that a text names: of all, and, teams that are followed left out, of others.

    Attributes:
        all: of all places.
        done: of those where something is done.
        alone: of those of them whose name stands for itself.
        today: of those of them that the person does not come from.
        settled: of all that the person does not come from, sports aside.
    """

    all: defaultdict[str, float]
    done: defaultdict[str, float]
    alone: defaultdict[str, float]
    today: defaultdict[str, float]
    settled: defaultdict[str, float]


def _told(field: str, text: str, name: frozenset[str], reference: RuleContext) -> _Told:
    """What a text tells of places; teams are followed from anywhere."""
    told = _Told(*(defaultdict[str, float](float) for _ in _Told._fields))
    for mention in reference.gazetteer.mentions(text, name):
        lead = clause_before(text, mention.start)
        if _ANOTHER_HOME.search(lead):
            continue
        done = not (field == SPORTS and _FOLLOWED.search(lead))
        alone = done and mention.alone
        origin = _ORIGIN.search(lead.lower()) is not None
        counted = (True, done, alone, alone and not origin, field != SPORTS and not origin)
        for code, vote in reference.gazetteer.votes_of(mention.name).items():
            for votes in compress(told, counted):
                votes[code] += vote
    return told


def _days_there(told: Iterable[_Told], state: str, other: str) -> bool:
    """Whether something is done today in another state, or in a text that names much of it."""
    much = any(text.all[other] >= MANY and text.done[other] >= ENOUGH for text in told)
    return much or _prevails([text.today for text in told], state)


def _comes_from(told: Iterable[_Told], state: str) -> bool:
    """Whether the person comes from another state, and nothing is said of this one."""
    return _prevails([text.alone for text in told], state)


def _prevails(votes: Iterable[Mapping[str, float]], state: str) -> bool:
    total = defaultdict[str, float](float)
    for found in votes:
        for code, vote in found.items():
            total[code] += vote
    here = total.pop(state, 0.0)
    return max(total.values(), default=0.0) >= max(ENOUGH, MORE * here)


def _is_near(reading: RecordView, region: str, reference: RuleContext) -> bool:
    """Whether a region begins near the person's home: people come from it, and name its teams, without living there."""
    postcode = reading.fact_of("postcode")
    home = reference.place(postcode.zfill(reference.postcode_digits)) if postcode else None
    named = reference.state_name(region)
    if home is None or named is None:
        return False
    far = reference.atlas.distance(named, home.latitude, home.longitude)
    return far is not None and far <= NEAR_KM


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


def _home_elsewhere(
    reading: RecordView, texts: Mapping[str, str], state: str, reference: RuleContext
) -> Iterator[Finding]:
    """Report the place in which the person lives by the text, where no such place lies in the person's state."""
    for field, text in texts.items():
        for match in statements(reading, field, _LIVES):
            place = next(reference.gazetteer.mentions(text[match.end() : match.end() + REACH]), None)
            if place is None or place.start or not place.alone:
                continue
            after = text[match.end() + len(place.name) :].removeprefix(", ")
            votes = reference.gazetteer.votes_of(place.name)
            named = reference.state_at_start(after) or max(votes, key=lambda code: votes[code])
            sure = votes.get(named, 0.0) >= ENOUGH or reference.state_at_start(after) is not None
            if sure and named != state and votes.get(state, 0.0) < RARE:
                home, elsewhere = reference.state_name(state), reference.state_name(named)
                message = f"the person lives in {home}; by the text they live in {elsewhere}"
                yield RULE.error(field, message, text[match.start() : match.end() + len(place.name)])
                return


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
    {
        "city": "Salem",
        "state": "OR",
        "first_name": "Ana",
        "last_name": "Wu",
        "persona": "Ana Wu dreams that she lives in Miami; her brother lives in Tampa, Florida.",
    },
    {"city": "Lansdowne", "state": "PA", "persona": "Ana gardens in Lansdowne, Delaware County."},
    {
        "city": "Hoboken",
        "state": "NJ",
        "zipcode": "07030",
        "sports_persona": "Ana hikes on Hudson Valley trails, follows the New York Knicks and New York Rangers.",
    },
    {
        "city": "Fort Mill",
        "state": "SC",
        "zipcode": "29708",
        "sports_persona": "Ana watches Charlotte FC matches.",
        "cultural_background": "Ana grew up in a farming community in North Carolina.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"city": "Salem", "state": "OR", "cultural_background": "Ana grew up in Texas and is at home in Dallas."},
    {
        "city": "Salem",
        "state": "OR",
        "first_name": "Ana",
        "last_name": "Wu",
        "persona": "Ana Wu, who was born in Salem, lives with two dogs in Tampa.",
    },
    {"city": "Portland", "state": "ME", "cultural_background": "Living in Portland, Oregon, Ana cycles."},
)
