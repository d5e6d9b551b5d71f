"""Guide table: cumulative thresholds of table rows with an index, for fast draws by inversion.

A run is the part of a row from which one state is drawn: ascending thresholds, as fractions of 2^32. The first
threshold that reaches a number selects the state; a guide (Chen and Asau 1974) says where to start the search. Unlike
alias tables, inversion builds a run under evidence by running sums alone, and draws are monotone in their numbers,
which stratified sampling needs.
"""

from __future__ import annotations

from threading import Lock

import numpy as np
import numpy.typing as npt

from census_personas.foundation.arrays import AnyCodes, AnyFloats
from census_personas.foundation.randomness import Fractions
from census_personas.foundation.threads import each
from census_personas.generator.sampling.product import Product

Index = npt.NDArray[np.signedinteger]
Thresholds = npt.NDArray[np.uint32]

LAST = 2**32 - 1
"""Threshold of the last possible state: it accepts every number."""
MOST_BITS = 5
CHUNK = 1 << 19
"""Comparisons per step when guides are computed: few enough for the processor's cache."""

FEW = 1 << 14
"""Below this many runs, computing them is faster than starting threads."""
SPARSE = 512
"""Runs per number above which sorting the numbers is faster than marking runs in a mask."""


def smallest(states: int) -> np.dtype[np.integer]:
    """Return the smallest dtype for the codes of so many states."""
    return np.min_scalar_type(states - 1)


