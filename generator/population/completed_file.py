"""Completed file: people of a file with what they lack drawn, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from census_personas.foundation.dataset_reader import FOOTER, columns_of, read_frames
from census_personas.foundation.dataset_writer import frame_writer, kinds_of
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import Column, Schema, Table, context_table
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.population import Population

DRAWN = "drawn"
"""Column with the names of the facts that were drawn."""
BLOCK = 10_000
"""Rows completed at once: enough to share work, few enough for flat memory."""

Write = Callable[[pd.DataFrame], None]


@dataclass(frozen=True)
class CompletedFile:
    """A file of people to be completed, under exact names of columns.

    Attributes:
        population: the model.
        columns: those of the file, in its order.
        schema: which columns of people are written; those of the file that it lacks are carried through beside them.
        seed: of the draws.
    """

    population: Population
    columns: Sequence[str]
    schema: Schema = "full"
    seed: int = 0
    _seen: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a file without anything that is known of people.

        Raises:
            EvidenceError: none of the columns is an attribute.
        """
        if not self.known:
            raise EvidenceError(
                f"none of the columns {', '.join(self.columns)} is an attribute of "
                f"{self.population.priors.locale}; rename some to such as sex, age or state"
            )

    @property
    def known(self) -> tuple[str, ...]:
        """Columns that say something of people, or name them."""
        return tuple(name for name in self.columns if self.population.knows(name))

    @property
    def carried(self) -> tuple[str, ...]:
        """Columns that say nothing, and are written as they stand."""
        known = {*self.known, DRAWN}
        return tuple(name for name in self.columns if name not in known)

    def write(
        self, frames: Iterable[pd.DataFrame], path: Path, observe: Callable[[int], None]
    ) -> tuple[int, int]:
        """Complete blocks of rows into a file, and rows that nobody can be into one beside it.

        Args:
            frames: the rows, in order; each block has the same columns.
            path: a `.parquet`, `.csv` or `.jsonl` file; it appears when it is whole.
            observe: is shown how many rows are done.

        Returns:
            Rows that were completed, and rows that were not.

        Raises:
            EvidenceError: a cell that is no state; says which.
            DatasetError: a place that cannot be written to.
        """
        start, lost = 0, 0
        notes = {
            "locale": str(self.population.priors.locale),
            "seed": str(self.seed),
            FOOTER.decode(): "completed",
        }
        with ExitStack() as files:
            write: Write | None = None
            reject: Write | None = None
            for block in blocks(frames):
                block.index = pd.RangeIndex(start + 1, start + 1 + len(block))
                completion = self.population.complete(block[list(self.known)], seed=self.seed, start=start)
                people = completion.people
                table = self._table(people, block, path)
                kept = block.loc[people.index]
                extra = {
                    name: kept[name] for name in table.names if name not in people.columns and name != DRAWN
                }
                whole = people.assign(**extra)
                if DRAWN in table.names:
                    whole[DRAWN] = _names(completion.drawn, path)
                if write is None:
                    write = files.enter_context(frame_writer(path, table, notes))
                write(whole)
                if len(completion.impossible):
                    if reject is None:
                        reject = files.enter_context(frame_writer(beside(path), self._rejected(), notes))
                    rows = block.loc[completion.impossible.index].assign(
                        reason=completion.impossible["reason"]
                    )
                    reject(rows.astype("string"))
                start, lost = start + len(block), lost + len(completion.impossible)
                observe(start)
            if write is None:
                raise DatasetError(
                    f"{path}: is not written, since there are no rows; give a file that has some"
                )
        if not lost:
            beside(path).unlink(missing_ok=True)  # of an earlier try
        return start - lost, lost

    def _table(self, people: pd.DataFrame, block: pd.DataFrame, path: Path) -> Table:
        """The columns of the file that is written, decided by the first block."""
        if not self._seen:
            own = context_table(self.schema, kinds_of(people), self.population.priors.context_columns).columns
            there = {column.name for column in own}
            carried = [name for name in self.columns if name not in {*there, DRAWN}]
            kinds = kinds_of(block)
            extra = [Column(name, kinds[name]) for name in carried]
            drawn = (
                [Column(DRAWN, "text" if path.suffix == ".csv" else "list")] if self.schema == "full" else []
            )
            self._seen.append(Table((*own, *extra, *drawn)))
        return self._seen[0]

    def _rejected(self) -> Table:
        return Table((*(Column(name, "text") for name in self.columns), Column("reason", "text")))


def frames_of(path: Path) -> Iterator[pd.DataFrame]:
    """The rows of a file; of a CSV file every cell is text as it stands, and an empty one says nothing.

    Raises:
        DatasetError: no file of rows.
    """
    text = columns_of(path) if path.suffix == ".csv" else ()
    for frame in read_frames(path, codes=text):
        yield frame.astype(object).where(frame != "", None) if text else frame


def blocks(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The same rows, at most `BLOCK` at a time."""
    for frame in frames:
        for top in range(0, len(frame), BLOCK):
            yield frame.iloc[top : top + BLOCK].copy()


def beside(path: Path) -> Path:
    """Where rows that nobody can be are written."""
    return path.with_name(f"{path.stem}.impossible{path.suffix}")


def _names(drawn: pd.DataFrame, path: Path) -> pd.Series:
    """The names of the facts that were drawn, of each row; in a CSV file, a text with blanks between them."""
    names = drawn.columns.to_numpy()
    found = [names[marks].tolist() for marks in drawn.to_numpy(dtype=bool)]
    cells = [" ".join(own) for own in found] if path.suffix == ".csv" else found
    return pd.Series(cells, index=drawn.index, dtype=object)
