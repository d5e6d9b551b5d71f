"""SharedPlaces: a number of places divided among workers, of which no more are ever taken than there are."""

from __future__ import annotations

from collections.abc import Mapping


class SharedPlaces:
    """Leases of places. A worker that wants few leaves the rest to others; what nobody wants is divided evenly.

    A worker may act on its former lease until it has read the new one: until its next report, it is taken to hold the
    larger of the two, and others get no more than what is left beside that.
    """

    def __init__(self) -> None:
        """Nobody holds anything."""
        self._leased: dict[int, int] = {}
        self._held: dict[int, int] = {}
        self._wanted: dict[int, int] = {}

    def lease(self, worker: int, used: int, wanted: int, places: int) -> int:
        """Take a worker's report and return how many places it may use from now on.

        Args:
            worker: its number.
            used: places that it uses.
            wanted: places that it would use if it could, those that it uses included.
            places: that all workers may use together now.
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
    """Max-min fair shares: those who want least get what they want, the others the same; then the rest evenly."""
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
