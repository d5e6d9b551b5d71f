"""Atlas: the distance of a place that a text names from where the person lives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import asin, cos, inf, radians, sin, sqrt
from typing import NamedTuple

from census_personas.validators.text.prose import plain

EARTH_KM = 6371.0
POSTCODE_KM = 5.0  # tolerance: distance of a postcode's centre from the place that it belongs to
KNOWN_FROM = 15_000  # fewest adults of the largest place of a name; names of smaller towns are too ambiguous
LESSER = 0.02  # a namesake with less than this share of the largest one's adults counts only within LOCAL_KM
LOCAL_KM = 100.0
COUNTIES = (" County", " Parish", " Borough", " Municipio")


class Point(NamedTuple):
    """A circle around a place: coordinates in degrees, radius in kilometres."""

    latitude: float
    longitude: float
    radius: float
    state: str = ""
    adults: float = inf


class Atlas:
    """Cities, counties, states and landmarks: name -> all places of that name."""

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
            known: smaller towns to index as well.
            without: names to leave out because they usually mean something other than the place.
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
            name: circles for name, circles in points.items() if name in kept or name.endswith(COUNTIES)
        }
        self._points |= {
            name: [*points.get(name, ()), *(Point(north, east, radius) for north, east, radius in circles)]
            for name, circles in landmarks.items()
        }
        self._codes = {name: code for code, name in region_names.items()}

    def __contains__(self, name: object) -> bool:
        """Return whether a place of this name is known."""
        return name in self._points

    def is_state(self, name: str) -> bool:
        """Return whether a name is a state's; states have no single centre to measure to."""
        return name in self._codes

    def state_code(self, name: str) -> str | None:
        """Return the code of a state from its name or code; None if unknown."""
        return name if name in self._codes.values() else self._codes.get(name)

    def distance(
        self, name: str, latitude: float, longitude: float, state: str | None = None
    ) -> float | None:
        """Return kilometres to the nearest place of a name (in `state`, if named); None if no place is known.

        Places much smaller than their largest namesake count only within `LOCAL_KM`.
        """
        circles = self._points.get(name, ())
        meant = [point for point in circles if state in {None, point.state}] or circles
        largest = max((point.adults for point in meant), default=0.0)
        away = [(_kilometres(point, latitude, longitude), point.adults) for point in meant]
        return min(
            (far for far, adults in away if far <= LOCAL_KM or adults >= LESSER * largest), default=None
        )

    def counties(self, city: str, state: str) -> frozenset[str]:
        """Return the subregions that a municipality lies in, by its postcodes."""
        return frozenset(self._counties.get((city, state), ()))


def _kilometres(point: Point, latitude: float, longitude: float) -> float:
    """Return the great-circle distance to the edge of a circle."""
    north, east = radians(point.latitude - latitude), radians(point.longitude - longitude)
    chord = sin(north / 2) ** 2 + cos(radians(latitude)) * cos(radians(point.latitude)) * sin(east / 2) ** 2
    return max(0.0, 2 * EARTH_KM * asin(sqrt(min(1.0, chord))) - point.radius)
