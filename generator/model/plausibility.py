"""Plausibility: how odd each fact of a record is given its others, by the fitted model's conditional probability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from persona_engine.generator.model.network import Network, Node
from persona_engine.generator.model.reduction import reduced
from persona_engine.validators.lift import Oddity

Codes = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]

JUDGED = ("education_level", "marital_status", "sex", "labor_force_status", "veteran_status")
"""Facts that are judged given the others; age and occupation are among what they are judged by."""
ASIDE = frozenset({"ethnicity", "ethnicity_group", "nativity", "language_at_home"})
"""Facts that are summed over as if the record did not say them: what is rare with them is somebody's life."""
PEOPLE = 10_000  # sampled people whose conditional distributions say what is odd
SEED = 20_240_701
_CELLS = 100_000  # of which more are hidden is not judged: nearly nothing would be known
_KINDS = 8  # sets of columns that are calibrated; records with further ones are not judged
_BLOCK = 2048  # rows at a time: a hidden attribute multiplies them


@dataclass(frozen=True, slots=True)
class Tail:
    """What is odd for one fact.

    Attributes:
        lifts: in ascending order.
        below: share of the modelled population with at most each lift.
        shares: P(fact), by state.
    """

    lifts: Array
    below: Array
    shares: Array

    def of(self, lifts: Array) -> Array:
        """Share of the population that is as odd or odder; 0 where the model gives no probability."""
        return np.where(lifts > 0, np.interp(lifts, self.lifts, self.below), 0.0)


