"""Outcomes: what became of every row of a cell, and measures of the texts of accepted rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from census_personas.foundation.dataset_reader import read_frames
from census_personas.foundation.errors import DatasetError
from census_personas.generator.experiment.cells import Cell
from census_personas.generator.run.findings import read_findings
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.rejections import read_rejections


def _words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)


def _distinct_share(texts: Sequence[str]) -> float:
    words = [word.casefold().strip(".,;:!?\"'()«»") for text in texts for word in text.split()]
    return len(set(words)) / len(words) if words else 0.0


MEASURES: Mapping[str, tuple[str, Callable[[Sequence[str]], float]]] = {
    "words": ("words of all texts of a person", _words),
    "distinct_words": ("share of distinct words among the words of a person's texts", _distinct_share),
}
"""Measures of a person's texts: what each says, and its function. `warnings` counts findings instead."""
WARNINGS = "warnings"
_FACTS = frozenset({"uuid", "row"})


def outcomes(cell: Cell) -> pd.DataFrame:
    """Return one row for each row asked for.

    Columns: row, uuid, accepted, and for accepted rows the measures of `MEASURES` and `warnings` (findings that did not
    reject). Rows beyond those asked for, of a run folder that another experiment extended, are left out.

    Raises:
        DatasetError: the run folder lacks an outcome for a row.
    """
    if cell.config is None:
        raise DatasetError(f"{cell.folder}: the cell has no run")
    rows = cell.config.rows
    rejected = [
        {"row": int(item["row"]), "uuid": str(item["uuid"]), "accepted": False}
        for item in read_rejections(cell.folder)
        if int(item["row"]) < rows
    ]
    refused = {item["row"] for item in rejected}
    # Parts hold the accepted rows in order, without their numbers: these are the numbers that were not rejected.
    accepted = _accepted(cell, [row for row in range(rows) if row not in refused])
    frame = pd.DataFrame([*accepted, *rejected]).sort_values("row", ignore_index=True)
    if len(frame) != rows:
        raise DatasetError(
            f"{cell.folder}: has an outcome for {len(frame)} of {rows} rows; run the experiment again"
        )
    warnings = _warnings(cell)
    frame[WARNINGS] = frame["row"].map(warnings).fillna(0).where(frame["accepted"])
    return frame


def _accepted(cell: Cell, numbers: Sequence[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not numbers:
        return found
    manifest = Manifest.read(cell.folder)
    if manifest is None or not manifest.accepted:
        return found
    for frame in read_frames(cell.folder):
        texts = [name for name in frame.columns if name.endswith("_persona") or name == "persona"]
        for uuid, *said in frame[["uuid", *texts]].itertuples(index=False, name=None):
            if len(found) == len(numbers):
                return found
            measured = {name: measure(said) for name, (_, measure) in MEASURES.items()}
            found.append({"row": numbers[len(found)], "uuid": str(uuid), "accepted": True, **measured})
    return found


def _warnings(cell: Cell) -> dict[int, int]:
    counts: Counter[int] = Counter()
    for frame in read_findings(cell.folder):
        kept = frame[frame["accepted"] & (frame["severity"] == "warning")]
        counts.update(kept["row"].tolist())
    return counts


def rules_met(cell: Cell) -> dict[str, int]:
    """Count the rows of a cell that each rule found an error in, accepted later or not."""
    counts: Counter[str] = Counter()
    for frame in read_findings(cell.folder):
        errors = frame[frame["severity"] == "error"].drop_duplicates(["row", "rule"])
        counts.update(errors["rule"].tolist())
    return counts


def same_people(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two cells hold the same people, row by row."""
    return len(one) == len(other) and bool(np.array_equal(one["uuid"].to_numpy(), other["uuid"].to_numpy()))
