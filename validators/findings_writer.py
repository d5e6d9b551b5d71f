"""Writer: findings as a Parquet or JSONL file, written in batches."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.named_place import refuse_irregular
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
_PARTIAL = ".partial"


class WriterError(PersonasError, ValueError):
    """A findings file that cannot be written; the message names it and the remedy."""


class FindingsWriter:
    """A context manager that collects findings and writes them in batches; without a path it writes nothing.

    The file appears under its name when the block ends without an error; until then it has a name of this process
    alone, so that of two processes with one name the last to finish wins, whole. It is locked while it is written:
    what a process that was killed left behind is locked no longer, and the next one clears it away.
    """

    def __init__(self, path: Path | None) -> None:
        """Take the file to write.

        Raises:
            WriterError: a suffix that is neither `.parquet` nor `.jsonl`. Every method raises it for a place that
                cannot be written to.
            DestinationError: a device, pipe, socket or folder.
        """
        if path is not None and path.suffix not in {".parquet", ".jsonl"}:
            raise WriterError(f"{path}: findings are written as .parquet or .jsonl, not {path.suffix!r}")
        if path is not None:
            refuse_irregular(path)
        self.path = path
        self._part = None if path is None else path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
        self._lock: int | None = None
        self._rows: list[dict[str, object]] = []
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Start an empty file."""
        if self._part is not None and self.path is not None:
            with self._writable():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                _clear(self.path)
                self._lock = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
                _is_free(self._lock)
                if self.path.suffix == ".parquet":
                    self._parquet = pq.ParquetWriter(self._part, SCHEMA)
        return self

    def write(self, row: int, uuid: str, findings: tuple[Finding, ...]) -> None:
        """Add the findings about one row."""
        if self._part is None:
            return
        self._rows += [{"row": row, "uuid": uuid, **asdict(finding)} for finding in findings]
        if len(self._rows) >= BATCH_FINDINGS:
            self._flush()

    def _flush(self) -> None:
        with self._writable():
            if self._parquet is not None:
                self._parquet.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            elif self._part is not None:
                with self._part.open("ab") as lines:
                    lines.writelines(
                        orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self._rows
                    )
        self._rows = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the rest and give the file its name; after an error, leave no file."""
        if self._part is None or self.path is None:
            return
        try:
            if kind is None:
                self._flush()
            with self._writable():
                if self._parquet is not None:
                    self._parquet.close()
                if kind is None:
                    refuse_irregular(self.path)
                    self._part.replace(self.path)
        finally:
            with suppress(OSError):
                self._part.unlink()
            if self._lock is not None:
                os.close(self._lock)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            said = os.strerror(error.errno) if error.errno else error  # of pyarrow's, only the reason
            raise WriterError(
                f"{self.path}: findings cannot be written ({said}); name a file in a folder with room"
            ) from error


def _clear(path: Path) -> None:
    """Delete what killed processes left half written of this file."""
    for part in path.parent.glob(f".{escape(path.name)}.*{_PARTIAL}"):
        with suppress(OSError):  # another user's
            handle = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if _is_free(handle):
                    part.unlink()
            finally:
                os.close(handle)


def _is_free(handle: int) -> bool:
    """Whether nobody else writes to an open file; it is ours then. Never, where files cannot be locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
