"""Selection cache: keeps the compiled models of selections within a number of bytes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from census_personas.census_priors.priors import Priors
from census_personas.foundation.array_memory import array_bytes, memory_of
from census_personas.foundation.bounded_cache import BoundedCache
from census_personas.foundation.threads import computed_once
from census_personas.generator.config.selection import EvidenceError, Selection
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.model.network import Network
from census_personas.generator.population.selection_sampler import (
    ConditionedModel,
    SelectionSampler,
    condition_on,
)
from census_personas.generator.sampling import where_clause as evidence
from census_personas.generator.sampling.conditioning import Conditioned, Evidence, condition
from census_personas.generator.sampling.sampler import Sampler
from census_personas.generator.sampling.scarcity import too_few

Where = Mapping[str, Any]

CACHE_BYTES = 2 << 30
"""Memory for all conditioned models that are not in use; most take 20 to 200 MB each."""

log = logging.getLogger(__name__)


class SelectionCache:
    """A fitted model under all recently used selections, for any number of threads."""

    def __init__(
        self, priors: Priors, network: Network, leaves: tuple[Leaf, ...], most_bytes: int = CACHE_BYTES
    ) -> None:
        """Take the fitted model and the bound for all conditioned ones; condition nothing yet."""
        self._priors = priors
        self._network = network
        self._leaves = leaves
        self._ready: BoundedCache[SelectionSampler] = BoundedCache(most_bytes, partial(_own_bytes, priors))
        self._warned: set[str] = set()

    def use(self, selection: Selection) -> AbstractContextManager[SelectionSampler]:
        """Return the selection's model, ready to draw from and kept at least until the end of the `with`.

        Raises:
            EvidenceError: the selection cannot be read, or nobody meets it.
        """
        return self._ready.use(selection.key, lambda: self._make(selection))

    @property
    def size(self) -> int:
        """Bytes of the models that are kept."""
        return self._ready.size

    def __len__(self) -> int:
        """Number of models that are kept."""
        return len(self._ready)

    def meet(self, where: Where) -> tuple[Conditioned, Evidence]:
        """Return the model under conditions, and the conditions as masks; cache neither.

        Raises:
            EvidenceError: they cannot be read, or nobody meets them; names the impossible part.
        """
        masks = evidence.masks(where, self._priors, self._leaves)
        conditioned = condition(self._network, self._leaves, masks)
        if not conditioned.probability > 0:
            raise EvidenceError(self._why_impossible(where))
        few = too_few(where, conditioned.probability, self._priors.adults)
        if few and few not in self._warned:
            self._warned.add(few)
            log.warning("%s", few)
        return conditioned, masks

    @computed_once
    def everybody(self) -> Sampler:
        """The sampler of the whole population."""
        return Sampler.compile(self._network, self._leaves)

    def _make(self, selection: Selection) -> SelectionSampler:
        model = self._condition(selection)
        return SelectionSampler(model, self._network, self._leaves, self.everybody, selection.stratified)

    def _condition(self, selection: Selection) -> ConditionedModel:
        if not selection.where and not selection.target and not selection.quota:
            return ConditionedModel(Conditioned(self._network, self._network.core), {})
        conditioned, masks = self.meet(selection.where)
        return condition_on(conditioned, masks, selection, self._network, self._priors, self._leaves)

    def _why_impossible(self, where: Where) -> str:
        """Name the smallest part of the conditions that nobody meets."""
        shown = json.dumps(dict(where), default=str)
        for left_out in where:
            rest = {name: wanted for name, wanted in where.items() if name != left_out}
            if rest and not self._possible(rest):
                return self._why_impossible(rest)
        return f"where {shown}: nobody in {self._priors.locale} meets these together; loosen one of them"

    def _possible(self, where: Where) -> bool:
        masks = evidence.masks(where, self._priors, self._leaves)
        return condition(self._network, self._leaves, masks).probability > 0


def _own_bytes(priors: Priors, selected: SelectionSampler) -> int:
    """Return the memory of a selection's model, without what it shares with the model of everybody."""
    network = selected.network
    tables = (network.core, *(node.table for node in network.nodes))
    shared: list[object] = [priors, network, network.hierarchy, *selected.leaves]
    shared += [memory_of(table) for table in tables]
    shared += [selected.base, *_compiled(selected.base)]
    return array_bytes(selected, {id(item) for item in shared})


def _compiled(sampler: Sampler) -> Sequence[object]:
    """Return the parts of a sampler and all that their compiled steps hold, which samplers made from it share."""
    steps = [part.__dict__["step"] for part in sampler.parts if "step" in part.__dict__]
    fields = [getattr(step, name) for step in steps for name in type(step).__slots__]
    own = [sampler.__dict__[name] for name in ("core", "cells", "steps") if name in sampler.__dict__]
    return [*sampler.parts, *steps, *fields, *own]
