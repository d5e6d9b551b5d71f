"""Population: a locale's fitted model, to sample, condition and query."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats
from census_personas.foundation.randomness import selection_seed
from census_personas.foundation.threads import computed_once
from census_personas.generator.config.selection import EvidenceError, Selection, mapping, names_of
from census_personas.generator.model import model_cache
from census_personas.generator.model.core_factoring import within_memory
from census_personas.generator.model.explanation import explanation
from census_personas.generator.model.leaves import Leaf, leaves_of
from census_personas.generator.model.likelihood import log_probabilities
from census_personas.generator.model.network import Network
from census_personas.generator.model.pruning import reduced
from census_personas.generator.population.completion import Completion, CompletionEngine
from census_personas.generator.population.selection_cache import CACHE_BYTES, SelectionCache
from census_personas.generator.population.selection_sampler import (
    ConditionedModel,
)
from census_personas.generator.sampling.decode import FrameDecoder
from census_personas.generator.sampling.marginals import axis_of, joint
from census_personas.generator.sampling.quota import refuse_other_counts

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

Where = Mapping[str, Any]

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 10**9  # a frame of more fits no memory
_LAST_ROW = 2**63 - 1


@dataclass(frozen=True, repr=False)
class Population:
    """The adults of a locale as a probability model.

    ```python
    population = Population.load("en_US")
    people = population.sample(1000, seed=7, where={"state": "NY", "age": "30-45"})
    ```

    Attributes:
        priors: tables and look-ups.
        network: the model fitted to the tables.
        cache_bytes: memory for all conditioned models that are not in use.

    One population serves any number of threads. A conditioned model is computed once and kept while `cache_bytes`
    allow; the least recently used one is dropped first, and one in use never.
    """

    priors: Priors
    network: Network
    cache_bytes: int = field(default=CACHE_BYTES, compare=False)

    def __repr__(self) -> str:
        """Return the locale and the model's digest, without the tables, which are megabytes."""
        return f"Population({self.priors.locale!r}, model {self.digest[:12]})"

    @classmethod
    def load(cls, locale: str | Path | Priors = "en_US", *, cache_bytes: int = CACHE_BYTES) -> Population:
        """Return the population of a shipped locale, or of a locale folder; fitted once, then cached.

        A core that memory cannot hold is fitted in parts (see `core_factoring.py`); `explain` then shows it.

        Args:
            locale: its name or folder, or its priors.
            cache_bytes: memory for conditioned models, 2 GiB by default, without the fitted model itself.

        Raises:
            DeclarationError: the locale does not exist.
            TableError, FitError: tables cannot be used, or contradict each other.
        """
        priors = within_memory(locale if isinstance(locale, Priors) else Priors.load(locale))
        return cls(priors, model_cache.load_or_fit(priors), cache_bytes)

    @computed_once
    def digest(self) -> str:
        """The model's identity: SHA-256 of everything that decides its distributions; uuids depend on it."""
        return model_cache.model_digest(self.priors)

    @computed_once
    def leaves(self) -> tuple[Leaf, ...]:
        """Traits, postcodes and names, which are outside the network."""
        return leaves_of(self.priors)

    @computed_once
    def _columns(self) -> FrameDecoder:
        return FrameDecoder(self.priors, self.leaves)

    @computed_once
    def model(self) -> DiscreteBayesianNetwork:
        """The same network in pgmpy, to query, plot and export; built at first use.

        Names of states and variables that BIF cannot hold are percent-encoded (`urllib.parse.unquote` decodes them).
        The model of the United States has tens of millions of probabilities. Export parts of it to BIF, a text
        format, with `model_of`: for the whole, pgmpy's writer takes four minutes, 5 GB of memory and 1.7 GB of disk,
        and its reader 33 microseconds per number.
        """
        return self._in_pgmpy(self.network)

    def model_of(self, *attributes: str | Sequence[str]) -> DiscreteBayesianNetwork:
        """Return the part of `model` with some attributes and everything that they depend on.

        Raises:
            EvidenceError: no attribute is named, or one is not in the network.
        """
        names = names_of("model_of", attributes[0] if len(attributes) == 1 else attributes)
        for name in names:
            if name not in tuple(self.priors.domain):
                raise EvidenceError(
                    f"model_of: unknown attribute {name!r}; known: {', '.join(self.priors.domain)}"
                )
        return self._in_pgmpy(reduced(self.network, names, {})[0])

    @staticmethod
    def _in_pgmpy(network: Network) -> DiscreteBayesianNetwork:
        from census_personas.generator.model.bayesian_network import to_pgmpy  # noqa: PLC0415  1.6 s to import

        return to_pgmpy(network)

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        where: Where | None = None,
        target: Where | None = None,
        quota: Where | None = None,
        stratified: bool = False,
        start: int = 0,
    ) -> pd.DataFrame:
        """Draw rows `start` up to `start + n` of the population.

        Row i is a function of (model, seed, selection, i): the same whatever n, start or machine.

        Args:
            n: number of rows, from 1 to a thousand million.
            seed: any non-negative integer.
            where: conditions on any attribute (see `evidence.masks`); the model is conditioned exactly.
            target: wanted marginals (see `target.read_targets`); the model is changed to meet them as little as
                possible.
            quota: a wanted marginal that is met by exact counts: the first n rows are apportioned to its cells by
                Sainte-Laguë's method. Whole numbers above 1 are counts, and must sum to n.
            stratified: spread draws evenly; no marginal is biased, and most vary less.
            start: number of the first row.

        Returns:
            One row per person, a column for every attribute; texts are categorical, except the uuid.

        Raises:
            EvidenceError: the selection cannot be read or nobody meets it, or counts do not sum to n.
            ValueError: n, seed or start is not a whole number in its range.
        """
        chosen = (mapping("where", where), mapping("target", target), mapping("quota", quota))
        if isinstance(n, Integral):
            refuse_other_counts(chosen[2], int(n), start)
        return self.select(Selection(*chosen, stratified), n, seed, start)

    def select(
        self, selection: Selection | Where | None, n: int, seed: int = 0, start: int = 0
    ) -> pd.DataFrame:
        """Do as `sample` for a selection, or for a mapping of conditions; a quota's counts are read as shares."""
        selection = Selection.read(selection)
        for name, value, least in (("n", n, 1), ("seed", seed, 0), ("start", start, 0)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
                raise ValueError(f"sample: {name}={value!r}; give a whole number, at least {least}")
        if n > _MOST_AT_ONCE:
            raise ValueError(
                f"sample: n={n}; draw at most {_MOST_AT_ONCE} rows at once, and continue with `start`"
            )
        if start > _LAST_ROW - n:
            raise ValueError(f"sample: start={start}; rows are numbered up to {_LAST_ROW}")
        with self._selections.use(selection) as selected:
            codes = selected.draw(self._stream_seed(selection, seed), start, n)
        model_cache.release_memory(self.network)  # the compiled model replaces it
        return self._columns.frame(codes, seed, start, self._identity(selection))

    def complete(self, frame: pd.DataFrame, *, seed: int = 0, start: int = 0) -> Completion:
        """Draw the unknown facts of people from the model, exactly conditioned on their known facts.

        Row i is a function of (model, seed, start + i, the row's known facts): the same in any frame.

        Args:
            frame: one row per person, with columns that `sample` returns or `where` accepts. A cell is a state, or
                several of which one is true (a list, a set, `"25-34"`, `"65+"`), or unknown (None, NaN; also an empty
                text, unless that is a state).
            seed: any non-negative integer.
            start: number of the first row.

        Raises:
            EvidenceError: a column is not an attribute, or a cell is not one of its states.
            ValueError: seed or start is not a whole number in its range.
        """
        for name, value in (("seed", seed), ("start", start)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
                raise ValueError(f"complete: {name}={value!r}; give a whole number, at least 0")
        return self.completion.complete(frame, int(seed), int(start))

    def knows(self, column: str) -> bool:
        """Return whether `complete` reads a column of that name."""
        return self.completion.reader.knows(column)

    def probability(self, where: Where) -> float:
        """Share of the population that meets the conditions.

        Raises:
            EvidenceError: conditions cannot be read, or nobody meets them; names the impossible part.
        """
        conditions = mapping("where", where)
        return self._selections.meet(conditions)[0].probability if conditions else 1.0

    def given(self, selection: Selection | Where | None) -> ConditionedModel:
        """Return the model under a selection, or under a mapping of conditions.

        Raises:
            EvidenceError: the selection cannot be read, or nobody meets it.
        """
        with self._selections.use(Selection.read(selection)) as selected:
            return selected.given

    def marginal(
        self, attributes: str | Sequence[str], *, where: Where | None = None, target: Where | None = None
    ) -> Marginal:
        """Compute P(attributes | where) of the model, changed to meet targets if there are any; weights sum to 1.

        Attributes are any that `where` accepts, one or several: those of the network, names, places, traits and
        birth year.

        Raises:
            EvidenceError: an attribute is unknown, or the selection cannot be met.
            FitError: the table would be too large.
        """
        selection = Selection(mapping("where", where), mapping("target", target))
        axes = [axis_of(name, self.priors, self.leaves) for name in names_of("marginal", attributes)]
        with self._selections.use(selection) as selected:
            weights = joint(selected.given.conditioned, self.leaves, axes)
        domain = Domain({axis.attribute: axis.states for axis in axes})
        return Marginal(domain, weights, None, f"model of {self.priors.locale}")

    def log_likelihood(self, frame: pd.DataFrame | Where | Sequence[Where]) -> Floats:
        """Compute the log-probability (nats) of every row, over the network attributes that the frame has.

        Args:
            frame: a data frame (or one record, or a list of them) with a column for each core attribute (or for what
                it is derived from: a hidden attribute from its views, an age band from the age) and, optionally,
                further children.

        Returns:
            Shape (rows,); -inf for a row with probability 0.

        Raises:
            DomainError: a core attribute is missing, or a cell is not a state of the locale.
        """
        if not isinstance(frame, pd.DataFrame):
            frame = pd.DataFrame([dict(frame)] if isinstance(frame, Mapping | pd.Series) else list(frame))
        return np.asarray(log_probabilities(self.network, self.priors, frame).sum(axis=1), dtype=np.float64)

    def explain(self) -> dict[str, Any]:
        """Return the graph, the distance of each part to its tables, and the assumed independences, as plain values."""
        return explanation(self.priors, self.network, self.leaves) | {"digest": self.digest}

    @computed_once
    def completion(self) -> CompletionEngine:
        """The engine of `complete`."""
        sampler = self._selections.everybody
        return CompletionEngine(self.priors, self.leaves, sampler, self._columns, self.digest)

    @computed_once
    def _selections(self) -> SelectionCache:
        return SelectionCache(self.priors, self.network, self.leaves, self.cache_bytes)

    @staticmethod
    def _stream_seed(selection: Selection, seed: int) -> int:
        """Return the seed of the streams. Different selections share no draws, so their samples may be joined."""
        if not (selection.where or selection.target or selection.quota):
            return seed
        return selection_seed(seed, selection.key)

    def _identity(self, selection: Selection) -> str:
        return hashlib.sha256(f"{self.digest}/{selection.key}".encode()).hexdigest()
