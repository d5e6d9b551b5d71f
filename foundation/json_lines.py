"""JSON Lines: reads a file of one JSON object per line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from census_personas.foundation.errors import DatasetError


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file; empty lines are skipped.

    Raises:
        DatasetError: a line is not a JSON object; the message names its number.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise DatasetError(
                    f"{path}:{number}: not JSON: {error}; correct or delete the line"
                ) from error
            if not isinstance(record, dict):
                raise DatasetError(f"{path}:{number}: a row is a JSON object, not {type(record).__name__}")
            yield record
