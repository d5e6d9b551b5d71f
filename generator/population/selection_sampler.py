"""Selection sampler: conditions a model, tilts it to targets and compiles it, for one selection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import AnyCodes, Floats, Indices
from census_personas.foundation.randomness import Fractions, fractions, stratified_fractions
from census_personas.foundation.threads import computed_once
from census_personas.generator.config.selection import EvidenceError, Selection
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.sampling.conditioning import Conditioned, Evidence, condition
from census_personas.generator.sampling.marginals import joint
from census_personas.generator.sampling.message import Message
from census_personas.generator.sampling.quota import apportion
from census_personas.generator.sampling.sampler import Sampler, in_blocks
from census_personas.generator.sampling.target import MOST_CELLS, Target, read_targets, refuse_many
from census_personas.generator.sampling.tilting import cell_table, tilt, weigh

Achieved = Mapping[str, Mapping[str, tuple[float, float]]]


@dataclass(frozen=True)
class ConditionedModel:
    """A model under a selection, before it is compiled.

    Attributes:
        conditioned: the model.
        evidence, factors: what turns the whole population's model into it.
        achieved: target -> cell -> (wanted share, share in the model).
        nats: KL divergence that targets cause, in nats per person.
        quota: cells with exact numbers of rows, and their shares.
    """

    conditioned: Conditioned
    evidence: Evidence
    factors: Sequence[Message] = ()
    achieved: Achieved = field(default_factory=dict)
    nats: float = 0.0
    quota: tuple[Target, Floats] | None = None


def condition_on(
    conditioned: Conditioned,
    evidence: Evidence,
    selection: Selection,
    network: Network,
    priors: Priors,
    leaves: Sequence[Leaf],
) -> ConditionedModel:
    """Change a conditioned model to meet the targets and the quota of a selection.

    Rows in a quota's cells are distributed as in the model with the quota's shares as a target.

    Raises:
        EvidenceError: a target or quota cannot be read or met.
    """
    targets = read_targets(selection.target, priors, leaves)
    quotas = read_targets(selection.quota, priors, leaves, "quota")
    if len(quotas) > 1:
        together = ",".join(selection.quota)
        raise EvidenceError(f"quota: counts are exact for one table at a time; write it as {together!r}")
    if not targets and not quotas:
        return ConditionedModel(conditioned, evidence)
    if quotas:
        _few(quotas[0], conditioned, evidence, leaves)
    tilted = tilt(network, leaves, evidence, (*targets, *quotas), conditioned)
    quota = None
    if quotas:
        wanted = tilted.achieved[quotas[0].name]
        shares = np.array([wanted.get(label, (0.0, 0.0))[0] for label in quotas[0].labels])
        quota = (quotas[0], shares)
    return ConditionedModel(
        tilted.given, tilted.evidence, tilted.factors, tilted.achieved, tilted.nats, quota
    )


def _few(quota: Target, conditioned: Conditioned, evidence: Evidence, leaves: Sequence[Leaf]) -> None:
    """Refuse a quota of too many cells before tilting the model to it, which would take long."""
    beside = {leaf.child for leaf in leaves}
    if quota.shares is not None:
        counts = [int(np.count_nonzero(quota.shares))]
    elif not evidence and quota.axes[0].source in beside:  # whole population: every name and place occurs
        counts = [len(quota.labels)]
    else:  # every state that occurs is in a cell, so counting one attribute may suffice
        counts = [int(np.count_nonzero(joint(conditioned, leaves, [axis]))) for axis in quota.axes]
        if max(counts) <= MOST_CELLS < len(quota.labels):
            counts.append(int(np.count_nonzero(cell_table(conditioned, leaves, [quota]))))
    refuse_many(f"quota.{quota.name}", max(counts))


@dataclass(frozen=True)
class SelectionSampler:
    """A selection's model, compiled.

    Attributes:
        given: the model.
        network, leaves: the whole population's, from which quota cells are conditioned.
        base: the whole population's sampler; parts that the selection does not change are shared.
        stratified: whether draws are spread evenly.
    """

    given: ConditionedModel
    network: Network
    leaves: tuple[Leaf, ...]
    base: Sampler
    stratified: bool = False

    @computed_once
    def sampler(self) -> Sampler:
        """The sampler of the model without its quota."""
        given = self.given
        plain = not given.evidence and not given.factors
        sampler = self.base if plain else self.base.given(given.conditioned, self.leaves)
        return replace(sampler, chained=True) if self.stratified else sampler

    @computed_once
    def cells(self) -> dict[int, Sampler]:
        """A sampler for every cell of the quota."""
        if self.given.quota is None:
            return {}
        target, shares = self.given.quota
        found = {}
        for cell in np.flatnonzero(shares):
            only = np.zeros(len(shares))
            only[cell] = 1.0
            found[int(cell)] = self._inside([target], [only])
        return found

    def _inside(self, targets: Sequence[Target], weights: Sequence[Floats]) -> Sampler:
        """Return the sampler of the people in a cell; it shares unchanged parts with the sampler of all."""
        if any(leaf.child == targets[0].axes[0].source for leaf in self.leaves):
            factors, evidence = weigh(self.given.evidence, targets, weights, self.network)
            inside = condition(self.network, self.leaves, evidence, (*self.given.factors, *factors))
            base = replace(self.base, chained=self.stratified)
            return base.given(inside, self.leaves)
        network = self.given.conditioned.network
        factors, evidence = weigh({}, targets, weights, network)
        inside = condition(network, (), evidence, factors)
        return self.sampler.given(inside, ())

    def draw(self, seed: int, start: int, count: int) -> dict[str, AnyCodes]:
        """Draw codes of rows `start` up to `start + count`, a function of (model, selection, seed, row)."""
        stream = stratified_fractions if self.stratified else fractions
        if self.given.quota is None:
            return self.sampler.draw(seed, start, count, stream)
        shares, cells = self.given.quota[1], self.cells

        def block(at: int, size: int) -> dict[str, AnyCodes]:
            numbers = _Numbers(lambda name: stream(seed, name, at, size))
            result: dict[str, AnyCodes] = {}
            cell_of = apportion(shares, at, size)
            for cell in np.unique(cell_of):
                rows = np.flatnonzero(cell_of == cell)
                for name, codes in cells[int(cell)].draw_by(numbers.of(rows)).items():
                    result.setdefault(name, np.zeros(size, dtype=codes.dtype))[rows] = codes
            return result

        return in_blocks(block, start, count)


class _Numbers(dict[str, Fractions]):
    """The random numbers of a block by stream, drawn at first use."""

    def __init__(self, draw: Callable[[str], Fractions]) -> None:
        super().__init__()
        self._draw = draw

    def __missing__(self, stream: str) -> Fractions:
        self[stream] = self._draw(stream)
        return self[stream]

    def of(self, rows: Indices) -> Callable[[str], Fractions]:
        """Return the numbers of some rows."""
        return lambda stream: self[stream][rows]