class Entries:
    """Runs of thresholds of a product, computed when a draw first needs them.

    Rows get a place in the order of first use, so that only used rows take memory. For each equal part of the number
    range, a guide entry is 2 x (states to skip + 1), plus 1 if more than one state may follow. 0 means that the run is
    not computed yet; place 0 belongs to all rows without a place, and its entries are all 0.

    Attributes:
        kind: dtype of row numbers.
    """

    def __init__(self, product: Product) -> None:
        """Prepare the runs of a product; none is computed yet."""
        self._product = product
        lengths = np.diff(product.bounds)
        rows, width = int(np.prod(product.shape, dtype=np.int64)), len(product.states)
        bits = min(int((lengths**2).sum() / width).bit_length(), MOST_BITS)  # by the average state's run
        self._thresholds = np.zeros((rows + 1, width), dtype=np.uint32)
        self._guide = np.zeros(
            (rows + 1, len(lengths), 1 << bits), dtype=smallest(2 * int(lengths.max()) + 4)
        )
        self.kind: np.dtype[np.signedinteger] = np.dtype(
            np.int32 if max(self._thresholds.size, self._guide.size) < 2**31 else np.int64
        )
        self._places = np.zeros(rows, dtype=self.kind)
        self._placed = 0
        self._firsts = product.bounds[:-1].astype(self.kind)
        self._lock = Lock()

    def draw(self, rows: Index, runs: AnyCodes | None, numbers: Fractions) -> AnyCodes:
        """Draw one state per number from its run, or from its whole row if it has one run."""
        place, guide = self._guided(rows, runs, numbers)
        if not guide.all():
            missing = np.flatnonzero(guide == 0)
            late_rows, late_runs = rows.take(missing), None if runs is None else runs.take(missing)
            self._reach(late_rows, late_runs)
            place[missing], guide[missing] = self._guided(late_rows, late_runs, numbers.take(missing))
        place *= self._thresholds.shape[1]
        state = guide >> 1
        state -= 1
        if runs is not None:
            first = self._firsts.take(runs, mode="clip")
            place += first
        place += state
        beyond = self._thresholds.ravel().take(place, mode="clip") < numbers
        state += beyond
        guide &= beyond
        late = np.flatnonzero(guide.astype(np.bool_))
        more = _further(self._thresholds.ravel(), place.take(late) + 1, numbers.take(late))
        state[late] += more.astype(state.dtype)
        return state if runs is None else state + first

    def whole(self) -> None:
        """Compute every run."""
        self._reach(*np.divmod(np.arange(len(self._places) * len(self._firsts)), len(self._firsts)))

    def _guided(self, rows: Index, runs: AnyCodes | None, numbers: Fractions) -> tuple[Index, AnyCodes]:
        """Return the places of rows and the guide entries of numbers."""
        _, count, parts = self._guide.shape
        place = self._places.take(rows, mode="clip")
        part = place * count
        if runs is not None:
            part += runs
        part *= parts
        part += (numbers >> np.uint32(33 - parts.bit_length())).view(np.int32)
        return place, self._guide.ravel().take(part, mode="clip")

    def _reach(self, rows: Index, runs: AnyCodes | None) -> None:
        """Compute the missing runs among these."""
        count = len(self._firsts)
        asked = rows if runs is None else rows * count + runs
        with self._lock:
            rows, run = np.divmod(_distinct(asked, len(self._places) * count), count)
            self._place(rows)
            missing = self._guide[self._places.take(rows), run, 0] == 0
            self._make(rows[missing], run[missing])

    def _place(self, rows: Index) -> None:
        """Give a place to rows without one."""
        new = rows[self._places.take(rows) == 0]
        new = new[np.diff(new, prepend=-1) > 0]
        self._places[new] = np.arange(self._placed + 1, self._placed + len(new) + 1)
        self._placed += len(new)

    def _make(self, rows: Index, runs: Index) -> None:
        """Compute runs, grouped by their states; many runs use all processor cores."""
        bounds, places, located = self._product.bounds, self._places.take(rows), self._product.located(rows)
        tasks = []
        for run in np.flatnonzero(np.diff(bounds)).tolist():
            states = slice(int(bounds[run]), int(bounds[run + 1]))
            mine = np.flatnonzero(runs == run)
            size = max(CHUNK // ((states.stop - states.start) * self._guide.shape[-1]), 1)
            tasks += [(mine[top : top + size], run, states) for top in range(0, len(mine), size)]

        def fill(task: tuple[Index, int, slice]) -> None:
            some, run, states = task
            weights = self._product.weights([at.take(some, mode="clip") for at in located], states)
            sums = np.array(weights.T, order="C")
            found = np.empty_like(sums, dtype=np.uint32)
            _thresholds(sums, found)
            self._thresholds[places[some], states] = found.T
            self._guide[places[some], run] = _guide(found, self._guide.shape[-1], self._guide.dtype).T

        if len(rows) < FEW:
            for task in tasks:
                fill(task)
        else:
            each(fill, tasks)


def _distinct(numbers: Index, count: int) -> Index:
    """Return the distinct numbers below `count` in order, by sorting or by a mask, whichever is faster."""
    if len(numbers) * SPARSE < count:
        return np.unique(numbers)
    present = np.zeros(count, dtype=np.bool_)
    present[numbers] = True
    return np.flatnonzero(present)


def _further(thresholds: Thresholds, at: Index, numbers: Fractions) -> Index:
    """Count the thresholds below each number, from a place on."""
    steps = np.zeros(len(at), dtype=at.dtype)
    going = np.arange(len(at))
    while len(going):
        on = np.flatnonzero(thresholds.take(at, mode="clip") < numbers)
        going, at, numbers = going.take(on), at.take(on) + 1, numbers.take(on)
        steps[going] += 1
    return steps


def _thresholds(weights: AnyFloats, found: Thresholds) -> None:
    """Compute thresholds of states (first axis); `weights` become running sums."""
    for state in range(1, len(weights)):
        weights[state] += weights[state - 1]
    total = weights[-1]
    scale = np.divide(LAST, total, out=np.zeros(len(total)), where=total > 0, dtype=np.float64)
    np.add(weights * scale, 0.5, out=found, casting="unsafe")


def _guide(thresholds: Thresholds, parts: int, kind: np.dtype[np.unsignedinteger]) -> AnyCodes:
    """Compute the guide entries of each equal part of the number range."""
    part = (thresholds >> np.uint32(33 - parts.bit_length())).astype(np.uint8)
    below = part[:, None] < np.arange(parts + 1, dtype=np.uint8)[:, None]
    below[:, 0] = thresholds == 0
    below[:, -1] = thresholds < LAST
    count: AnyCodes = np.add.reduce(below.view(np.uint8), axis=0, dtype=kind)
    guide: AnyCodes = (count[:-1] + kind.type(1)) << kind.type(1)
    guide |= np.diff(count, axis=0) > 1
    return guide
