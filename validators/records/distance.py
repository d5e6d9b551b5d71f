"""Places told as nearby, or as a day's or a weekend's outing, lie that near, and the person's city in its county."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.census_priors.places import Place
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.prose import plain

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("postcode",)
LOOKUPS: tuple[str, ...] = ("places",)

RULE = Rule.of(__name__)
ANCHORS = {
    "nearby": ("nearby ", "neighboring "),
    "day": ("day trip", "day-trip", "day excursion", "day outing", "day tour"),
    "weekend": ("weekend ",),
    "habit": ("weekend ", "weekends "),
    "weekly": ("weekly ",),
}
LEAD = 60  # letters before an outing in which a wish, or a flight, stands
ITEMS = 5  # places of one enumeration
LOOK = 160  # letters after an outing in which its places stand
MILES = 1.609
STATE_REACH = (
    500.0  # kilometres within which a state may be called near: the next one may begin that far away
)
SPLIT = 25.0  # kilometres: a ZIP code has one county, and may reach into the next
_CAPITALS = (
    r"[A-Z][\w.-]*(?:'(?!s\b)\w+)?(?: (?:of the |of |the |de |del )?[A-Z][\w.-]*(?:'(?!s\b)\w+)?){0,4}"
)
_FILL = r"(?:(?!(?:and|while|but|with|from|before|after|or|despite|as)\b)[a-z][a-z'-]* ){0,5}?"
_PLACE = re.compile(rf"{_FILL}(?P<name>{_CAPITALS})(?P<of>'s\b)?")
_NEXT = re.compile(
    r"(?:'s\b)?(?: [A-Z]?[\w'-]+){0,4}?(?:, and |, or |, | and | or )(?:to )?(?:the )?(?=[A-Z])"
)
_STATE = re.compile(r", (?P<state>[A-Z][a-z]+(?: [A-Z][a-z]+)?|[A-Z]{2})\b")
_AROUND = re.compile(r"\b(?:surrounding|outside|beyond|near|around|north|south|east|west)\b")
_COUNTY = re.compile(
    r"(?:, |, in |'s )(?P<county>[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2} (?:County|Parish))\b(?! [A-Z])"
)


class _Outing(NamedTuple):
    """A kind of outing, the words one of which begins it, how far it may lead, and how it is told."""

    kind: str
    anchors: tuple[str, ...]
    reach: float
    words: re.Pattern[str]


@cache
def _outings() -> tuple[_Outing, ...]:
    content = lexicon("distance", ENGLISH)
    trips, habits, reach = "|".join(content["trips"]), "|".join(content["habits"]), content["reach"]
    plural = trips.replace("?", "")
    into = "(?:to|in|through|across|along|around|at|on) (?:the )?"
    like = "(?:[a-z-]+ ){1,4}(?:like|such as|including) (?:the )?"
    found = {
        "nearby": rf"(?:nearby|neighboring) (?:the |{like})?(?=[A-Z])",
        "day": rf"day[- ](?:{trips}) (?:to|through|around|in) (?:the )?",
        "weekend": rf"weekend (?:[a-z-]+ ){{0,2}}?(?:{plural}) (?:to|through|across|around) (?:the )?",
        "habit": rf"weekends? (?:[a-z-]+ )?(?:{habits}) {into}",
        "weekly": rf"weekly (?:[a-z-]+ ){{0,2}}?(?:{habits}|games|matches|classes|lessons|meetings) {into}",
    }
    return tuple(
        _Outing(kind, ANCHORS[kind], float(reach[kind]), re.compile(words)) for kind, words in found.items()
    )


@cache
def _wish() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(lexicon('distance', ENGLISH)['wishes'])})\b", re.IGNORECASE)


class _Named(NamedTuple):
    name: str
    state: str | None
    quote: str


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Measure from the person's ZIP code to the nearest place of the name, whichever it is."""
    reading = reference.read(record)
    zipcode = reading.fact_of("postcode")
    home = reference.place(zipcode.zfill(reference.postcode_digits)) if zipcode else None
    if home is None:
        if reading.prose:
            yield RULE.not_judged(reading.column_of("postcode"), "no known ZIP code is given to measure from")
        return
    city = plain(reading.fact_of("municipality") or home.city)
    for field, text in reading.prose.items():
        known = reading.vocabulary[field]
        yield from _far(field, text, home, city, reference)
        if "county" in known or "parish" in known:
            yield from _county(field, text, home, city, reference)


