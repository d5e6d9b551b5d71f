from __future__ import annotations

from typing import Any

import pytest

from census_personas.validators.records import distance
from census_personas.validators.rule_context import RuleContext

DULUTH = {"city": "Duluth", "state": "MN", "zipcode": "55805"}


def told(reference: RuleContext, text: str, **facts: Any) -> list[str]:
    record = {**DULUTH, **facts, "travel_persona": text}
    return [finding.message for finding in distance.check(record, reference)]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ana paddles in nearby Savannah.", "Savannah"),
        ("Ana explores nearby state parks like Starved Rock and the Ozarks.", "Starved Rock"),
        ("Ana takes day trips to Two Harbors, Madison, and the Finger Lakes.", "Madison"),
        ("Ana spends weekends hiking in Shenandoah National Park.", "Shenandoah National Park"),
        ("Ana plays weekly tennis matches in Chicago.", "Chicago"),
    ],
)
def test_the_first_place_that_is_too_far_is_named(reference: RuleContext, text: str, named: str) -> None:
    (message,) = told(reference, text)
    assert message.startswith(f"{named} is ")
    assert "miles from Duluth, Minnesota; name a place within " in message


@pytest.mark.parametrize(
    "text",
    [
        "Ana dreams of weekend trips to Savannah.",
        "Ana flew to Savannah for weekend visits to Forsyth Park.",
        "Ana walks along the nearby shore, and dreams of Savannah.",
        "Ana takes weekend trips to Minneapolis, Ashland, and the Apostle Islands.",
        "Ana crosses to neighboring Wisconsin on Sundays.",
        "Ana loves the hills around Duluth, and weekend drives to the hills surrounding Duluth.",
    ],
)
def test_wishes_flights_and_near_places_pass(reference: RuleContext, text: str) -> None:
    assert told(reference, text) == []


def test_ambiguous_name_is_the_nearest_place(
    reference: RuleContext,
) -> None:
    assert told(reference, "Ana takes day trips to Rochester.") == []
    (message,) = told(reference, "Ana takes day trips to Rochester, New York.")
    assert message.startswith("Rochester is ")
    (message,) = told(
        reference, "Ana takes day trips to Denver.", zipcode="02139", city="Cambridge", state="MA"
    )
    assert message.startswith("Denver is ")  # not the hamlet of the Catskills


def test_own_city_is_no_trip_its_namesake_is(reference: RuleContext) -> None:
    (message,) = told(reference, "Ana enjoys weekend getaways to Duluth.")
    assert message == "Duluth is where the person lives, not a place to travel to"
    (message,) = told(reference, "Ana enjoys weekend getaways to Duluth, Georgia.")
    assert "miles" in message


def test_odd_postcodes_are_read_or_not_judged(
    reference: RuleContext,
) -> None:
    (message,) = told(
        reference, "Ana takes day trips to Denver.", zipcode="2139", city="Cambridge", state="MA"
    )
    assert "miles from Cambridge, Massachusetts" in message
    record = {"zipcode": "99999", "travel_persona": "Ana takes day trips to Denver."}
    assert [finding.severity for finding in distance.check(record, reference)] == ["not_judged"]


def test_only_near_counties_share_a_postcode(reference: RuleContext) -> None:
    assert told(reference, "Ana lives in Duluth, St. Louis County.") == []
    assert told(reference, "Ana lives in Duluth, Olmsted County.") == ["Duluth lies in St. Louis County"]
