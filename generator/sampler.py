"""Sampler: a network compiled to steps, drawn in blocks of rows on every core."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from persona_engine.census_priors.hierarchy import Hierarchy
from persona_engine.generator.conditioning import Conditioned
from persona_engine.generator.core_steps import ChainStep, CoreStep
from persona_engine.generator.leaves import Leaf
from persona_engine.generator.network import Network
from persona_engine.generator.randomness import uniforms
from persona_engine.generator.steps import (
    Codes,
    FixedStep,
    Step,
    Uniform,
    compile_leaf,
    compile_node,
)

BLOCK = 1 << 14
"""Rows drawn at once: their temporaries stay in the processor's cache and in the allocator's arenas."""

Stream = Callable[[int, str, int, int], Uniform]
"""Uniform numbers of (seed, stream, first row, count)."""


def in_blocks(draw: Callable[[int, int], dict[str, Codes]], start: int, count: int) -> dict[str, Codes]:
    """Draw rows `start` up to `start + count` by blocks, on every core; `draw` takes a first row and a count."""
    blocks = [(at, min(BLOCK, start + count - at)) for at in range(start, start + count, BLOCK)]
    if len(blocks) == 1:
        return draw(start, count)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy works outside the interpreter's lock
        parts = list(pool.map(lambda block: draw(*block), blocks))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class Sampler:
    """A compiled network: draws codes of every attribute for any run of rows.

    Attributes:
        hierarchy: the domain; coarser views are looked up from finer codes.
        core: the core joint.
        steps: conditionals and leaves in sampling order.
    """

    hierarchy: Hierarchy
    core: CoreStep | ChainStep
    steps: tuple[Step, ...]

    @classmethod
    def compile(cls, network: Network, leaves: tuple[Leaf, ...]) -> Sampler:
        """Compile everything a network and its leaves give."""
        hierarchy = network.hierarchy
        steps: list[Step] = [compile_node(node, hierarchy) for node in network.nodes]
        steps += [compile_leaf(leaf, hierarchy) for leaf in leaves]
        return cls(hierarchy, CoreStep.compile(network.core_attributes, network.core), tuple(steps))

    def given(self, conditioned: Conditioned, leaves: tuple[Leaf, ...]) -> Sampler:
        """The sampler of the conditioned model; steps that evidence leaves alone are shared."""
        network = conditioned.network
        nodes = {node.child: node for node in network.nodes}
        beside = {leaf.child: leaf for leaf in leaves}
        steps: list[Step] = []
        for step in self.steps:
            child = step.child
            if child in conditioned.fixed:
                steps.append(FixedStep(child, conditioned.fixed[child]))
            elif child in conditioned.changed:
                steps.append(compile_node(nodes[child], self.hierarchy))
            elif child in conditioned.allowed:
                steps.append(compile_leaf(beside[child], self.hierarchy, conditioned.allowed[child]))
            else:
                steps.append(step)
        core = CoreStep.compile(network.core_attributes, network.core)
        return Sampler(self.hierarchy, core, tuple(steps))

    def draw(self, seed: int, start: int, count: int, stream: Stream = uniforms) -> dict[str, Codes]:
        """Codes of rows `start` up to `start + count`, a function of (sampler, seed, row) row by row."""
        return in_blocks(
            lambda at, size: self.draw_by(lambda name: stream(seed, name, at, size)), start, count
        )

    def draw_by(self, numbers: Callable[[str], Uniform]) -> dict[str, Codes]:
        """Codes for the uniforms that `numbers` gives of each stream."""
        codes = _Codes(self.hierarchy, self.core.draw(numbers))
        for step in self.steps:
            codes[step.child] = step.draw(codes, numbers(step.child))
        return dict(codes)


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
