"""Input source: the rows of a dataset with columns of any names, and a tally of its values."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

from census_personas.foundation.dataset_reader import count_rows, dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import TextFormat, first_line, header_of, read_rows
from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.input.spelling import cell_text

SEPARATORS = (",", ";", "\t", "|")
_TEXT = frozenset({".csv", ".tsv"})


class InputSource:
    """A file of people, or a run folder: its columns and rows, as they stand there."""

    def __init__(self, said: InputConfig) -> None:
        """Look at the columns; rows are read as they are asked for.

        Raises:
            DatasetError: no dataset there, one that cannot be read, or one without columns or rows.
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
        return sum(1 for _ in self.rows())

    @property
    def can_seek(self) -> bool:
        """Whether rows can be passed over without reading them."""
        return self.files[0].suffix.lower() == ".parquet"

    def rows(self, columns: Collection[str] | None = None, start: int = 0) -> Iterator[dict[str, Any]]:
        """The rows in order, from one of them on; of a Parquet file these columns alone."""
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

    def tally(self, columns: Collection[str]) -> Mapping[str, Counter[str | None]]:
        """How often each value stands in each of these columns, as text; None counts empty cells.

        Raises:
            DatasetError: a cell that holds a list or an object.
        """
        counts: dict[str, Counter[str | None]] = {name: Counter() for name in columns}
        for row in self.rows(columns):
            for name, count in counts.items():
                cell = row.get(name)
                if isinstance(cell, list | dict):
                    raise DatasetError(
                        f"{self.path}: column {name!r} holds {cell!r}; give one value a row, and no lists"
                    )
                count[cell_text(cell)] += 1
        return counts

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
