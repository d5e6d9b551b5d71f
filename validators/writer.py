"""Writer: findings as a Parquet or JSONL file, written in batches."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from persona_engine.validators.finding import Finding

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


class WriterError(ValueError):
    """A findings file that cannot be written; the message names it and the remedy."""


class FindingsWriter:
    """A context manager that collects findings and writes them in batches; without a path it writes nothing.

    The file appears under its name when the block ends without an error; until then it has the suffix `.part`.
    """

    def __init__(self, path: Path | None) -> None:
        """Take the file to write.

        Raises:
            WriterError: a suffix that is neither `.parquet` nor `.jsonl`.
        """
        if path is not None and path.suffix not in {".parquet", ".jsonl"}:
            raise WriterError(f"{path}: findings are written as .parquet or .jsonl, not {path.suffix!r}")
        self.path = path
        self._part = None if path is None else path.with_name(path.name + ".part")
        self._rows: list[dict[str, object]] = []
        self._parquet: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        """Start an empty file."""
        if self._part is not None and self.path is not None:
            if self.path.suffix == ".parquet":
                self._parquet = pq.ParquetWriter(self._part, SCHEMA)
            else:
                self._part.write_bytes(b"")
        return self

    def write(self, row: int, uuid: str, findings: tuple[Finding, ...]) -> None:
        """Add the findings about one row."""
        if self._part is None:
            return
        self._rows += [{"row": row, "uuid": uuid, **asdict(finding)} for finding in findings]
        if len(self._rows) >= BATCH_FINDINGS:
            self._flush()

    def _flush(self) -> None:
        if self._parquet is not None:
            self._parquet.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
        elif self._part is not None:
            with self._part.open("ab") as lines:
                lines.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self._rows)
        self._rows = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the rest and give the file its name; after an error, leave no file."""
        if self._part is None or self.path is None:
            return
        if kind is None:
            self._flush()
        if self._parquet is not None:
            self._parquet.close()
        if kind is None:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)
