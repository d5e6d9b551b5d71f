"""Sampler: a network compiled to steps, drawn in blocks of rows on every core."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import ceil

import numpy as np
import numpy.typing as npt

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.model.leaves import Leaf
from persona_engine.generator.model.network import Network
from persona_engine.generator.sampling.conditioning import Conditioned
from persona_engine.generator.sampling.core_steps import ChainStep, CoreStep
from persona_engine.generator.sampling.randomness import uniforms
from persona_engine.generator.sampling.steps import (
    Codes,
    FixedStep,
    Step,
    Uniform,
    compile_leaf,
    compile_node,
)

BLOCK = 1 << 17
"""Rows drawn at once: so many that threads seldom wait for the interpreter's lock between two numpy calls."""

Drawn = npt.NDArray[np.integer]
"""Codes of many rows, in the smallest type that holds them."""
Stream = Callable[[int, str, int, int], Uniform]
"""Uniform numbers of (seed, stream, first row, count)."""


def in_blocks(draw: Callable[[int, int], dict[str, Drawn]], start: int, count: int) -> dict[str, Drawn]:
    """Draw rows `start` up to `start + count` by blocks, on every core; `draw` takes a first row and a count."""
    if count <= BLOCK:
        return draw(start, count)
    threads = os.cpu_count() or 1
    rounds = ceil(count / (threads * BLOCK))
    size = ceil(count / (threads * rounds))  # all threads end together
    blocks = [(at, min(size, start + count - at)) for at in range(start, start + count, size)]
    with ThreadPoolExecutor(threads) as pool:  # numpy works outside the interpreter's lock
        parts = list(pool.map(lambda block: draw(*block), blocks))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class Part:
    """A step that is compiled when it is first needed."""

    child: str
    states: int
    make: Callable[[], Step]

    @cached_property
    def step(self) -> Step:
        """The compiled step."""
        return self.make()


@dataclass(frozen=True)
class Sampler:
    """A compiled network: draws codes of every attribute for any run of rows.

    Attributes:
        network: the model; its core is compiled, and coarser views are looked up from finer codes.
        parts: conditionals and leaves in sampling order.
        chained: whether core attributes are drawn one by one, each from a stream of its own.
    """

    network: Network
    parts: tuple[Part, ...]
    chained: bool = False

    @classmethod
    def compile(cls, network: Network, leaves: Sequence[Leaf]) -> Sampler:
        """A sampler of everything a network and its leaves give."""
        hierarchy = network.hierarchy
        nodes = [
            Part(node.child, node.table.shape[-1], partial(compile_node, node, hierarchy))
            for node in network.nodes
        ]
        beside = [Part(leaf.child, len(leaf.table.states), partial(compile_leaf, leaf)) for leaf in leaves]
        return cls(network, (*nodes, *beside))

    def given(self, conditioned: Conditioned, leaves: Sequence[Leaf]) -> Sampler:
        """The sampler of the conditioned model; steps that evidence leaves alone are shared."""
        hierarchy = conditioned.network.hierarchy
        nodes = {node.child: node for node in conditioned.network.nodes}
        beside = {leaf.child: leaf for leaf in leaves}

        def part(old: Part) -> Part:
            child = old.child
            if child in conditioned.fixed:
                return replace(old, make=partial(FixedStep, child, conditioned.fixed[child]))
            if child in conditioned.changed:
                return replace(old, make=partial(compile_node, nodes[child], hierarchy))
            if child in conditioned.allowed:
                weights = conditioned.allowed[child]
                return replace(old, make=partial(compile_leaf, beside[child], weights))
            return old

        return replace(self, network=conditioned.network, parts=tuple(part(old) for old in self.parts))

    @cached_property
    def core(self) -> CoreStep | ChainStep:
        """The compiled core."""
        step = ChainStep if self.chained else CoreStep
        return step.compile(self.network.core_attributes, self.network.core)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The compiled steps."""
        return tuple(part.step for part in self.parts)

    def ready(self) -> Sampler:
        """Itself, with everything compiled, on every core."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy works outside the interpreter's lock
            core = pool.submit(lambda: self.core)
            list(pool.map(lambda part: part.step, self.parts))
            core.result()
        return self

    def draw(self, seed: int, start: int, count: int, stream: Stream = uniforms) -> dict[str, Drawn]:
        """Codes of rows `start` up to `start + count`, a function of (sampler, seed, row) row by row."""
        ready = self.ready()
        return in_blocks(
            lambda at, size: ready.draw_by(lambda name: stream(seed, name, at, size)), start, count
        )

    def draw_by(self, numbers: Callable[[str], Uniform]) -> dict[str, Drawn]:
        """Codes for the uniforms that `numbers` gives of each stream, each in the smallest type that holds them."""
        codes = _Codes(self.network.hierarchy, self.core.draw(numbers))
        for step in self.steps:
            codes[step.child] = step.draw(codes, numbers(step.child))
        return {name: codes[name].astype(kind) for name, kind in self._kinds.items()}

    @cached_property
    def _kinds(self) -> dict[str, np.dtype[np.integer]]:
        sizes = {name: self.network.size(name) for name in self.network.core_attributes}
        sizes |= {part.child: part.states for part in self.parts}
        return {name: np.min_scalar_type(size - 1) for name, size in sizes.items()}


class _Codes(dict[str, Codes]):
    """Codes by attribute; a coarser view of one that is there is looked up when it is asked for."""

    def __init__(self, hierarchy: Hierarchy, codes: Mapping[str, Codes]) -> None:
        super().__init__(codes)
        self._hierarchy = hierarchy

    def __missing__(self, attribute: str) -> Codes:
        fine = next(name for name in self._hierarchy.chain(attribute)[1:] if name in self)
        codes = self._hierarchy.codes(fine, attribute).astype(np.int64).take(self[fine])
        self[attribute] = codes
        return codes