def _far(field: str, text: str, home: Place, city: str, reference: RuleContext) -> Iterator[Finding]:
    for outing in _outings():
        for said in _told(outing, text):
            lead = text[max(0, said.start() - LEAD) : said.start()].rpartition(". ")[2]
            if outing.kind != "nearby" and _wish().search(lead + said.group()):
                continue
            for place in _places(text, said, city, reference):
                if fault := _fault(outing, place, home, city, reference):
                    yield RULE.error(field, fault, place.quote)
                    return


def _told(outing: _Outing, text: str) -> Iterator[re.Match[str]]:
    for anchor in outing.anchors:
        at = text.find(anchor)
        while at >= 0:
            if said := outing.words.match(text, at):
                yield said
            at = text.find(anchor, at + 1)


def _fault(outing: _Outing, place: _Named, home: Place, city: str, reference: RuleContext) -> str:
    """What is wrong with a place that is named as near; empty where nothing is."""
    if place.name == city and place.state in {None, home.state}:
        trip = outing.kind in {"nearby", "day", "weekend"} and not _AROUND.search(place.quote)
        return f"{city} is where the person lives, not a place to travel to" if trip else ""
    distance = reference.atlas.distance(place.name, home.latitude, home.longitude, place.state)
    reach = max(outing.reach, STATE_REACH) if reference.atlas.is_state(place.name) else outing.reach
    if distance is None or distance <= reach:
        return ""
    return (
        f"{place.name} is {distance / MILES:,.0f} miles from {city}, {reference.state_name(home.state)};"
        f" name a place within {reach / MILES:,.0f} miles"
    )


def _places(text: str, outing: re.Match[str], city: str, reference: RuleContext) -> Iterator[_Named]:
    """The known places of the enumeration that an outing leads to, the person's own city among them."""
    start, at = outing.span()
    end = at + LOOK
    for _ in range(ITEMS):
        said = _PLACE.match(text, at, end)
        if said is None:
            return
        name, after = said["name"].rstrip("."), said.end()
        state = None
        if not said["of"] and (with_state := _STATE.match(text, after, end)):
            state = reference.atlas.state_code(with_state["state"])
            after = with_state.end() if state else after
        if name == city or name in reference.atlas:
            yield _Named(name, state, text[start:after][-LOOK:])
        following = _NEXT.match(text, after, end)
        if following is None:
            return
        at = following.end()


def _county(field: str, text: str, home: Place, city: str, reference: RuleContext) -> Iterator[Finding]:
    """The person's city, written with a county that it does not lie in."""
    at = text.find(city)
    while at >= 0:
        said = _COUNTY.match(text, at + len(city))
        if said and said["county"] in reference.atlas:
            own = reference.atlas.counties(city, home.state)
            away = reference.atlas.distance(said["county"], home.latitude, home.longitude, home.state)
            if own and said["county"] not in own and away is not None and away > SPLIT:
                yield RULE.error(field, f"{city} lies in {plain(home.county)}", text[at : said.end()])
                return
        at = text.find(city, at + 1)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"zipcode": "55805", "persona": "Ana takes day trips to Two Harbors, and weekend trips to Minneapolis."},
    {"zipcode": "55805", "persona": "Ana dreams of weekend trips to Paris, Tokyo, and Savannah."},
    {
        "zipcode": "55805",
        "persona": "Ana grew up in Duluth, St. Louis County, and works in nearby Hermantown.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"zipcode": "55805", "travel_persona": "Ana takes day trips to the Hocking Hills and Columbus, Ohio."},
    {"zipcode": "55805", "persona": "Ana hikes in nearby Asheville."},
    {"zipcode": "55805", "persona": "Ana enjoys weekend getaways to Madison, Duluth, and the lake."},
    {"zipcode": "55805", "persona": "Ana makes weekend hikes in the Great Smoky Mountains."},
    {"zipcode": "55805", "persona": "Ana was born in Duluth, Hennepin County."},
)
