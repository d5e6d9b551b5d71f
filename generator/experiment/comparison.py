"""Comparison: every condition beside the baseline, person by person, with intervals and corrected for many tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtr, stdtr, stdtrit  # type: ignore[import-untyped]

from census_personas.foundation.arrays import Floats
from census_personas.generator.experiment.cells import Condition
from census_personas.generator.experiment.outcomes import MEASURES, WARNINGS, outcomes, rules_met, same_people
from census_personas.generator.experiment.plan import LEVEL
from census_personas.generator.experiment.runner import Ended

Z = NormalDist().inv_cdf(1 - LEVEL / 2)
COMPARED = (*MEASURES, WARNINGS)


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of a condition beside the baseline.

    Attributes:
        measure: `accepted`, or a measure of the texts of people accepted on both sides.
        condition: label of the condition.
        paired: whether the same people are on both sides.
        people: pairs; of unpaired conditions, the smaller number of people.
        baseline: mean of the baseline.
        value: mean of the condition.
        difference: value minus baseline.
        low: lower end of its 95 % interval.
        high: upper end.
        p: two-sided p-value of no difference.
        adjusted: p-value after Holm's correction for all tests of the experiment.
    """

    measure: str
    condition: str
    paired: bool
    people: int
    baseline: float
    value: float
    difference: float
    low: float
    high: float
    p: float
    adjusted: float = math.nan

    @property
    def is_marked(self) -> bool:
        """Whether chance does not explain the difference at the level of the experiment."""
        return self.adjusted < LEVEL


def compare(ended: Sequence[Ended], baseline: Condition) -> dict[str, Any]:
    """Compare every usable condition with the baseline, pooled over seeds that both have finished.

    Rows of different seeds are different people, so that the pairs of all seeds are one sample.

    Returns:
        `baseline` (label), `conditions` (rows and means of each), `differences` (list of `Difference` as mappings),
        `left_out` (label -> why a condition was not compared).
    """
    frames = {
        (item.cell.condition.number, item.cell.seed): outcomes(item.cell) for item in ended if item.is_usable
    }
    known = {item.cell.condition.number: item.cell.condition for item in ended}
    found: list[Difference] = []
    left_out: dict[str, str] = {}
    for number, condition in known.items():
        seeds = [seed for of, seed in frames if of == number]
        if not seeds:
            reasons = {i.reason for i in ended if i.cell.condition.number == number and i.reason}
            left_out[condition.label] = "; ".join(sorted(reasons)) or "no cell has an outcome for every row"
            continue
        if number == baseline.number:
            continue
        shared = [seed for seed in seeds if (baseline.number, seed) in frames]
        if not shared:
            left_out[condition.label] = "the baseline has no finished cell with one of its seeds"
            continue
        pairs = [(frames[baseline.number, seed], frames[number, seed]) for seed in shared]
        found += _differences(condition, pairs)
    adjusted = holm([item.p for item in found])
    found = [replace(item, adjusted=value) for item, value in zip(found, adjusted, strict=True)]
    return {
        "baseline": baseline.label,
        "conditions": [_summary(condition, ended, frames) for condition in known.values()],
        "differences": [{**asdict(item), "marked": item.is_marked} for item in found],
        "left_out": left_out,
    }


def _differences(
    condition: Condition, pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]
) -> list[Difference]:
    paired = all(same_people(one, other) for one, other in pairs)
    one, other = (pd.concat([pair[side] for pair in pairs], ignore_index=True) for side in (0, 1))
    if not paired:
        return [_unpaired(condition, one, other), *_unpaired_means(condition, one, other)]
    found = [_acceptance(condition, one["accepted"].to_numpy(bool), other["accepted"].to_numpy(bool))]
    both = (one["accepted"] & other["accepted"]).to_numpy(bool)
    for measure in COMPARED:
        before, after = (frame.loc[both, measure].to_numpy(np.float64) for frame in (one, other))
        if len(before) > 1:
            found.append(_means(measure, condition, before, after))
    return found


def _acceptance(condition: Condition, one: np.ndarray, other: np.ndarray) -> Difference:
    """Compare shares of accepted rows in pairs.

    Interval: Agresti and Min (2005), Statistics in Medicine 24, 729-740: half a pair is added to each of the four
    cells. Test: McNemar's, exact, on the pairs that disagree.
    """
    gained, lost, pairs = int((other & ~one).sum()), int((one & ~other).sum()), len(one)
    total = pairs + 2.0
    centre = (gained - lost) / total
    spread = math.sqrt(max((gained + lost + 1.0) - (gained - lost) ** 2 / total, 0.0)) / total
    disagreeing = gained + lost
    p = 1.0 if not disagreeing else min(1.0, 2 * float(bdtr(min(gained, lost), disagreeing, 0.5)))
    return Difference(
        "accepted", condition.label, True, pairs, float(one.mean()), float(other.mean()),
        float(other.mean() - one.mean()), centre - Z * spread, centre + Z * spread, p,
    )  # fmt: skip


