"""Atlas: how far a place that a text names lies from where a person lives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import asin, cos, inf, radians, sin, sqrt
from typing import NamedTuple

from census_personas.validators.text.prose import plain

EARTH_KM = 6371.0
POSTCODE_KM = 5.0  # what a postcode's middle may be away from the place that bears its name
KNOWN_FROM = 15_000  # adults of the largest place of a name; smaller towns share names with too many things
LESSER = 0.02  # share of the adults of the largest place of a name below which one is meant only nearby
LOCAL_KM = 100.0  # how near
COUNTIES = (" County", " Parish", " Borough", " Municipio")


class Point(NamedTuple):
    """A circle around a place: degrees, and kilometres."""

    latitude: float
    longitude: float
    radius: float
    state: str = ""
    adults: float = inf


class Atlas:
    """Cities, counties, states and landmarks by name, each with all places that bear it."""

    def __init__(
        self,
        places: Iterable[tuple[str, str, str, float, float, float]],
        region_names: Mapping[str, str],
        landmarks: Mapping[str, Sequence[Sequence[float]]],
        known: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> None:
        """Index places.

        Args:
            places: (municipality, subregion, region, adults, latitude, longitude), one for each postcode.
            region_names: code -> name of a region.
            landmarks: name -> circles (latitude, longitude, radius in kilometres).
            known: small towns to index beside those of `KNOWN_FROM` adults.
            without: names that mostly stand for something else than the place.
        """
        places = list(places)
        points: dict[str, list[Point]] = defaultdict(list)
        adults: dict[tuple[str, str], float] = defaultdict(float)
        for city, _, state, count, _, _ in places:
            adults[plain(city), state] += count
        self._counties: dict[tuple[str, str], set[str]] = defaultdict(set)
        for city, county, state, _, latitude, longitude in places:
            town, district = plain(city), plain(county)
            point = Point(float(latitude), float(longitude), POSTCODE_KM, state)
            for name in {district, region_names[state]} - {town}:
                points[name].append(point)
            points[town].append(point._replace(adults=adults[town, state]))
            self._counties[town, state].add(district)
        large = {town for (town, _), count in adults.items() if count >= KNOWN_FROM}
        kept = (large | set(known) | set(region_names.values())) - set(without)
        self._points: dict[str, Sequence[Point]] = {
            name: found for name, found in points.items() if name in kept or name.endswith(COUNTIES)
        }
        self._points |= {
            name: [*points.get(name, ()), *(Point(north, east, radius) for north, east, radius in circles)]
            for name, circles in landmarks.items()
        }
        self._codes = {name: code for code, name in region_names.items()}

    def __contains__(self, name: object) -> bool:
        """Whether a place of this name is known."""
        return name in self._points

    def is_state(self, name: str) -> bool:
        """Whether a name is that of a state, which has no middle to measure to."""
        return name in self._codes

    def state_code(self, name: str) -> str | None:
        """The code of a state by its name or code, or None."""
        return name if name in self._codes.values() else self._codes.get(name)

    def distance(
        self, name: str, latitude: float, longitude: float, state: str | None = None
    ) -> float | None:
        """Kilometres to the nearest place of a name, in a state if one is named; None where none is known.

        Of places that share a name, those much smaller than the largest count only for people who live near.
        """
        circles = self._points.get(name, ())
        meant = [point for point in circles if state in {None, point.state}] or circles
        largest = max((point.adults for point in meant), default=0.0)
        away = [(_kilometres(point, latitude, longitude), point.adults) for point in meant]
        return min(
            (far for far, adults in away if far <= LOCAL_KM or adults >= LESSER * largest), default=None
        )

    def counties(self, city: str, state: str) -> frozenset[str]:
        """The subregions that a municipality of a region lies in, by its postcodes."""
        return frozenset(self._counties.get((city, state), ()))


def _kilometres(point: Point, latitude: float, longitude: float) -> float:
    """To the edge of a circle, on a sphere."""
    north, east = radians(point.latitude - latitude), radians(point.longitude - longitude)
    chord = sin(north / 2) ** 2 + cos(radians(latitude)) * cos(radians(point.latitude)) * sin(east / 2) ** 2
    return max(0.0, 2 * EARTH_KM * asin(sqrt(min(1.0, chord))) - point.radius)
