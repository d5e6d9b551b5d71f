"""Completed file: completes the people of a file and writes them in blocks."""

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
"""Rows completed at once: enough to share work, few enough for constant memory."""

Write = Callable[[pd.DataFrame], None]


@dataclass(frozen=True)
class CompletedFile:
    """A file of people to complete; its columns have the exact names of attributes.

    Attributes:
        population: the model.
        columns: the file's columns, in order.
        schema: the columns of people that are written; other columns of the file are copied.
        seed: seed of the draws.
    """

    population: Population
    columns: Sequence[str]
    schema: Schema = "full"
    seed: int = 0
    _seen: list[Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a file without attributes of people.

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
        """Columns that are attributes, or identify rows."""
        return tuple(name for name in self.columns if self.population.knows(name))

    @property
    def carried(self) -> tuple[str, ...]:
        """Other columns, which are copied unchanged."""
        known = {*self.known, DRAWN}
        return tuple(name for name in self.columns if name not in known)

    def write(
        self, frames: Iterable[pd.DataFrame], path: Path, observe: Callable[[int], None]
    ) -> tuple[int, int]:
        """Write completed rows to a file, and impossible rows to one beside it.

        Args:
            frames: the rows, in order; each block has the same columns.
            path: a `.parquet`, `.csv` or `.jsonl` file; it appears when it is complete.
            observe: called with the number of rows done.

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
                    f"{path}: not written, as the input has no rows; give a file that has some"
                )
        if not lost:
            beside(path).unlink(missing_ok=True)  # from an earlier call
        return start - lost, lost

    def _table(self, people: pd.DataFrame, block: pd.DataFrame, path: Path) -> Table:
        """Return the columns of the written file, as the first block decides them."""
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
    """Yield the rows of a file; in a CSV file, every cell is unchanged text, and an empty one is unknown.

    Raises:
        DatasetError: the file holds no rows.
    """
    text = columns_of(path) if path.suffix == ".csv" else ()
    for frame in read_frames(path, codes=text):
        yield frame.astype(object).where(frame != "", None) if text else frame


def blocks(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the same rows, at most `BLOCK` at a time."""
    for frame in frames:
        for top in range(0, len(frame), BLOCK):
            yield frame.iloc[top : top + BLOCK].copy()


def beside(path: Path) -> Path:
    """Return the path of the file of impossible rows."""
    return path.with_name(f"{path.stem}.impossible{path.suffix}")


def _names(drawn: pd.DataFrame, path: Path) -> pd.Series:
    """Return the names of the drawn facts for each row; for a CSV file, as one text with blanks between."""
    names = drawn.columns.to_numpy()
    found = [names[marks].tolist() for marks in drawn.to_numpy(dtype=bool)]
    cells = [" ".join(own) for own in found] if path.suffix == ".csv" else found
    return pd.Series(cells, index=drawn.index, dtype=object)
