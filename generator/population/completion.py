"""Completion: draws all unknown facts of people, conditional on their known facts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import AnyCodes, Floats, Indices, Integers, Mask, Objects
from census_personas.foundation.randomness import fractions, selection_seed
from census_personas.foundation.threads import computed_once
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.population.conflict import conflicts
from census_personas.generator.population.fact_reader import ASSIGNED, NAMES, FactReader, missing
from census_personas.generator.population.known_facts import KnownFacts, known_of
from census_personas.generator.sampling.completer import Completer
from census_personas.generator.sampling.decode import FrameDecoder, uuids
from census_personas.generator.sampling.leaf_columns import LeafColumns
from census_personas.generator.sampling.open_states import Known
from census_personas.generator.sampling.sampler import Sampler

_STREAMS = "complete"


@dataclass(frozen=True)
class Completion:
    """Completed people.

    Attributes:
        people: one row per person, the columns of a sample; index and order are the frame's, without impossible rows.
        drawn: the same shape: which facts were drawn. A fact is not drawn if the row states it, or if other values of
            the row determine it, as an age determines the birth year and a postcode the region.
        impossible: rows with probability 0 in the model: `facts`, a smallest set of the row's facts that is
            impossible, as column -> cell, and `reason`, the same in words. These rows are in neither frame above.
    """

    people: pd.DataFrame
    drawn: pd.DataFrame
    impossible: pd.DataFrame


@dataclass(frozen=True)
class CompletionEngine:
    """Completes frames under one model.

    Attributes:
        priors, leaves, sampler, decoder: the model.
        digest: the model's identity.
    """

    priors: Priors
    leaves: tuple[Leaf, ...]
    sampler: Sampler
    decoder: FrameDecoder
    digest: str

    @computed_once
    def reader(self) -> FactReader:
        """The reader of frames."""
        return FactReader(self.priors, self.leaves)

    @computed_once
    def completer(self) -> Completer:
        """The part that draws."""
        return Completer(self.sampler, _Columns(self.leaves))

    def complete(self, frame: pd.DataFrame, seed: int, start: int) -> Completion:
        """Complete the rows of a frame; row i uses the random numbers of row `start + i` of the streams.

        Raises:
            EvidenceError: a column is not an attribute, or a cell is not one of its states.
        """
        facts = self.reader.read(frame)
        known, possible = known_of(facts, self.priors, self.completer.columns)
        rows = np.arange(len(frame))
        codes: dict[str, Integers] = {}
        met = np.zeros(len(frame), dtype=bool)
        for attempt in (known, _without_names(known, self.priors)):
            left = np.flatnonzero(possible & ~met)
            if not len(left):
                break
            drawn, probability = self._draw(attempt, left, seed, start, len(frame))
            for name, column in drawn.items():
                codes.setdefault(name, np.zeros(len(frame), dtype=np.int64))[left] = column
            met[left] = probability > 0
            facts = facts if attempt is known else self._with_kept_names(facts, frame, left)
        kept = np.flatnonzero(met)
        impossible = self._impossible(frame, facts, rows[~met])
        if not len(kept):
            anybody = self.complete(pd.DataFrame(index=[0]), seed, start)
            return Completion(
                anybody.people.iloc[:0].set_axis(frame.index[:0]),
                anybody.drawn.iloc[:0].set_axis(frame.index[:0]),
                impossible,
            )
        people = self._people(frame, facts, known, {n: c[kept] for n, c in codes.items()}, kept, seed, start)
        return Completion(people, self._drawn(people, facts, known, kept), impossible)

    def _with_kept_names(self, facts: KnownFacts, frame: pd.DataFrame, rows: Indices) -> KnownFacts:
        """Return the facts, with the names of some rows kept as texts instead of evidence."""
        texts = dict(facts.texts)
        for name in self.priors.roles.named(NAMES, among=frame.columns):
            cells = frame[name].tolist()
            said = {row: cells[row] for row in rows.tolist() if isinstance(cells[row], str) and cells[row]}
            texts[name] = {**texts.get(name, {}), **said}
        return replace(facts, texts=texts)

    def _draw(
        self, known: Known, rows: Indices, seed: int, start: int, count: int
    ) -> tuple[Mapping[str, AnyCodes], Floats]:
        """Draw codes for some rows; also return the probability of each row's evidence."""
        some = known.of_people(rows)
        ids = np.stack([some.ids(name) for name in (*some.roots, *some.leaves)], axis=1)
        _, first, person = np.unique(ids, axis=0, return_index=True, return_inverse=True)
        person = person.ravel()
        stream_seed = selection_seed(seed, _STREAMS)
        result = self.completer.draw(
            some.of_people(first), person, lambda name: fractions(stream_seed, name, start, count)[rows]
        )
        return result.codes, result.probability[person]

    def _people(
        self,
        frame: pd.DataFrame,
        facts: KnownFacts,
        known: Known,
        codes: Mapping[str, Integers],
        kept: Indices,
        seed: int,
        start: int,
    ) -> pd.DataFrame:
        numbers = kept.astype(np.int64) + start
        people = self.decoder.people(codes, numbers, self._uuids(facts, known, kept, seed, start))
        people.index = frame.index[kept]
        for name, texts in facts.texts.items():
            column = people[name].astype(object)
            for place, row in enumerate(kept.tolist()):
                if row in texts:
                    column.iloc[place] = texts[row]
            people[name] = column.astype("category")
        for name in ASSIGNED:
            if name in frame.columns:
                cells = frame[name].iloc[kept].tolist()
                own = people[name].tolist()
                kept_as = (lambda cell: int(float(cell))) if name == "row" else str
                people[name] = pd.Series(
                    [mine if missing(cell) else kept_as(cell) for cell, mine in zip(cells, own, strict=True)],
                    people.index,
                    dtype=people[name].dtype,
                )
        return people

    def _uuids(self, facts: KnownFacts, known: Known, kept: Indices, seed: int, start: int) -> Objects:
        """Return a uuid for every row, from the model, the seed, the row's number and its facts."""
        stream_seed = selection_seed(seed, _STREAMS)
        identities: dict[tuple[int, ...], str] = {}
        names = (*known.roots, *known.leaves)
        ids = np.stack([known.ids(name)[kept] for name in names], axis=1).tolist()
        found = []
        for row, own in zip(kept.tolist(), ids, strict=True):
            key = tuple(own)
            if key not in identities:
                identities[key] = self._identity(known, dict(zip(names, own, strict=True)))
            said = "/".join(texts[row] for texts in facts.texts.values() if row in texts)
            found.append(uuids(stream_seed, start + row, 1, identities[key] + said)[0])
        return np.array(found, dtype=object)

    def _identity(self, known: Known, ids: Mapping[str, int]) -> str:
        """Return a digest of the model and of a person's known facts."""
        digest = hashlib.sha256(f"{self.digest}/{_STREAMS}".encode())
        for name, number in ids.items():
            if name in known.roots:
                states = known.roots[name].sets[number]
                said = b"" if states.all() else np.packbits(states).tobytes()
            else:
                said = b"" if number < 0 else known.leaves[name].sets[number].astype("<i8").tobytes()
            if said:
                digest.update(f"/{name}:".encode() + said)
        return digest.hexdigest()

    def _drawn(self, people: pd.DataFrame, facts: KnownFacts, known: Known, kept: Indices) -> pd.DataFrame:
        marks: dict[str, Mask] = {}
        for name in people.columns:
            if name not in self.decoder.columns:
                marks[name] = np.zeros(len(kept), dtype=bool)
                continue
            source, values = self.decoder.columns[name]
            root = self.priors.hierarchy.root(source) if source in self.priors.domain else source
            by_code = values.by_code
            if root != source:
                by_code = by_code[self.priors.hierarchy.codes(root, source)]
            if root in known.roots:
                states = known.roots[root]
                several = np.array([len(np.unique(by_code[own])) > 1 for own in states.sets])
                marks[name] = several[states.ids[kept]]
            elif root in known.leaves:
                leaf = known.leaves[root]
                several = np.array([*(len(np.unique(by_code[own])) > 1 for own in leaf.sets), True])
                marks[name] = several[leaf.ids[kept]]
            else:
                marks[name] = np.ones(len(kept), dtype=bool)
            if name in facts.texts:
                marks[name] = marks[name] & ~np.array(
                    [row in facts.texts[name] for row in kept.tolist()], dtype=bool
                )
        return pd.DataFrame(marks, index=people.index)

    def _impossible(self, frame: pd.DataFrame, facts: KnownFacts, lost: Indices) -> pd.DataFrame:
        excluding = conflicts(facts.only(facts.cells[lost]), self._possible)
        named = []
        for row, columns in zip(lost.tolist(), excluding, strict=True):
            named.append({name: frame[name].iloc[row] for name in columns})
        reasons = [self._reason(said) for said in named]
        return pd.DataFrame(
            {"facts": pd.Series(named, dtype=object), "reason": pd.Series(reasons, dtype=object)}
        ).set_axis(frame.index[lost])

    def _reason(self, said: Mapping[str, object]) -> str:
        locale = self.priors.locale
        if len(said) == 1:
            ((name, cell),) = said.items()
            values = self.reader.fact(name).values  # noqa: PD011  no series
            if isinstance(values[0], int | np.integer):
                return f"{name} {cell!s}: {locale} has people from {min(values)} to {max(values)}"
        return f"nobody in {locale} has {' and '.join(f'{name} {cell!s}' for name, cell in said.items())}"

    def _possible(self, facts: KnownFacts) -> Mask:
        """Return which rows have a positive probability in the model."""
        known, possible = known_of(facts, self.priors, self.completer.columns)
        known = _without_names(known, self.priors)
        rows = np.flatnonzero(possible)
        if len(rows):
            possible[rows] = self.completer.probability(known.of_people(rows)) > 0
        return possible


class _Columns(dict[str, LeafColumns]):
    """Leaves by their states, sorted at first use."""

    def __init__(self, leaves: tuple[Leaf, ...]) -> None:
        super().__init__()
        self._leaves = {leaf.child: leaf for leaf in leaves}

    def __missing__(self, name: str) -> LeafColumns:
        self[name] = LeafColumns.of(self._leaves[name])
        return self[name]


def _without_names(known: Known, priors: Priors) -> Known:
    """Return the known facts without names: name tables lack rare names, so a name must not exclude anybody."""
    names = {*priors.roles.named(NAMES, among=known.leaves)}
    return Known(known.hierarchy, known.roots, {n: s for n, s in known.leaves.items() if n not in names})
