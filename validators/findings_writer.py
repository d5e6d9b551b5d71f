"""FindingsWriter: writes findings to a Parquet or JSONL file in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import refuse_irregular
from census_personas.validators.finding import Finding

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("uuid", pa.string()),
        ("code", pa.string()),
        ("severity", pa.string()),
        ("field", pa.string()),
        ("message", pa.string()),
        ("evidence", pa.string()),
    ]
)
BATCH_FINDINGS = 8192


class WriterError(PersonasError, ValueError):
    """A findings file cannot be written; the message names it and the remedy."""


class FindingsWriter:
    """A context manager that collects findings and writes them in batches; without a path it writes nothing.

    The file gets its name when the block ends without an error (see `whole_file`).
    """

    def __init__(self, path: Path | None) -> None:
        """Take the file to write.

        Raises:
            WriterError: the suffix is neither `.parquet` nor `.jsonl`. Every method raises it when the file cannot be
                written.
            DestinationError: the path is a device, pipe, socket or folder.
        """
        if path is not None and path.suffix not in {".parquet", ".jsonl"}:
            raise WriterError(f"{path}: findings are written as .parquet or .jsonl, not {path.suffix!r}")
        if path is not None:
            refuse_irregular(path)
        self.path = path
        self._partial: Path | None = None
        self._closing = ExitStack()
        self._rows: list[dict[str, object]] = []
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Start an empty file."""
        if self.path is not None:
            with self._writable(), ExitStack() as opened:
                self._partial = opened.enter_context(whole_file(self.path))
                if self.path.suffix == ".parquet":
                    self._parquet = opened.enter_context(pq.ParquetWriter(self._partial, SCHEMA))
                self._closing = opened.pop_all()
        return self

    def write(self, row: int, uuid: str, findings: tuple[Finding, ...]) -> None:
        """Add the findings about one row."""
        if self._partial is None:
            return
        self._rows += [{"row": row, "uuid": uuid, **asdict(finding)} for finding in findings]
        if len(self._rows) >= BATCH_FINDINGS:
            self._flush()

    def _flush(self) -> None:
        with self._writable():
            if self._parquet is not None:
                self._parquet.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            elif self._partial is not None:
                with self._partial.open("ab") as lines:
                    lines.writelines(
                        orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self._rows
                    )
        self._rows = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the remaining findings and give the file its name; after an error, leave no file."""
        with self._writable():
            if kind is not None:
                self._closing.__exit__(kind, error, trace)
                return
            with self._closing:
                self._flush()

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error  # pyarrow's own messages are long
            raise WriterError(
                f"{self.path}: findings cannot be written ({reason}); name a file in a folder with room"
            ) from error
