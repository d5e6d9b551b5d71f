"""Sampler: a network compiled to steps, which draws blocks of rows on every processor core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil

import numpy as np

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.foundation.arrays import AnyCodes, Indices
from census_personas.foundation.randomness import Fractions, fractions
from census_personas.foundation.threads import computed_once, cores, each
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.sampling.conditional_draw import FixedStep, TableStep, compile_product
from census_personas.generator.sampling.conditioning import Conditioned
from census_personas.generator.sampling.core_draw import Cells, ChainStep, CoreStep
from census_personas.generator.sampling.guide_table import smallest
from census_personas.generator.sampling.leaf_draw import RaggedStep, compile_leaf
from census_personas.generator.sampling.product import Product

BLOCK = 1 << 17
"""Rows drawn at once: enough that threads seldom wait for the interpreter lock between numpy calls."""

Step = TableStep | RaggedStep | FixedStep
Stream = Callable[[int, str, int, int], Fractions]
"""Function from (seed, stream, first row, count) to uniform numbers."""


def in_blocks(draw: Callable[[int, int], dict[str, AnyCodes]], start: int, count: int) -> dict[str, AnyCodes]:
    """Draw rows `start` up to `start + count` in parallel blocks; `draw` takes a first row and a count."""
    if count <= BLOCK:
        return draw(start, count)
    rounds = ceil(count / (cores() * BLOCK))
    size = ceil(count / (cores() * rounds))  # so that all threads finish together
    blocks = [(at, min(size, start + count - at)) for at in range(start, start + count, size)]
    whole: dict[str, AnyCodes] = {}

    def fill(block: tuple[int, int]) -> None:
        at, size = block[0] - start, block[1]
        for name, codes in draw(*block).items():
            whole.setdefault(name, np.empty(count, codes.dtype))[at : at + size] = codes

    each(fill, blocks)
    return whole


@dataclass(frozen=True)
class Part:
    """A step that is compiled when it is first needed."""

    child: str
    states: int
    make: Callable[[], Step]

    @computed_once
    def step(self) -> Step:
        """The compiled step."""
        return self.make()


@dataclass(frozen=True)
class Sampler:
    """A compiled network: draws codes of every attribute for any run of rows.

    Attributes:
        network: the model; coarser views are looked up from finer codes.
        parts: conditionals and leaves in sampling order.
        chained: whether core attributes are drawn one by one, each from its own stream.
    """

    network: Network
    parts: tuple[Part, ...]
    chained: bool = False

    @classmethod
    def compile(cls, network: Network, leaves: Sequence[Leaf]) -> Sampler:
        """Compile a sampler for a network and its leaves."""
        nodes = [
            Part(
                node.child,
                node.table.shape[-1],
                partial(compile_product, Product.of(node, network.hierarchy)),
            )
            for node in network.nodes
        ]
        beside = [Part(leaf.child, len(leaf.table.states), partial(compile_leaf, leaf)) for leaf in leaves]
        return cls(network, (*nodes, *beside))

    def given(self, conditioned: Conditioned, leaves: Sequence[Leaf]) -> Sampler:
        """Return the sampler of the conditioned model; steps without evidence are shared."""
        beside = {leaf.child: leaf for leaf in leaves}

        def part(old: Part) -> Part:
            child = old.child
            if child in conditioned.fixed:
                kind = smallest(old.states)
                return replace(old, make=partial(FixedStep, child, conditioned.fixed[child], kind))
            if child in conditioned.products:
                return replace(old, make=partial(compile_product, conditioned.products[child]))
            if child in conditioned.allowed:
                weights = conditioned.allowed[child]
                return replace(old, make=partial(compile_leaf, beside[child], weights))
            return old

        network = replace(self.network, core=conditioned.core)
        return replace(self, network=network, parts=tuple(part(old) for old in self.parts))

    @computed_once
    def cells(self) -> Cells:
        """The numbering of the core's cells."""
        return Cells.of(self.network.core_attributes, self.network.core.shape)

    @computed_once
    def core(self) -> CoreStep | ChainStep:
        """The compiled core."""
        step = ChainStep if self.chained else CoreStep
        return step.compile(self.cells, self.network.core)

    @computed_once
    def steps(self) -> tuple[Step, ...]:
        """The compiled steps, with rows selected by core cells where possible."""
        steps = (part.step for part in self.parts)
        return tuple(
            step
            if isinstance(step, FixedStep)
            else replace(step, lookups=self.cells.combined(step.lookups, self.network.hierarchy))
            for step in steps
        )

    def compiled(self) -> Sampler:
        """Compile every step now, and return the sampler; rows are still computed on demand."""
        each(lambda part: part.step if part else self.core, [None, *self.parts])
        return self

    def ready(self) -> Sampler:
        """Compute every row of every step on all processor cores, and return the sampler."""
        for part in self.compiled().parts:
            if not isinstance(part.step, FixedStep):
                part.step.whole()
        return self

    def draw(self, seed: int, start: int, count: int, stream: Stream = fractions) -> dict[str, AnyCodes]:
        """Draw rows `start` up to `start + count`; each row is a function of (sampler, seed, row)."""
        if count > BLOCK:  # threads would compile the same steps
            self.compiled()
        return in_blocks(
            lambda at, size: self.draw_by(lambda name: stream(seed, name, at, size)), start, count
        )

    def draw_by(self, numbers: Callable[[str], Fractions]) -> dict[str, AnyCodes]:
        """Draw codes from the numbers of each stream, each attribute in the smallest dtype."""
        codes = CodesByAttribute(self.network.hierarchy, self.core.draw(numbers))
        for step in self.steps:
            codes[step.child] = step.draw(codes, numbers(step.child))
        drawn = (*self.network.core_attributes, *(part.child for part in self.parts))
        return {name: codes[name] for name in drawn}


class CodesByAttribute(dict[str, AnyCodes]):
    """Codes by attribute; coarser views are looked up on first access."""

    def __init__(self, hierarchy: Hierarchy, codes: Mapping[str, AnyCodes]) -> None:
        """Start with the codes of some attributes of a hierarchy."""
        super().__init__(codes)
        self._hierarchy = hierarchy

    def __missing__(self, attribute: str) -> AnyCodes:
        """Look up the codes of a view."""
        fine = next(name for name in self._hierarchy.chain(attribute)[1:] if name in self)
        table = self._hierarchy.codes(fine, attribute)
        codes = table.astype(smallest(int(table.max()) + 1)).take(self[fine])
        self[attribute] = codes
        return codes

    def of_rows(self, rows: Indices) -> CodesByAttribute:
        """Select some rows."""
        return CodesByAttribute(self._hierarchy, {name: codes.take(rows) for name, codes in self.items()})
