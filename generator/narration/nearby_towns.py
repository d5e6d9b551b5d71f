"""Nearby towns: towns that somebody in a postcode would know, for local colour in prompts."""

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
    """The nearest sizeable towns of the same region; what is known of regions and postcodes is kept."""

    def __init__(self, places: Places) -> None:
        """Nothing is computed yet."""
        self._places = places
        self._regions: dict[str, tuple[tuple[str, ...], Coordinates]] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    def towns(self, postcode: str) -> tuple[str, ...]:
        """Up to twelve towns, nearest first, without the one that the postcode belongs to.

        Distances are on a flat map scaled at the postcode's latitude, good enough to order neighbours.
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
