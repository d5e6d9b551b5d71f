"""Frames: the rows of a file as its mapping reads them, in blocks, with its other columns unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pandas as pd

from census_personas.generator.input.mapping import InputMapping
from census_personas.generator.input.source import InputSource

_BLOCK = 10_000


def frame_columns(source: InputSource, mapping: InputMapping) -> tuple[str, ...]:
    """Return the columns of the frames: attributes in place of the headers that hold them."""
    targets = {column.source: column.target for column in mapping.columns}
    return tuple(dict.fromkeys(targets.get(name, name) for name in source.columns))


def mapped_frames(source: InputSource, mapping: InputMapping) -> Iterator[pd.DataFrame]:
    """Yield the rows of a file, in order; missing values are None.

    Raises:
        DatasetError: the file cannot be read.
    """
    columns = frame_columns(source, mapping)
    rows = source.rows()
    while block := list(islice(rows, _BLOCK)):
        read = [{**row, **dict.fromkeys(mapping.targets), **mapping.read(row)} for row in block]
        cells = [{name: row.get(name) for name in columns} for row in read]
        yield pd.DataFrame(cells, columns=list(columns), dtype=object)
