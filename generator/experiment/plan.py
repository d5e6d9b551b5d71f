"""Plan: what an experiment would ask and cost, and which differences its rows can show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from census_personas.foundation.errors import PersonasError
from census_personas.generator.estimate import assumed
from census_personas.generator.experiment.cells import Cell
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.resources import RunResources

LEVEL, POWER = 0.05, 0.8
ASSUMED_ACCEPTANCE = 0.9
"""Share of accepted rows that the plan assumes of both conditions, which decides how often they disagree by chance."""
DIFFERENCES = (0.01, 0.02, 0.05, 0.1)
_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """What a cell asks for.

    Attributes:
        cell: the cell.
        rows: rows asked for.
        done: rows that its run folder already has an outcome for.
        prompt_tokens: tokens of the prompts of the rows that are left.
        completion_tokens: tokens of their answers.
        cost: of these, at the config's prices.
        fault: why it cannot be run; empty otherwise.
    """

    cell: Cell
    rows: int = 0
    done: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    fault: str = ""


def planned(cell: Cell) -> PlannedCell:
    """Estimate a cell from the lengths of its prompts; asks no endpoint."""
    if cell.config is None:
        return PlannedCell(cell, fault=cell.fault)
    try:
        whole = assumed(RunResources.load(cell.config), _SAMPLE)
        manifest = Manifest.read(cell.folder)
    except PersonasError as error:
        return PlannedCell(cell, rows=cell.config.rows, fault=str(error))
    done = 0 if manifest is None else min(manifest.accepted + manifest.rejected, cell.config.rows)
    left = (cell.config.rows - done) / cell.config.rows
    asks = cell.config.llm.backend != "offline"
    return PlannedCell(
        cell,
        cell.config.rows,
        done,
        round(whole.prompt_tokens * left) if asks else 0,
        round(whole.completion_tokens * left) if asks else 0,
        whole.cost * left if asks else 0.0,
    )


def rows_needed(difference: float, comparisons: int, acceptance: float = ASSUMED_ACCEPTANCE) -> int:
    """Compute the pairs that show a difference in acceptance, in a paired test of two proportions.

    Connor (1987), Biometrics 43, 207-211: n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2, with the share of pairs
    that disagree psi. Here psi is that of two independent conditions with acceptance p + d/2 and p - d/2, which is
    cautious: the same people agree more often. The two-sided level is divided by the number of comparisons
    (Bonferroni).

    Args:
        difference: d, of the shares accepted.
        comparisons: tests that share the level of .05.
        acceptance: mean share accepted.
    """
    high, low = min(acceptance + difference / 2, 1.0), max(acceptance - difference / 2, 0.0)
    disagreeing = max(high * (1 - low) + low * (1 - high), difference)
    z = NormalDist().inv_cdf
    wanted = z(1 - LEVEL / max(comparisons, 1) / 2) * math.sqrt(disagreeing)
    wanted += z(POWER) * math.sqrt(max(disagreeing - difference**2, 0.0))
    return math.ceil(wanted**2 / difference**2)


def lines(cells: Sequence[PlannedCell], comparisons: int, max_cost: float | None) -> list[str]:
    """Return the plan as lines for the terminal."""
    shown = [f"{'seed':>6} {'rows':>7} {'done':>7} {'prompt':>10} {'answer':>10} {'cost':>9}  condition"]
    for item in cells:
        row = f"{item.cell.seed:>6} {item.rows:>7} {item.done:>7} {item.prompt_tokens:>10} "
        row += f"{item.completion_tokens:>10} {item.cost:>9.4f}  {item.cell.condition.label}"
        shown.append(f"{row}: cannot run: {item.fault}" if item.fault else row)
    total = sum(item.cost for item in cells)
    shown.append(
        f"{len(cells)} cells, {sum(item.rows - item.done for item in cells):,} rows left, "
        f"{sum(item.prompt_tokens + item.completion_tokens for item in cells):,} tokens, cost {total:.4f}"
        + ("" if max_cost is None else f" of at most {max_cost:g}")
    )
    shown.append(
        f"rows a condition that show a difference in acceptance near {ASSUMED_ACCEPTANCE:.0%} (level {LEVEL}, "
        f"{comparisons} comparisons, power {POWER:.0%}): "
        + ", ".join(f"{d:.0%}: {rows_needed(d, comparisons):,}" for d in DIFFERENCES)
    )
    return shown
