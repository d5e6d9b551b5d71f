"""Input source: the rows of a dataset with arbitrary columns, and a tally of its values."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

from census_personas.foundation.dataset_reader import count_rows, dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import (
    TextFormat,
    first_line,
    header_of,
    read_columns,
    read_rows,
)
from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.input.spelling import cell_text, cell_texts

SEPARATORS = (",", ";", "\t", "|")
_TEXT = frozenset({".csv", ".tsv"})


class InputSource:
    """The columns and rows of a file of people or a run folder, unchanged."""

    def __init__(self, said: InputConfig) -> None:
        """Read the columns; rows are read on demand.

        Raises:
            DatasetError: there is no dataset, it cannot be read, or it has no columns or rows.
        """
        self.path = Path(said.file)
        self.files = dataset_files(self.path)
        self.text = TextFormat(said.encoding, said.separator or self._separator(said.encoding))
        if self.files[0].suffix.lower() in _TEXT and not first_line(self.files[0], said.encoding).strip():
            raise DatasetError(
                f"{self.path}: its first line is empty; give a file that begins with the names of its columns"
            )
        self.columns = header_of(self.files[0], self.text) or self._keys()
        if not self.columns or next(self.rows(), None) is None:
            raise DatasetError(f"{self.path}: has no rows; give a dataset that has some")
        if blank := [number for number, name in enumerate(self.columns, start=1) if not name.strip()]:
            self.columns = tuple(name for name in self.columns if name.strip())
            if not self.columns:
                raise DatasetError(f"{self.path}: column {blank[0]} has no name; name its columns")

    @cached_property
    def count(self) -> int:
        """Number of rows."""
        if self.files[0].suffix.lower() == ".parquet":
            return count_rows(self.path)
        first = self.columns[0]
        return sum(len(block[first]) for block in self.blocks((first,)))

    @property
    def can_seek(self) -> bool:
        """Whether rows can be passed over without reading them."""
        return self.files[0].suffix.lower() == ".parquet"

    def rows(self, columns: Collection[str] | None = None, start: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the rows in order from row `start` on; from a Parquet file only these columns."""
        if not self.can_seek:
            rows = chain.from_iterable(read_rows(file, self.text) for file in self.files)
            return islice(rows, start, None)
        return self._sought(columns, start)

    def _sought(self, columns: Collection[str] | None, start: int) -> Iterator[dict[str, Any]]:
        for file in self.files:
            if start and start >= (rows := count_rows(file)):
                start -= rows
                continue
            yield from read_rows(file, self.text, columns, start)
            start = 0

    def blocks(self, columns: Collection[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        """The cells of these columns, block by block."""
        return chain.from_iterable(read_columns(file, self.text, columns) for file in self.files)

    def tally(self, columns: Collection[str], most: int | None = None) -> Mapping[str, Counter[str | None]]:
        """How often each value stands in each of these columns, as text; None counts empty cells.

        The values of a cell that holds a list are counted each. A column with more than `most` values is left out.

        Raises:
            DatasetError: a cell that holds an object.
        """
        cells: dict[str, Counter[Any]] = {name: Counter() for name in columns}
        for block in self.blocks(columns) if cells else ():
            for name in tuple(cells):
                cells[name].update(block[name] if _are_plain(block[name]) else self._texts(name, block[name]))
                if most is not None and len(cells[name]) > most:
                    del cells[name]
            if not cells:
                break
        counts: dict[str, Counter[str | None]] = {name: Counter() for name in cells}
        for name, own in cells.items():
            for cell, rows in own.items():
                counts[name][cell_text(cell)] += rows
        return counts

    def _texts(self, name: str, cells: Sequence[Any]) -> Iterator[str | None]:
        for cell in cells:
            texts = cell_texts(cell)
            if texts is None and isinstance(cell, dict):
                raise DatasetError(
                    f"{self.path}: column {name!r} holds {cell!r}; give a value, or a list of values, a row"
                )
            yield from (cell_text(cell),) if texts is None else texts or (None,)

    def _separator(self, encoding: str) -> str:
        file = self.files[0]
        if file.suffix.lower() == ".tsv":
            return "\t"
        if file.suffix.lower() != ".csv":
            return ","
        line = first_line(file, encoding)
        cells = {sign: len(next(csv.reader([line], delimiter=sign), ())) for sign in SEPARATORS}
        return max(SEPARATORS, key=lambda sign: cells[sign])

    def _keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for row in self.rows() for name in row))


def _are_plain(cells: Sequence[Any]) -> bool:
    """Whether cells can be counted as they stand: True equals 1, and no NaN equals another."""
    return {*map(type, cells)} <= {str, int, type(None)}
