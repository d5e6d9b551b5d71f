"""Core draw: the core joint compiled for drawing, at once or attribute by attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyCodes, AnyFloats, Floats, Integers
from census_personas.foundation.randomness import Fractions
from census_personas.generator.sampling.alias import AliasTable
from census_personas.generator.sampling.conditional_draw import Lookup
from census_personas.generator.sampling.guide_table import smallest

Numbers = Callable[[str], Fractions]
LEADING, TRAILING = "core/leading", "core/trailing"


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of the core in C order, numbered by two parts: leading and trailing attributes.

    Attributes:
        width: number of cells that share their leading attributes.
        halves: the part of each core attribute, and its code by the number of that part.
    """

    width: int
    halves: Mapping[str, tuple[str, AnyCodes]]

    @classmethod
    def of(cls, attributes: Sequence[str], shape: Sequence[int]) -> Cells:
        """Number the cells of an array so that both parts have about equally many numbers."""
        before = np.cumprod([1, *shape], dtype=np.float64)
        middle = int(np.abs(np.log(before**2 / before[-1])).argmin())
        halves = {}
        for half, part in ((LEADING, slice(0, middle)), (TRAILING, slice(middle, len(shape)))):
            grid = np.indices(shape[part])
            for name, states, codes in zip(attributes[part], shape[part], grid, strict=True):
                halves[name] = (half, codes.ravel().astype(smallest(states)))
        return cls(int(np.prod(shape[middle:], dtype=np.int64)), halves)

    def codes(self, cells: npt.NDArray[np.signedinteger]) -> dict[str, AnyCodes]:
        """Return both numbers of each cell, and the codes of every attribute."""
        leading = cells // self.width
        numbers = {LEADING: leading.astype(np.intp), TRAILING: (cells - leading * self.width).astype(np.intp)}
        codes = {name: table.take(numbers[half], mode="clip") for name, (half, table) in self.halves.items()}
        return {**numbers, **codes}

    def combined(self, lookups: Mapping[str, Lookup], hierarchy: Hierarchy) -> dict[str, Lookup]:
        """Combine look-ups by these two numbers where possible: one look-up for all parents in a part."""
        combined: dict[str, Lookup] = {}
        for parent, part in lookups.items():
            fine = next((name for name in hierarchy.chain(parent) if name in self.halves), None)
            if fine is None:
                combined[parent] = part
                continue
            half, codes = self.halves[fine]
            seen = hierarchy.codes(fine, parent).astype(np.int64).take(codes)
            combined[half] = combined.get(half, 0) + (
                seen * part if isinstance(part, int) else part.take(seen)
            )
        return combined


@dataclass(frozen=True, slots=True)
class CoreStep:
    """The core joint as one alias table over its possible cells."""

    table: AliasTable
    cells: Cells

    @classmethod
    def compile(cls, cells: Cells, joint: AnyFloats) -> CoreStep:
        """Compile a joint array; its sum need not be 1."""
        return cls(AliasTable.of(joint.ravel()), cells)

    def draw(self, numbers: Numbers) -> dict[str, AnyCodes]:
        """Draw cells and the codes of every core attribute, from two streams."""
        return self.cells.codes(self.table.draw(numbers("core"), numbers("core/share")))


@dataclass(frozen=True, slots=True)
class ChainStep:
    """The core joint drawn attribute by attribute, each from its own stream.

    It has the distribution of `CoreStep`, at several times its cost. Stratified draws need it: they spread each stream
    evenly, and the attributes of a cell are all spread evenly only if each has its own stream.

    Attributes:
        cells: how cells are numbered.
        shape: number of states of each attribute.
        bounds: cumulative probability before each cell in C order, and 1 at the end.
    """

    cells: Cells
    shape: tuple[int, ...]
    bounds: Floats

    @classmethod
    def compile(cls, cells: Cells, joint: AnyFloats) -> ChainStep:
        """Compile a joint array; its sum need not be 1."""
        bounds = np.zeros(joint.size + 1)
        np.cumsum(joint.ravel(), dtype=np.float64, out=bounds[1:])
        bounds /= bounds[-1]
        return cls(cells, joint.shape, bounds)

    def draw(self, numbers: Numbers) -> dict[str, AnyCodes]:
        """Draw cells and the codes of every core attribute, each from the numbers of its stream."""
        cell: Integers | int = 0
        width = len(self.bounds) - 1
        for name, states in zip(self.cells.halves, self.shape, strict=True):
            u = (numbers(f"core/{name}") + 0.5) * 2.0**-32
            cell = np.zeros(len(u), dtype=np.int64) + cell
            low, high = self.bounds.take(cell), self.bounds.take(cell + width)
            wanted = np.minimum(low + u * (high - low), np.nextafter(high, 0.0))
            width //= states
            code = np.zeros(len(u), dtype=np.int64)
            step = 1 << (states - 1).bit_length() >> 1
            # Bisection: the last possible state whose lower bound is at or below the number.
            while step:
                probe = np.minimum(code + step, states - 1)
                code = np.where(self.bounds.take(cell + probe * width) <= wanted, probe, code)
                step >>= 1
            cell = cell + code * width
        return self.cells.codes(np.asarray(cell, dtype=np.int64))
