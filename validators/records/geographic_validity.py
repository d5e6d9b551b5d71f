"""Postcode, municipality, subregion and region belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.prose import plain

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"
ROLES: tuple[str, ...] = ("region", "postcode")
LOOKUPS: tuple[str, ...] = ("places",)

RULE = Rule.of(__name__)
# Ways of writing a part of a name, as maps of English-speaking countries have them; elsewhere they do no harm.
_SHORT = ((" st ", " saint "), (" ft ", " fort "), (" mt ", " mount "), (" ste ", " sainte "))


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare each part of the address with the place of the postcode.

    Postcodes that lost their leading zeros are read with them (`zip_leading_zero` reports them). Several
    municipalities share a postcode under other names, so that one other than the preferred one is a warning, unless
    only other states have it.
    """
    reading = reference.read(record)
    region, town, postcode = map(reading.column_of, ("region", "municipality", "postcode"))
    names = reference.place_words
    state, city, code = (
        reading.fact_of("region"),
        reading.fact_of("municipality"),
        reading.fact_of("postcode"),
    )
    if state is None or code is None or not code.isdigit():
        if region in record or postcode in record:
            yield RULE.not_judged(postcode, f"no {names['region']} or {names['postcode']} to compare")
        return
    place = reference.place(code.zfill(reference.postcode_digits))
    if place is None:
        yield RULE.not_judged(
            postcode, f"the locale has no such {names['postcode']} (a post-office box, or newer)", code
        )
        if city is not None and state in reference.state_codes and not _has(reference, state, city):
            yield RULE.warning(
                town, f"no {names['postcode']} of {state} has a {names['municipality']} of this name", city
            )
        return
    if place.region != state:
        yield RULE.error(
            region,
            f"{names['postcode']} {place.postcode} lies in {place.region}",
            f"{city}, {state} {code}",
        )
    elif city is not None and not _same(place.municipality, city):
        if _has(reference, state, city):
            yield RULE.warning(town, f"{names['postcode']} {place.postcode} is {place.municipality}", city)
        elif any(_has(reference, other, city) for other in reference.state_codes):
            yield RULE.error(
                town,
                f"{state} has no {names['municipality']} of this name; the {names['postcode']} is {place.municipality}",
                city,
            )
        else:
            yield RULE.warning(
                town,
                f"no {names['municipality']} of this name is known; the {names['postcode']} is {place.municipality}",
                city,
            )
    county = reading.fact_of("subregion")
    if county is not None and not _same(place.subregion, county):
        column = reading.column_of("subregion")
        yield RULE.error(column, f"{names['postcode']} {place.postcode} lies in {place.subregion}", county)


def _same(name: str, other: str) -> bool:
    return name == other or _key(name) == _key(other)


def _key(name: str) -> str:
    """A place's name without case, marks and the two ways of writing Saint, Fort and Mount."""
    key = f" {plain(name).casefold().replace('.', '').replace('-', ' ')} "
    for short, long in _SHORT:
        key = key.replace(short, long)
    return key.replace("'", "").replace(" ", "")


def _has(reference: RuleContext, state: str, city: str) -> bool:
    return _key(city) in reference.city_keys(state, _key)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"city": "Cambridge", "state": "MA", "zipcode": "02139"},
    {"city": "Cambridge", "state": "MA", "zipcode": "2139"},
    {"city": "St. Louis", "state": "MO", "zipcode": "63101"},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"city": "Cambridge", "state": "OH", "zipcode": "02139"},
    {"city": "Houston", "state": "MA", "zipcode": "02139"},
    {"city": "Cambridge", "state": "MA", "zipcode": "02139", "county": "Cook County"},
)
