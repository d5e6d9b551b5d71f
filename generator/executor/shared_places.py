"""SharedPlaces: divides a number of places among workers, and never leases more than there are."""

from __future__ import annotations

from collections.abc import Mapping


class SharedPlaces:
    """Leases of places. A worker gets what it wants up to a fair share; places that nobody wants are divided evenly.

    A worker may act on its former lease until it has read the new one. Until its next report it therefore counts as
    holding the larger of the two, and the others share the rest.
    """

    def __init__(self) -> None:
        """Start without leases."""
        self._leased: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._wanted: dict[int, int] = {}

    def lease(self, worker: int, used: int, wanted: int, places: int) -> int:
        """Take a worker's report and return how many places it may use from now on.

        Args:
            worker: its number.
            used: number of places that it uses.
            wanted: number of places that it could use, including those in use.
            places: number of places of all workers together.
        """
        before = max(used, self._leased.get(worker, 0))
        self._wanted[worker] = wanted
        others = sum(self._held.values()) - self._held.get(worker, 0)
        leased = max(0, min(_fair_share(self._wanted, places)[worker], places - others))
        self._leased[worker] = leased
        self._held[worker] = max(before, leased)
        return leased

    def release(self, worker: int) -> None:
        """Take back all places of a worker."""
        for kept in (self._leased, self._held, self._wanted):
            kept.pop(worker, None)


def _fair_share(wanted: Mapping[int, int], places: int) -> dict[int, int]:
    """Compute max-min fair shares of what is wanted; the rest is divided evenly."""
    shares = {}
    left = places
    for waiting, (worker, wants) in enumerate(sorted(wanted.items(), key=lambda item: (item[1], item[0]))):
        shares[worker] = min(wants, left // (len(wanted) - waiting))
        left -= shares[worker]
    for waiting, worker in enumerate(shares):
        more = left // (len(shares) - waiting)
        shares[worker] += more
        left -= more
    return shares
