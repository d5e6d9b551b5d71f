"""Nearby towns: towns that a resident of a postcode would know, for local colour in prompts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from census_personas.foundation.arrays import Floats

if TYPE_CHECKING:
    from census_personas.census_priors.places import Places

_KNOWN = 12
# Fewest adults of a place whose name means something to people who live elsewhere.
_SMALLEST = 1_500

Coordinates = Floats


class NearbyTowns:
    """Finds the nearest sizeable towns of the same region; caches results by region and postcode."""

    def __init__(self, places: Places) -> None:
        """Compute nothing yet."""
        self._places = places
        self._regions: dict[str, tuple[tuple[str, ...], Coordinates]] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def towns(self, postcode: str) -> tuple[str, ...]:
        """Return up to twelve towns, nearest first, without the town of the postcode itself.

        Distances are on a flat map, scaled at the postcode's latitude: good enough to order neighbours.
        """
        if postcode not in self._known:
            self._known[postcode] = self._nearest(postcode)
        return self._known[postcode]

    def _nearest(self, postcode: str) -> tuple[str, ...]:
        home = self._places.get(postcode)
        if home.region not in self._regions:
            self._regions[home.region] = self._towns(home.region)
        names, at = self._regions[home.region]
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
        return tuple(names[i] for i in order if names[i] != home.municipality)[:_KNOWN]

    def _towns(self, region: str) -> tuple[tuple[str, ...], Coordinates]:
        mine = np.flatnonzero(self._places.column("region") == region)
        columns = {
            name: self._places.column(name)[mine]
            for name in ("municipality", "adults", "latitude", "longitude")
        }
        names, inverse = np.unique(columns["municipality"].astype(str), return_inverse=True)
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
