"""Completed file: completes the people of a file and writes them in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from census_personas.foundation.dataset_reader import FOOTER
from census_personas.foundation.dataset_writer import frame_writer, kinds_of
from census_personas.foundation.schema import Column, Schema, Table, context_table
from census_personas.generator.population.fact_reader import missing
from census_personas.generator.population.population import Population

DRAWN = "drawn"
"""Column with the names of the facts that were drawn."""
BLOCK = 10_000
"""Rows completed at once: enough to share work, few enough for constant memory."""

Write = Callable[[pd.DataFrame], None]


@dataclass(frozen=True, slots=True)
class FileBlock:
    """Some rows of a file, in order.

    Attributes:
        rows: as they stand there.
        facts: what they say of people, by attribute.
        unread: place in the block -> why the row cannot be read.
    """

    rows: pd.DataFrame
    facts: pd.DataFrame
    unread: Mapping[int, str]


@dataclass(frozen=True)
class CompletedFile:
    """A file of people to be completed.

    Attributes:
        population: the model.
        columns: those of the file, in its order.
        carried: those of them that say nothing of people, and are written as they stand.
        schema: which columns of people are written; the carried ones are written beside them.
        seed: of the draws.
    """

    population: Population
    columns: Sequence[str]
    carried: Sequence[str]
    schema: Schema = "full"
    seed: int = 0

    def write(
        self, blocks: Iterable[FileBlock], path: Path, observe: Callable[[int], None]
    ) -> tuple[int, int]:
        """Complete blocks of rows into a file, and rows that nobody can be, or read, into one beside it.

        Args:
            blocks: the rows, in order.
            path: a `.parquet`, `.csv` or `.jsonl` file; it appears when it is whole.
            observe: is shown how many rows are done.

        Returns:
            Number of completed rows, and of impossible ones.

        Raises:
            EvidenceError: a cell is not a state; names the cell.
            DatasetError: the file cannot be written.
        """
        start, lost = 0, 0
        notes = {
            "locale": str(self.population.priors.locale),
            "seed": str(self.seed),
            FOOTER.decode(): "completed",
        }
        with ExitStack() as files:
            table = self._table(path)
            write = files.enter_context(frame_writer(path, table, notes))
            reject: Write | None = None
            for block in blocks:
                people, reasons = self._completed(block, start, path)
                write(people)
                if reasons:
                    if reject is None:
                        reject = files.enter_context(frame_writer(beside(path), self._rejected(), notes))
                    rows = block.rows.iloc[list(reasons)].map(_text).assign(reason=list(reasons.values()))
                    reject(rows.astype("string"))
                start, lost = start + len(block.rows), lost + len(reasons)
                observe(start)
        if not lost:
            beside(path).unlink(missing_ok=True)  # from an earlier call
        return start - lost, lost

    def _completed(self, block: FileBlock, start: int, path: Path) -> tuple[pd.DataFrame, dict[int, str]]:
        """The people of a block, and by place why the others are none."""
        facts = block.facts.set_axis(pd.RangeIndex(start + 1, start + 1 + len(block.rows)))
        completion = self.population.complete(facts, seed=self.seed, start=start)
        lost = completion.impossible
        said = zip(lost.index.tolist(), lost["reason"].tolist(), strict=True)
        reasons = {label - start - 1: str(reason) for label, reason in said}
        reasons = dict(sorted((reasons | dict(block.unread)).items()))
        kept = [place for place in range(len(block.rows)) if place not in reasons]
        labels = [start + 1 + place for place in kept]
        people = completion.people.loc[labels]
        carried = {
            name: pd.Series(block.rows[name].iloc[kept].map(_text).to_numpy(), people.index, dtype=object)
            for name in self.carried
            if name not in people
        }
        drawn = {DRAWN: _names(completion.drawn.loc[labels], path)} if self.schema == "full" else {}
        return people.assign(**carried, **drawn), reasons

    def _table(self, path: Path) -> Table:
        """The columns of the file that is written."""
        people = self.population.sample(1)
        own = context_table(self.schema, kinds_of(people), self.population.priors.context_columns).columns
        there = {*(column.name for column in own), *map(str, people.columns), DRAWN}
        extra = [Column(name, "text") for name in self.carried if name not in there]
        drawn = [Column(DRAWN, "text" if path.suffix == ".csv" else "list")] if self.schema == "full" else []
        return Table((*own, *extra, *drawn))

    def _rejected(self) -> Table:
        return Table((*(Column(name, "text") for name in self.columns), Column("reason", "text")))


def beside(path: Path) -> Path:
    """Return the path of the file of impossible rows."""
    return path.with_name(f"{path.stem}.impossible{path.suffix}")


def _names(drawn: pd.DataFrame, path: Path) -> pd.Series:
    """Return the names of the drawn facts for each row; for a CSV file, as one text with blanks between."""
    names = drawn.columns.to_numpy()
    found = [names[marks].tolist() for marks in drawn.to_numpy(dtype=bool)]
    cells = [" ".join(own) for own in found] if path.suffix == ".csv" else found
    return pd.Series(cells, index=drawn.index, dtype=object)


def _text(cell: Any) -> str | None:
    """A cell of the file as text; a list or an object as JSON."""
    if isinstance(cell, list | dict):
        return orjson.dumps(cell, default=str).decode()
    return None if missing(cell) else str(cell)