def _means(measure: str, condition: Condition, before: Floats, after: Floats) -> Difference:
    """Compare means in pairs by Student's t."""
    change = after - before
    mean, error = float(change.mean()), float(change.std(ddof=1) / math.sqrt(len(change)))
    reach = float(stdtrit(len(change) - 1, 1 - LEVEL / 2)) * error
    p = (1.0 if mean == 0 else 0.0) if error == 0 else 2 * float(stdtr(len(change) - 1, -abs(mean / error)))
    return Difference(
        measure, condition.label, True, len(change), float(before.mean()), float(after.mean()),
        mean, mean - reach, mean + reach, p,
    )  # fmt: skip


def _unpaired(condition: Condition, one: pd.DataFrame, other: pd.DataFrame) -> Difference:
    """Compare shares of different people.

    Interval: Agresti and Caffo (2000), The American Statistician 54, 280-288: one success and one failure are added to
    each side; the test uses the same standard error.
    """
    counts = [(float(frame["accepted"].sum()), len(frame)) for frame in (one, other)]
    (a, n), (b, m) = counts
    first, second = (a + 1) / (n + 2), (b + 1) / (m + 2)
    spread = math.sqrt(first * (1 - first) / (n + 2) + second * (1 - second) / (m + 2))
    centre = second - first
    p = 2 * NormalDist().cdf(-abs(centre) / spread)
    return Difference(
        "accepted", condition.label, False, min(n, m), a / n, b / m, b / m - a / n,
        centre - Z * spread, centre + Z * spread, p,
    )  # fmt: skip


def _unpaired_means(condition: Condition, one: pd.DataFrame, other: pd.DataFrame) -> list[Difference]:
    """Compare means of different people by Welch's t."""
    found = []
    for measure in COMPARED:
        before, after = (
            frame.loc[frame["accepted"].astype(bool), measure].to_numpy(np.float64) for frame in (one, other)
        )
        if min(len(before), len(after)) < 2:
            continue
        parts = [float(values.var(ddof=1)) / len(values) for values in (before, after)]
        error, mean = math.sqrt(sum(parts)), float(after.mean() - before.mean())
        if error == 0:
            continue
        freedom = sum(parts) ** 2 / sum(
            part**2 / (len(v) - 1) for part, v in zip(parts, (before, after), strict=True)
        )
        reach = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
        p = 2 * float(stdtr(freedom, -abs(mean / error)))
        means = float(before.mean()), float(after.mean())
        fewer = min(len(before), len(after))
        found.append(
            Difference(measure, condition.label, False, fewer, *means, mean, mean - reach, mean + reach, p)
        )
    return found


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values for their number (Holm 1979, Scandinavian Journal of Statistics 6, 65-70)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, before = [math.nan] * len(values), 0.0
    for rank, place in enumerate(order):
        before = max(before, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = before
    return adjusted


def _summary(
    condition: Condition, ended: Sequence[Ended], frames: Mapping[tuple[int, int], pd.DataFrame]
) -> dict[str, Any]:
    own = [item for item in ended if item.cell.condition.number == condition.number]
    usable = [frames[condition.number, item.cell.seed] for item in own if item.is_usable]
    met: dict[str, int] = {}
    for item in own:
        if item.is_usable:
            for rule, count in rules_met(item.cell).items():
                met[rule] = met.get(rule, 0) + count
    whole = pd.concat(usable, ignore_index=True) if usable else None
    means = {} if whole is None else {name: _mean(whole, name) for name in COMPARED}
    return {
        "label": condition.label,
        "values": dict(condition.values),
        "seeds": [item.cell.seed for item in own if item.is_usable],
        "rows": 0 if whole is None else len(whole),
        "accepted": 0 if whole is None else int(whole["accepted"].sum()),
        "cost": round(sum(item.cost for item in own), 6),
        "means": means,
        "rules": dict(sorted(met.items(), key=lambda item: -item[1])),
    }


def _mean(frame: pd.DataFrame, name: str) -> float | None:
    values = frame.loc[frame["accepted"].astype(bool), name] if name in frame else pd.Series(dtype=float)
    return float(values.mean()) if len(values) else None
