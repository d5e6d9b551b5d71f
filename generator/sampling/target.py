"""Target: the marginals that a sample shall have, as shares of cells of some attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Codes, Floats
from census_personas.foundation.dataset_reader import columns_of, read_frame
from census_personas.generator.config.selection import TABLES, EvidenceError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.sampling import where_clause as evidence
from census_personas.generator.sampling.marginals import Axis, axis_of

UNIFORM = "uniform"

WEIGHTS = ("share", "weight", "weights", "count", "persons", "n")
ROUNDING = 1e-6
_MOST = 1e15  # of a count
_MOST_CELLS = 3_000_000  # each cell has a label in memory
REST = "all others"
MOST_CELLS = 256
"""Most cells of a quota; each has its own sampler."""


@dataclass(frozen=True, slots=True)
class Target:
    """Cells of some attributes and the share that each shall have.

    Attributes:
        name: the attributes as in the config, separated by commas.
        axes: their axes.
        labels: a name for every cell.
        cells: number of the cell of every combination of states, shape by axes.
        shares: target share of each cell, summing to 1; None for equal shares of the cells that occur.
        within: `target` or `quota`, for messages.
    """

    name: str
    axes: tuple[Axis, ...]
    labels: tuple[str, ...]
    cells: Codes
    shares: Floats | None
    within: str = "target"


def read_targets(
    wanted: Mapping[str, Any], priors: Priors, leaves: Sequence[Leaf], within: str = "target"
) -> tuple[Target, ...]:
    """Read a `target` or `quota`.

    Args:
        wanted: attribute, or several separated by commas, -> one of
            a mapping of values (or ranges, patterns; separated by commas for several attributes) to shares: shares that
            sum to less than 1 leave the rest to everyone else, whole numbers above 1 are counts;
            a list of values, ranges or patterns, for equal shares of each;
            `uniform`, for equal shares of every state that occurs;
            the path of a `.csv` or `.parquet` table with those columns and, optionally, one of weights.
        priors: the locale.
        leaves: attributes outside the network.
        within: `target` or `quota`, for messages.

    Raises:
        EvidenceError: it cannot be read; the message names the key and the remedy.
    """
    return tuple(_read(name, value, priors, leaves, within) for name, value in wanted.items())


def _read(name: str, wanted: Any, priors: Priors, leaves: Sequence[Leaf], within: str) -> Target:
    names = [part.strip() for part in name.split(",")]
    axes = tuple(axis_of(part, priors, leaves, f"{within}.{name}") for part in names)
    beside = {leaf.child for leaf in leaves}
    if len(axes) > 1 and any(axis.source in beside for axis in axes):
        raise EvidenceError(
            f"{within}.{name}: names, places and traits cannot be combined; name one attribute"
        )
    place = f"{within}.{name}"
    sizes = [len(axis.states) for axis in axes]
    if prod(sizes) > _MOST_CELLS:
        shown = " x ".join(map(str, sizes))
        raise EvidenceError(f"{place}: a table of {shown} cells is too large; name fewer attributes")
    most = MOST_CELLS if within == "quota" else None
    if isinstance(wanted, str) and wanted == UNIFORM:
        return _uniform(name, axes, within)
    if isinstance(wanted, str):
        if not wanted.endswith(TABLES):
            raise EvidenceError(
                f"{place}: {wanted!r} is neither {UNIFORM!r} nor a {' or '.join(TABLES)} table"
            )
        codes = priors.roles.named(("postcode",))
        return _cells(name, axes, _table(place, Path(wanted), names, most, codes), place)
    if most is not None and isinstance(wanted, Mapping | Sequence):
        refuse_many(place, len(wanted))
    if isinstance(wanted, Mapping):
        return _cells(name, axes, [(_key(key, names, place), share) for key, share in wanted.items()], place)
    if isinstance(wanted, Sequence):
        return _cells(name, axes, [(_key(key, names, place), 1) for key in wanted], place)
    raise EvidenceError(f"{place}: give shares, a list, {UNIFORM!r} or the path of a table, not {wanted!r}")


def _uniform(name: str, axes: tuple[Axis, ...], within: str) -> Target:
    shape = [len(axis.states) for axis in axes]
    labels = tuple(", ".join(map(str, states)) for states in product(*(axis.states for axis in axes)))
    return Target(name, axes, labels, np.arange(len(labels), dtype=np.int64).reshape(shape), None, within)


def _key(key: Any, names: Sequence[str], place: str) -> list[Any]:
    parts = [key] if len(names) == 1 else [part.strip() for part in str(key).split(",")]
    if len(parts) != len(names):
        raise EvidenceError(f"{place}: {key!r} should give {len(names)} values separated by commas")
    return parts


def _cells(name: str, axes: tuple[Axis, ...], wanted: Sequence[tuple[list[Any], Any]], place: str) -> Target:
    names = [part.strip() for part in name.split(",")]
    cells = np.full([len(axis.states) for axis in axes], len(wanted), dtype=np.int64)
    within = place.partition(".")[0]
    texts = [
        {state: code for code, state in enumerate(axis.states) if isinstance(state, str)} for axis in axes
    ]
    for number, (parts, _) in enumerate(wanted):
        matched = [
            # Exact names are looked up: matching each against all states would take minutes for postcodes.
            np.array([known[part]])
            if isinstance(part, str) and part in known and not evidence.is_pattern(part)
            else np.flatnonzero(evidence.match(attribute, part, axis.states, within))
            for attribute, part, axis, known in zip(names, parts, axes, texts, strict=True)
        ]
        index = np.ix_(*matched)
        if (cells[index] < len(wanted)).any():
            raise EvidenceError(f"{place}: {_label(parts)!r} overlaps another key; make the cells disjoint")
        cells[index] = number
    shares = _shares([share for _, share in wanted], place)
    labels = [_label(parts) for parts, _ in wanted]
    return Target(name, axes, (*labels, REST), cells, np.append(shares, max(0.0, 1.0 - shares.sum())), within)


def _label(parts: Sequence[Any]) -> str:
    return ", ".join(map(str, parts))


def _shares(values: Sequence[Any], place: str) -> Floats:
    try:
        shares = np.array([float(value) for value in values])
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"{place}: shares must be numbers ({error})") from error
    sound = (shares >= 0) & (shares <= _MOST)
    if not sound.all() or not shares.sum() > 0:
        raise EvidenceError(f"{place}: shares must be numbers from 0 to {_MOST:g}, one of them above 0")
    total = shares.sum()
    if abs(total - 1) <= ROUNDING or (total > 1 and (shares == np.round(shares)).all()):
        return np.asarray(shares / total, dtype=np.float64)
    if total > 1:
        raise EvidenceError(
            f"{place}: shares sum to {total:g}; give shares that sum to at most 1, or counts only"
        )
    return shares


def refuse_many(place: str, cells: int) -> None:
    """Refuse a quota of more than `MOST_CELLS` cells.

    Raises:
        EvidenceError: there are more cells; the message names the bound and the remedy.
    """
    if cells > MOST_CELLS:
        raise EvidenceError(
            f"{place}: {cells} cells or more; a quota has at most {MOST_CELLS}, so group the states, or use target, "
            "which has no such limit"
        )


def _table(
    place: str, path: Path, names: Sequence[str], most: int | None = None, codes: Sequence[str] = ()
) -> list[tuple[list[Any], Any]]:
    """Read shares from a table, or from the rows of a dataset; `codes` are columns of digits to read as text."""
    known = columns_of(path)
    missing = [name for name in names if name not in known]
    if missing:
        raise EvidenceError(f"{place}: {path} has no column {missing[0]!r}; it has {', '.join(known)}")
    weights = [column for column in WEIGHTS if column in known]
    frame = read_frame(path, [*names, *weights[:1]], codes)
    grouped = frame.groupby(list(names), observed=True)
    totals = grouped[weights[0]].sum() if weights else grouped.size()
    shares = totals / totals.sum()
    if most is not None:
        refuse_many(place, len(shares))
    return [
        ([key] if len(names) == 1 else list(key), float(share))
        for key, share in zip(shares.index, shares, strict=True)
        if share > 0
    ]


def shares_of(target: Target, cells: Floats, place: str) -> Floats:
    """Return the target share of each cell, given its share in the model; `uniform` is resolved here.

    Raises:
        EvidenceError: an empty cell has a target share, or the remaining share has no cell to go to.
    """
    if target.shares is None:
        return np.asarray((cells > 0) / (cells > 0).sum(), dtype=np.float64)
    shares = target.shares
    rest = shares[-1]
    empty = [
        label
        for label, share, have in zip(target.labels, shares, cells, strict=True)
        if share > ROUNDING and not have > 0
    ]
    if empty == [REST] and rest < 1:
        raise EvidenceError(
            f"{place}.{target.name}: shares sum to {1 - rest:g}, and nobody is left for the rest; make them sum to 1"
        )
    if empty:
        raise EvidenceError(
            f"{place}.{target.name}: {empty[0]!r} has a share, but nobody is in this cell; leave it out"
        )
    return np.asarray(np.where(cells > 0, shares, 0.0) / shares[cells > 0].sum(), dtype=np.float64)