class Plausibility:
    """P(fact | all other facts of the record), summed over what the record does not say.

    Attributes of the core are summed over exactly; a fact that hangs on further ones that the record does not say, as
    an industry does on the occupation, is left out of account.

    The lift of a fact is that probability divided by the fact's share among all adults. How odd a lift is, the
    model itself says: `Oddity.tail` is the share of the modelled population with a lift at most that small. It is
    taken over sampled people, of each of whom the whole conditional distribution counts and not the one value drawn
    (Rao-Blackwell), so that shares far below one in `PEOPLE` are resolved.
    """

    def __init__(
        self, network: Network, judged: Sequence[str] = JUDGED, *, people: int = PEOPLE, seed: int = SEED
    ) -> None:
        """Nothing is computed before records come; facts that the model does not have are not judged."""
        self._network = network
        self._facts = tuple(name for name in judged if name in network.hierarchy.domain)
        self._hierarchy = network.hierarchy
        self._people, self._seed = people, seed
        self._tails: dict[tuple[str, ...], dict[str, Tail]] = {}

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The facts that are looked at."""
        given = {*self._network.core_attributes, *(node.child for node in self._network.nodes)}
        return tuple(
            name
            for name in self._hierarchy.domain
            if name not in ASIDE and given.intersection(self._hierarchy.chain(name))
        )

    def oddities(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Oddity]]:
        """For each record, how odd each judged fact is; missing and unknown facts are neither judged nor used."""
        codes = self._codes(records, self.attributes)
        known = np.stack([codes[name] >= 0 for name in self.attributes], axis=1)
        found: list[dict[str, Oddity]] = [{} for _ in records]
        kinds, kind_of = np.unique(known, axis=0, return_inverse=True)
        for kind, present in enumerate(kinds):
            rows = np.flatnonzero(kind_of.ravel() == kind)
            names = tuple(name for name, there in zip(self.attributes, present, strict=True) if there)
            for fact, tail in self._tails_of(names).items():
                here = {name: codes[name][rows] for name in names}
                probabilities, own = self._given(here, fact), self._at(fact, here)
                chosen = probabilities[np.arange(len(rows)), own]
                lifts = chosen / tail.shares[own]
                for row, lift, share, probability in zip(rows, lifts, tail.of(lifts), chosen, strict=True):
                    if probability == probability:  # noqa: PLR0124 - NaN: the other facts exclude each other
                        found[row][fact] = Oddity(float(lift), float(share), float(probability))
        return found

    def _codes(self, records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Codes]:
        """Codes of the facts, -1 where one is missing or no state; ages beyond the last state belong to it."""
        domain = self._hierarchy.domain
        found = {}
        for name in names:
            states: dict[Any, int] = {state: code for code, state in enumerate(domain[name])}
            last = domain[name][-1]
            values = [record.get(name) for record in records]
            if isinstance(last, int):
                found[name] = np.array([_age(value, states, last) for value in values], dtype=np.int64)
            else:
                kept = (states.get(value, -1) if isinstance(value, str) else -1 for value in values)
                found[name] = np.fromiter(kept, dtype=np.int64, count=len(values))
        return found

    def _tails_of(self, names: tuple[str, ...]) -> dict[str, Tail]:
        """What is odd among people of whom these facts are known, by fact."""
        if names not in self._tails:
            if len(self._tails) >= _KINDS:
                return {}
            codes = self._sampled(names)
            roots = {self._hierarchy.root(name) for name in names}
            self._tails[names] = {
                fact: self._tail(codes, fact)
                for fact in self._facts
                if any(name in names for name in self._hierarchy.chain(fact))
                and len(roots) > 1
                and self._unseen(names, fact) <= _CELLS
            }
        return self._tails[names]

    def _unseen(self, names: Sequence[str], fact: str) -> int:
        """Cells to be summed for one person: states of the fact, by those of all that is hidden."""
        asked = self._hierarchy.root(fact)
        others = [name for name in names if self._hierarchy.root(name) != asked]
        return prod(len(self._hierarchy.domain[name]) for name in (asked, *self._hidden(others, asked)))

    def _sampled(self, names: Sequence[str]) -> dict[str, Codes]:
        """These facts of sampled people, drawn row by row: so few are not worth compiling a sampler."""
        network, _ = reduced(self._network, names, {})
        rng = np.random.Generator(np.random.Philox(self._seed))
        below = np.cumsum(network.core, dtype=np.float64)
        cells = np.searchsorted(below, rng.random(self._people) * below[-1], side="right")
        core = np.unravel_index(cells, network.core.shape)
        codes: dict[str, Codes] = {
            name: c.astype(np.int64) for name, c in zip(network.core_attributes, core, strict=True)
        }
        for node in network.nodes:
            numbers = rng.random(self._people)
            starts = range(0, self._people, _BLOCK)
            codes[node.child] = np.concatenate(
                [
                    self._drawn(
                        node, {n: c[i : i + _BLOCK] for n, c in codes.items()}, numbers[i : i + _BLOCK]
                    )
                    for i in starts
                ]
            )
        return {name: self._at(name, codes) for name in names}

    def _drawn(self, node: Node, codes: Mapping[str, Codes], numbers: Array) -> Codes:
        """The child of each person, by inverting the distribution function."""
        index = []
        fixed = np.full(len(numbers), -1, dtype=np.int64)
        for parent in node.parents:
            states = self._at(parent, codes)
            index.append(np.maximum(node.axis_codes(parent, len(self._hierarchy.domain[parent]))[states], 0))
            if node.certain is not None and node.certain[0] == parent:
                fixed = node.certain[1][states].astype(np.int64)
        weights = node.table[tuple(index)].astype(np.float64)
        if node.refines is not None:
            inside = self._hierarchy.codes(node.child, node.refines)
            weights = weights * (inside[None, :] == self._at(node.refines, codes)[:, None])
        below = np.cumsum(weights, axis=1)
        drawn = (below <= numbers[:, None] * below[:, -1:]).sum(axis=1)
        return np.where(fixed >= 0, fixed, np.minimum(drawn, weights.shape[1] - 1))

    def _tail(self, codes: Mapping[str, Codes], fact: str) -> Tail:
        probabilities = self._given(codes, fact)
        shares = np.asarray(self._network.joint((fact,)), dtype=np.float64)
        lifts = (probabilities / shares).ravel()
        order = np.argsort(lifts, kind="stable")
        below = np.cumsum(probabilities.ravel()[order]) / len(probabilities)
        return Tail(lifts[order], below, shares)

    def _given(self, codes: Mapping[str, Codes], fact: str) -> Array:
        """P(fact | the other facts), a row a person."""
        hierarchy = self._hierarchy
        asked = hierarchy.root(fact)
        others = {name: c for name, c in codes.items() if hierarchy.root(name) != hierarchy.root(fact)}
        hidden = {name: self._possible(name, others) for name in self._hidden(others, asked)}
        widths = np.stack(
            [(states >= 0).sum(axis=1) for states in (*hidden.values(), others[next(iter(others))][:, None])]
        )
        # Rows of which as much is hidden go together: most have no field of degree that could be any of five.
        _, kind = np.unique(widths, axis=1, return_inverse=True)
        joint = np.zeros((widths.shape[1], len(hierarchy.domain[asked])))
        for group in range(int(kind.max()) + 1):
            rows = np.flatnonzero(kind.ravel() == group)
            for start in range(0, len(rows), _BLOCK):
                part = rows[start : start + _BLOCK]
                allowed = {
                    name: states[part, : widths[i, part[0]]]
                    for i, (name, states) in enumerate(hidden.items())
                }
                joint[part] = self._joint({name: c[part] for name, c in others.items()}, asked, allowed)
        member = hierarchy.codes(asked, fact)[:, None] == np.arange(len(hierarchy.domain[fact]))[None, :]
        joint = joint @ member
        with np.errstate(invalid="ignore"):
            return np.asarray(joint / joint.sum(axis=1, keepdims=True), dtype=np.float64)

    def _hidden(self, codes: Iterable[str], asked: str) -> list[str]:
        return [
            name
            for name in self._network.core_attributes
            if name != asked and not any(self._hierarchy.refines(known, name) for known in codes)
        ]

    def _joint(self, codes: Mapping[str, Codes], asked: str, allowed: Mapping[str, Codes]) -> Array:
        """P(known facts, asked), a row a person and a column a state, summed over what is `allowed` of the hidden."""
        rows, axes = len(next(iter(codes.values()))), 2 + len(allowed)
        spread = {name: c.reshape(rows, *[1] * (axes - 1)) for name, c in codes.items()}
        spread[asked] = np.arange(len(self._hierarchy.domain[asked])).reshape(1, -1, *[1] * len(allowed))
        for axis, (name, states) in enumerate(allowed.items(), start=2):
            spread[name] = states.reshape(
                rows, *(states.shape[1] if at == axis else 1 for at in range(1, axes))
            )
        core = tuple(self._at(name, spread) for name in self._network.core_attributes)
        weights: Array = self._network.core[core].astype(np.float64)
        for node in self._network.nodes:
            if self._tells(node, spread):
                weights = weights * self._factor(node, spread)
        whole = np.broadcast_to(weights, (rows, *weights.shape[1:]))
        return np.asarray(whole.sum(axis=tuple(range(2, axes))), dtype=np.float64)

    def _possible(self, name: str, codes: Mapping[str, Codes]) -> Codes:
        """States of a hidden attribute that the known facts allow, a row a person, filled up with -1."""
        states = np.arange(len(self._hierarchy.domain[name]))
        rows = len(next(iter(codes.values())))
        allowed = np.ones((rows, len(states)), dtype=bool)
        for view in codes:
            if self._hierarchy.refines(name, view):
                allowed &= self._hierarchy.codes(name, view)[None, :] == codes[view][:, None]
        for node in self._network.nodes:
            known = any(fine in codes for fine in self._hierarchy.chain(node.child))
            if known and node.certain is not None and node.certain[0] == name:
                child, certain = self._at(node.child, codes), node.certain[1]
                allowed &= (certain < 0)[None, :] | (certain[None, :] == child[:, None])
        first = np.argsort(~allowed, axis=1, kind="stable")[:, : max(int(allowed.sum(axis=1).max()), 1)]
        found: Codes = np.where(np.take_along_axis(allowed, first, axis=1), first, -1)
        return found

    def _tells(self, node: Node, spread: Mapping[str, Codes]) -> bool:
        """Whether a node's child and all that it hangs on are known, hidden or asked for."""
        names = (node.child, *node.parents, *([node.refines] if node.refines else []))
        return all(any(fine in spread for fine in self._hierarchy.chain(name)) for name in names)

    def _at(self, name: str, codes: Mapping[str, Codes]) -> Codes:
        fine = next(fine for fine in self._hierarchy.chain(name) if fine in codes)
        found: Codes = self._hierarchy.codes(fine, name)[codes[fine]].astype(np.int64)
        return found

    def _factor(self, node: Node, spread: Mapping[str, Codes]) -> Array:
        """P(child | parents), where parents may make the child certain."""
        child = self._at(node.child, spread)
        index: list[Codes] = []
        drawn, possible = np.ones_like(child, dtype=bool), np.ones_like(child, dtype=bool)
        for parent in node.parents:
            codes = self._at(parent, spread)
            position = node.axis_codes(parent, len(self._hierarchy.domain[parent]))[codes]
            index.append(np.maximum(position, 0))
            drawn = drawn & (position >= 0)
            if node.certain is not None and node.certain[0] == parent:
                possible = (node.certain[1][codes] < 0) | (node.certain[1][codes] == child)
        if node.refines is not None:
            inside = self._hierarchy.codes(node.child, node.refines)[child]
            possible = possible & (inside == self._at(node.refines, spread))
        return np.asarray(np.where(drawn, node.table[(*index, child)], 1.0) * possible, dtype=np.float64)


def _age(value: Any, states: Mapping[Any, int], last: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
        return -1
    return states.get(min(value, last), -1)
