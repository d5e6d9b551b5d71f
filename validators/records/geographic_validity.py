"""ZIP code, city, county and state belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.prose import plain
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "reject"
SCOPE: Scope = "facts"

RULE = Rule.of(__name__)
DIGITS = 5


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare each part of the address with the place of the ZIP code.

    ZIP codes that lost their leading zeros are read with them (`zip_leading_zero` reports them). Several
    cities share a ZIP code under other names, so that a city other than the preferred one is a warning, unless
    only other states have it.
    """
    reading = RecordView.of(record)
    state, city, zipcode = reading.fact("state"), reading.fact("city"), reading.fact("zipcode")
    if state is None or zipcode is None or not zipcode.isdigit():
        if "state" in record or "zipcode" in record:
            yield RULE.not_judged("zipcode", "no state or ZIP code to compare")
        return
    place = reference.place(zipcode.zfill(DIGITS))
    if place is None:
        yield RULE.not_judged(
            "zipcode", "the locale has no such ZIP code (a post-office box, or newer)", zipcode
        )
        if city is not None and state in reference.state_codes and not _has(reference, state, city):
            yield RULE.warning("city", f"no ZIP code of {state} has a city of this name", city)
        return
    if place.state != state:
        yield RULE.error(
            "state", f"ZIP code {place.zipcode} lies in {place.state}", f"{city}, {state} {zipcode}"
        )
    elif city is not None and not _same(place.city, city):
        if _has(reference, state, city):
            yield RULE.warning("city", f"ZIP code {place.zipcode} is {place.city}", city)
        elif any(_has(reference, other, city) for other in reference.state_codes):
            yield RULE.error("city", f"{state} has no city of this name; the ZIP code is {place.city}", city)
        else:
            yield RULE.warning("city", f"no city of this name is known; the ZIP code is {place.city}", city)
    county = reading.fact("county")
    if county is not None and not _same(place.county, county):
        yield RULE.error("county", f"ZIP code {place.zipcode} lies in {place.county}", county)


def _same(name: str, other: str) -> bool:
    return name == other or _key(name) == _key(other)


def _key(name: str) -> str:
    """A place's name without case, marks and the two ways of writing Saint, Fort and Mount."""
    key = f" {plain(name).casefold().replace('.', '').replace('-', ' ')} "
    for short, long in ((" st ", " saint "), (" ft ", " fort "), (" mt ", " mount "), (" ste ", " sainte ")):
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
