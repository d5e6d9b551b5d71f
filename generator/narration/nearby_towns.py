"""Nearby towns: towns that somebody in a ZIP code would know, for local colour in prompts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from census_personas.foundation.arrays import Floats

if TYPE_CHECKING:
    from census_personas.census_priors.places import Places

_KNOWN = 12
# Below this many adults a place name means little to those who live elsewhere.
_SMALLEST = 1_500

Coordinates = Floats


class NearbyTowns:
    """The nearest sizeable towns of the same state; what is known of states and ZIP codes is kept."""

    def __init__(self, places: Places) -> None:
        """Nothing is computed yet."""
        self._places = places
        self._states: dict[str, tuple[tuple[str, ...], Coordinates]] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def towns(self, zipcode: str) -> tuple[str, ...]:
        """Up to twelve towns, nearest first, without the one that the ZIP code belongs to.

        Distances are on a flat map scaled at the ZIP code's latitude, good enough to order neighbours.
        """
        if zipcode not in self._known:
            self._known[zipcode] = self._nearest(zipcode)
        return self._known[zipcode]

    def _nearest(self, zipcode: str) -> tuple[str, ...]:
        home = self._places.get(zipcode)
        if home.state not in self._states:
            self._states[home.state] = self._towns(home.state)
        names, at = self._states[home.state]
        if not names:
            return ()
        north, east = at[0] - home.latitude, at[1] - home.longitude
        east *= math.cos(math.radians(home.latitude))
        distance = north * north + east * east
        near = np.arange(len(names))
        if len(names) > _KNOWN + 1:
            ranked = distance.copy()
            ranked.partition(_KNOWN)
            near = (distance <= ranked[_KNOWN]).nonzero()[0]
        order = near[distance[near].argsort(kind="stable")].tolist()[: _KNOWN + 1]
        return tuple(names[i] for i in order if names[i] != home.city)[:_KNOWN]

    def _towns(self, state: str) -> tuple[tuple[str, ...], Coordinates]:
        mine = np.flatnonzero(self._places.column("state") == state)
        columns = {
            name: self._places.column(name)[mine] for name in ("city", "adults", "latitude", "longitude")
        }
        names, inverse = np.unique(columns["city"].astype(str), return_inverse=True)
        adults = np.bincount(inverse, weights=columns["adults"].astype(float))
        count = np.bincount(inverse)
        at = np.stack(
            [
                np.bincount(inverse, weights=columns[axis].astype(float)) / count
                for axis in ("latitude", "longitude")
            ]
        )
        sizeable = adults >= min(_SMALLEST, adults.max(initial=0.0))
        return tuple(names[sizeable].tolist()), np.ascontiguousarray(at[:, sizeable])
