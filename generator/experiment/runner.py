"""Runner: runs the cells one after the other, within the experiment's budget, and notes how each ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.errors import PersonasError
from census_personas.generator.experiment.cells import Cell
from census_personas.generator.population.population import Population
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.session import generate

RECORD = "experiment.json"
FORMAT = 1
FINISHED = frozenset({"complete", "short"})
"""States of a run that has an outcome for every row: rejection is one, so a short run is not tried again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a cell ended.

    Attributes:
        cell: the cell.
        state: `complete`, `short`, `stopped`, `failed`, or `unpaid` if the budget was spent before it began.
        accepted: accepted rows.
        rejected: rejected rows.
        cost: of the run so far, at the config's prices.
        reason: why it failed; empty otherwise.
    """

    cell: Cell
    state: str
    accepted: int = 0
    rejected: int = 0
    cost: float = 0.0
    reason: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether every row that it asks for was accepted or rejected."""
        return self.state in FINISHED


def run_cells(
    cells: Sequence[Cell],
    max_cost: float | None,
    observe: Callable[[Cell], Callable[[Tally], None]],
    told: Callable[[Ended], None],
) -> tuple[Ended, ...]:
    """Run every cell that is not complete; a failed one does not stop the others.

    A run folder in which every row has an outcome is used as it is, whichever experiment wrote it. What cells have cost
    before counts towards the budget.

    Args:
        cells: the cells.
        max_cost: most that all cells together may cost; None for no bound.
        observe: returns for a cell the function that hears its running counts.
        told: hears how each cell ended.

    Raises:
        KeyboardInterrupt: the user stopped it; finished rows are kept.
    """
    ended = []
    load = lru_cache(1)(Population.load)  # cells of one locale share its population
    spent = sum(manifest.cost for manifest in map(_manifest, cells) if manifest is not None)
    for cell in cells:
        before = _manifest(cell)
        result = (
            _ended(cell, before) if _is_whole(cell, before) else _run(cell, max_cost, spent, observe, load)
        )
        spent += result.cost - (0.0 if before is None else before.cost)
        ended.append(result)
        told(result)
    return tuple(ended)


def _run(
    cell: Cell,
    max_cost: float | None,
    spent: float,
    observe: Callable[[Cell], Callable[[Tally], None]],
    load: Callable[[str], Population],
) -> Ended:
    if cell.config is None:
        return Ended(cell, "failed", reason=cell.fault)
    config, before = cell.config, _manifest(cell)
    if max_cost is not None:
        left = max_cost - spent
        if left <= 0:
            return _ended(cell, before, "unpaid", f"the budget of {max_cost:g} is spent")
        own = config.llm.max_cost
        limit = left if own is None else min(left, own)
        config = config.model_copy(update={"llm": config.llm.model_copy(update={"max_cost": limit})})
    try:
        manifest = generate(config, cell.folder, observe(cell), population=load(config.locale))
        return _ended(cell, manifest)
    except PersonasError as error:
        return _ended(cell, _manifest(cell), "failed", str(error))


def _is_whole(cell: Cell, manifest: Manifest | None) -> bool:
    return (
        cell.config is not None
        and manifest is not None
        and manifest.state in FINISHED
        and manifest.rows >= cell.config.rows
    )


def _manifest(cell: Cell) -> Manifest | None:
    if cell.config is None:
        return None
    try:
        return Manifest.read(cell.folder)
    except PersonasError:  # told when the cell is run
        return None


def _ended(cell: Cell, manifest: Manifest | None, state: str = "", reason: str = "") -> Ended:
    if manifest is None:
        return Ended(cell, state or "failed", reason=reason)
    return Ended(cell, state or manifest.state, manifest.accepted, manifest.rejected, manifest.cost, reason)


def write_record(folder: Path, ended: Sequence[Ended], comparison: Mapping[str, Any]) -> Path:
    """Write `experiment.json`: how each cell ended, and the comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "format": FORMAT,
        "cells": [
            {
                "condition": dict(item.cell.condition.values),
                "label": item.cell.condition.label,
                "seed": item.cell.seed,
                "folder": item.cell.folder.name if item.cell.config else None,
                "state": item.state,
                "accepted": item.accepted,
                "rejected": item.rejected,
                "cost": round(item.cost, 6),
                "reason": item.reason,
            }
            for item in ended
        ],
        **comparison,
    }
    path = folder / RECORD
    write_whole(path, json.dumps(values, indent=2, ensure_ascii=False, default=str) + "\n")
    return path
