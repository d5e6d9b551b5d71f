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
        cache_bytes: memory that models under conditions may take together while nobody uses them.

    One population serves any number of threads. A model under a condition is made once and kept while `cache_bytes`
    allow; the one that was used longest ago is dropped first, one in use never.
    """

    priors: Priors
    network: Network
    cache_bytes: int = field(default=CACHE_BYTES, compare=False)

    def __repr__(self) -> str:
        """The locale and the model's digest; the tables are megabytes."""
        return f"Population({self.priors.locale!r}, model {self.digest[:12]})"

    @classmethod
    def load(cls, locale: str | Path | Priors = "en_US", *, cache_bytes: int = CACHE_BYTES) -> Population:
        """The population of a shipped locale, or of a locale folder; fitted once, then cached.

        A core that memory cannot hold is fitted in parts (see `core_factoring.py`), which `explain` then says.

        Args:
            locale: its name or folder, or its priors.
            cache_bytes: memory for models under conditions, 2 GiB by default; the fitted model itself is not counted.

        Raises:
            DeclarationError: no such locale.
            TableError, FitError: tables that cannot be used, or that contradict each other.
        """
        priors = within_memory(locale if isinstance(locale, Priors) else Priors.load(locale))
        return cls(priors, model_cache.load_or_fit(priors), cache_bytes)

    @computed_once
    def digest(self) -> str:
        """The model's identity, SHA-256 of what decides its distributions: part of what decides a uuid."""
        return model_cache.model_digest(self.priors)

    @computed_once
    def leaves(self) -> tuple[Leaf, ...]:
        """Traits, postcodes and names, which stand beside the network."""
        return leaves_of(self.priors)

    @computed_once
    def _columns(self) -> FrameDecoder:
        return FrameDecoder(self.priors, self.leaves)

    @computed_once
    def model(self) -> DiscreteBayesianNetwork:
        """The same network in pgmpy, to query, plot and export; built when first asked for.

        Names of states and variables that BIF cannot hold are percent-encoded (`urllib.parse.unquote` decodes them).
        The model of the United States has tens of millions of probabilities. BIF, a text format, is for parts of it,
        which `model_of` gives: for the whole, pgmpy's writer takes four minutes, 5 GB of memory and 1.7 GB of disk, and
        its reader 33 microseconds a number.
        """
        return self._in_pgmpy(self.network)

    def model_of(self, *attributes: str | Sequence[str]) -> DiscreteBayesianNetwork:
        """The part of `model` that some attributes need: themselves and what they depend on.

        Raises:
            EvidenceError: no attribute, or one that is not of the network.
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
            target: wanted marginals (see `target.read_targets`); the model is bent to them as little as possible.
            quota: a wanted marginal, met by exact counts: among the first n rows, those of each cell are
                apportioned by Sainte-Laguë's method. Whole numbers above 1 are counts, and sum to n.
            stratified: spread draws evenly; no marginal is biased, and most vary less.
            start: number of the first row.

        Returns:
            One row a person, a column for every attribute; text is categorical, but for the uuid.

        Raises:
            EvidenceError: a selection that cannot be read or that nobody meets, or counts that do not sum to n.
            ValueError: n, seed or start is no whole number in its range.
        """
        chosen = (mapping("where", where), mapping("target", target), mapping("quota", quota))
        if isinstance(n, Integral):
            refuse_other_counts(chosen[2], int(n), start)
        return self.select(Selection(*chosen, stratified), n, seed, start)

    def select(
        self, selection: Selection | Where | None, n: int, seed: int = 0, start: int = 0
    ) -> pd.DataFrame:
        """`sample` for a selection, or a condition as a plain mapping; a quota's counts are taken for its shares."""
        selection = Selection.read(selection)
        for name, value, least in (("n", n, 1), ("seed", seed, 0), ("start", start, 0)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
                raise ValueError(f"sample: {name}={value!r}; give a whole number, at least {least}")
        if n > _MOST_AT_ONCE:
            raise ValueError(
                f"sample: n={n}; draw {_MOST_AT_ONCE} rows at most at once, and go on with `start`"
            )
        if start > _LAST_ROW - n:
            raise ValueError(f"sample: start={start}; rows are numbered up to {_LAST_ROW}")
        with self._selections.use(selection) as selected:
            codes = selected.draw(self._stream_seed(selection, seed), start, n)
        model_cache.let_go(self.network)  # compiled, it is seldom asked again
        return self._columns.frame(codes, seed, start, self._identity(selection))

    def complete(self, frame: pd.DataFrame, *, seed: int = 0, start: int = 0) -> Completion:
        """Draw what is not known of people, exactly given what is.

        Row i is a function of (model, seed, start + i, what the row says): the same in any frame.

        Args:
            frame: a row a person, with columns that `sample` gives or `where` takes. A cell is a state, or several
                of which one is true (a list, a set, `"25-34"`, `"65+"`), or says nothing (None, NaN; an empty text
                too, where that is no state).
            seed: any non-negative integer.
            start: number of the first row.

        Raises:
            EvidenceError: a column that is no attribute, or a cell that is none of its states.
            ValueError: seed or start is no whole number in its range.
        """
        for name, value in (("seed", seed), ("start", start)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
                raise ValueError(f"complete: {name}={value!r}; give a whole number, at least 0")
        return self.completion.complete(frame, int(seed), int(start))

    def knows(self, column: str) -> bool:
        """Whether `complete` reads a column of that name."""
        return self.completion.reader.knows(column)

    def probability(self, where: Where) -> float:
        """Share of the population that meets the conditions.

        Raises:
            EvidenceError: conditions that cannot be read, or that nobody meets; says which part is impossible.
        """
        conditions = mapping("where", where)
        return self._selections.meet(conditions)[0].probability if conditions else 1.0

    def given(self, selection: Selection | Where | None) -> ConditionedModel:
        """The model under a selection, or under a condition given as a plain mapping.

        Raises:
            EvidenceError: it cannot be read, or nobody meets it.
        """
        with self._selections.use(Selection.read(selection)) as selected:
            return selected.given

    def marginal(
        self, attributes: str | Sequence[str], *, where: Where | None = None, target: Where | None = None
    ) -> Marginal:
        """P(attributes | where) of the model itself, bent to targets if there are any; weights sum to 1.

        Attributes are any that `where` takes, one or several: those of the network, names, places, traits and
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
        """Log-probability (nats) of every row, over the network's attributes that the frame has all of.

        Args:
            frame: a data frame (or one record, or a list of them) with a column for each core attribute (or what it
                is made of: a hidden attribute from its views, an age band from the age) and, optionally,
                further children.

        Returns:
            Shape (rows,); -inf where the model gives a row no probability.

        Raises:
            DomainError: a core attribute is missing, or a cell is no state that the locale knows.
        """
        if not isinstance(frame, pd.DataFrame):
            frame = pd.DataFrame([dict(frame)] if isinstance(frame, Mapping | pd.Series) else list(frame))
        return np.asarray(log_probabilities(self.network, self.priors, frame).sum(axis=1), dtype=np.float64)

    def explain(self) -> dict[str, Any]:
        """The graph, how well each part meets its tables, and the independences it assumes, as plain values."""
        return explanation(self.priors, self.network, self.leaves) | {"digest": self.digest}

    @computed_once
    def completion(self) -> CompletionEngine:
        """What `complete` asks."""
        sampler = self._selections.everybody
        return CompletionEngine(self.priors, self.leaves, sampler, self._columns, self.digest)

    @computed_once
    def _selections(self) -> SelectionCache:
        return SelectionCache(self.priors, self.network, self.leaves, self.cache_bytes)

    @staticmethod
    def _stream_seed(selection: Selection, seed: int) -> int:
        """The seed of the streams: two selections share no draws, so that their samples may be joined."""
        if not (selection.where or selection.target or selection.quota):
            return seed
        return selection_seed(seed, selection.key)

    def _identity(self, selection: Selection) -> str:
        return hashlib.sha256(f"{self.digest}/{selection.key}".encode()).hexdigest()
