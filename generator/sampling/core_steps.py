"""Core steps: the core joint as cumulative tables, drawn from by inversion, at once or attribute by attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from persona_engine.generator.model.fitting import FitError
from persona_engine.generator.sampling.steps import Codes, Uniform

BYTES = 8
MOST_STATES = 256


@dataclass(frozen=True, slots=True)
class CoreStep:
    """The core joint: its possible cells with their cumulative probabilities, and a guide into them.

    Attributes:
        attributes: attributes of a cell, eight at most.
        cells: complex128 a cell, so that one look-up gets both parts: the real part is the cumulative probability
            (ascending, the last one 1), the bits of the imaginary part are one byte for the code of each attribute.
        guide: first cell whose cumulative probability exceeds i / (len(guide) - 1), for every i.
    """

    attributes: tuple[str, ...]
    cells: npt.NDArray[np.complex128]
    guide: npt.NDArray[np.int32]

    @classmethod
    def compile(cls, attributes: tuple[str, ...], joint: npt.NDArray[np.floating]) -> CoreStep:
        """Compile a joint array; its sum need not be 1.

        Raises:
            FitError: more attributes, or more states of one, than a packed cell holds.
        """
        if joint.ndim > BYTES or max(joint.shape) > MOST_STATES:
            raise FitError(
                f"core: {joint.ndim} attributes of {' x '.join(map(str, joint.shape))} states; it takes at most "
                f"{BYTES} of at most {MOST_STATES} states: make the others conditionals"
            )
        flat = joint.ravel()
        held = np.flatnonzero(flat > 0)
        parts = np.empty((len(held), 2))
        cumulative = parts[:, 0]
        np.cumsum(flat[held], dtype=np.float64, out=cumulative)
        cumulative /= cumulative[-1]
        cumulative[-1] = 1.0
        slots = 2 << max(int(len(held) - 1).bit_length(), 1)
        first = np.ceil(cumulative * slots).astype(np.int64)
        guide = np.cumsum(np.bincount(first, minlength=slots + 1), dtype=np.int32)
        np.minimum(guide, len(held) - 1, out=guide)
        packed = np.zeros(joint.shape, dtype="<u8")
        for axis, states in enumerate(joint.shape):
            shape = [1] * joint.ndim
            shape[axis] = states
            packed += (np.arange(states, dtype=np.uint64) << np.uint64(8 * axis)).reshape(shape)
        parts.view("<u8")[:, 1] = packed.ravel()[held]
        return cls(attributes, parts.view(np.complex128).ravel(), guide)

    def draw(self, numbers: Callable[[str], Uniform]) -> dict[str, Codes]:
        """Codes of every core attribute, from the uniforms of one stream."""
        u = numbers("core")
        slot = (u * (len(self.guide) - 1)).astype(np.int64)
        cell = self.cells.take(self.guide.take(slot, mode="clip"), mode="clip")
        late = np.flatnonzero(cell.real <= u)
        cell[late] = self.cells.take(self._bisect(u[late], slot[late]), mode="clip")
        codes = cell.view(np.uint8).reshape(-1, 2 * BYTES)[:, BYTES:]
        return {name: codes[:, i].astype(np.int64) for i, name in enumerate(self.attributes)}

    def _bisect(self, u: Uniform, slot: Codes) -> Codes:
        """First cell above u, between the first cells of its slot and of the next."""
        low, high = self.guide.take(slot).astype(np.int64), self.guide.take(slot + 1).astype(np.int64)
        while (low < high).any():
            middle = (low + high) // 2
            below = self.cells.take(middle).real <= u
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        return low


@dataclass(frozen=True, slots=True)
class ChainStep:
    """The core joint drawn attribute by attribute, each from a stream of its own.

    It has the distribution of `CoreStep`, at several times its cost. Stratified draws need it: they spread each stream
    evenly, and a cell's attributes can be spread evenly all at once only if each has a stream.

    Attributes:
        attributes: attributes of a cell.
        shape: their numbers of states.
        bounds: cumulative probability before each cell in C order, and 1 at the end.
    """

    attributes: tuple[str, ...]
    shape: tuple[int, ...]
    bounds: npt.NDArray[np.float64]

    @classmethod
    def compile(cls, attributes: tuple[str, ...], joint: npt.NDArray[np.floating]) -> ChainStep:
        """Compile a joint array; its sum need not be 1."""
        bounds = np.zeros(joint.size + 1)
        np.cumsum(joint.ravel(), dtype=np.float64, out=bounds[1:])
        bounds /= bounds[-1]
        return cls(attributes, joint.shape, bounds)

    def draw(self, numbers: Callable[[str], Uniform]) -> dict[str, Codes]:
        """Codes of every core attribute, each from the uniforms of its stream."""
        codes = {}
        cell: Codes | int = 0
        width = len(self.bounds) - 1
        for name, states in zip(self.attributes, self.shape, strict=True):
            u = numbers(f"core/{name}")
            cell = np.zeros(len(u), dtype=np.int64) + cell
            low, high = self.bounds.take(cell), self.bounds.take(cell + width)
            wanted = np.minimum(low + u * (high - low), np.nextafter(high, 0.0))
            width //= states
            code = np.zeros(len(u), dtype=np.int64)
            step = 1 << (states - 1).bit_length() >> 1
            while (
                step
            ):  # bisection: the last state that begins at or below the number, of those that anybody has
                probe = np.minimum(code + step, states - 1)
                code = np.where(self.bounds.take(cell + probe * width) <= wanted, probe, code)
                step >>= 1
            codes[name] = code
            cell = cell + code * width
        return codes
