"""Frames: the rows of a file as its mapping reads them, block by block, beside the rows as they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import pandas as pd

from census_personas.foundation.schema import OF_INPUT
from census_personas.generator.input.mapping import InputMapping
from census_personas.generator.input.source import InputSource
from census_personas.generator.population import completed_file
from census_personas.generator.population.completed_file import FileBlock

_UUID = "uuid"


def known_columns(source: InputSource, mapping: InputMapping) -> tuple[str, ...]:
    """The attributes that the file says something of, and what names its rows."""
    return tuple(dict.fromkeys((*(name for name in source.columns if name == _UUID), *mapping.targets)))


def carried_columns(source: InputSource, mapping: InputMapping) -> tuple[str, ...]:
    """The columns of the file that say nothing of people, and are written as they stand."""
    known = {*known_columns(source, mapping), OF_INPUT[0], *(column.source for column in mapping.columns)}
    return tuple(name for name in source.columns if name not in known)


def mapped_blocks(
    source: InputSource, mapping: InputMapping, stated: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Iterator[FileBlock]:
    """The rows of a file, in order; `stated` says which attributes a row has.

    Raises:
        DatasetError: the file cannot be read.
    """
    rows = source.rows()
    while block := list(islice(rows, completed_file.BLOCK)):
        reasons = {i: reason for i, row in enumerate(block) if (reason := mapping.unread(row))}
        facts = [{} if i in reasons else _facts(row, stated(row)) for i, row in enumerate(block)]
        columns = dict.fromkeys((*known_columns(source, mapping), *(name for said in facts for name in said)))
        cells = {name: [said.get(name) for said in facts] for name in columns}
        yield FileBlock(
            pd.DataFrame([{n: row.get(n) for n in source.columns} for row in block], dtype=object),
            pd.DataFrame(cells, dtype=object),
            reasons,
        )


def _facts(row: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    return {**({_UUID: row[_UUID]} if _UUID in row else {}), **stated}
