"""Findings of a run: a sealed Parquet file per shard, about accepted and rejected rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.seal import BLANK, seal, verified_seal
from census_personas.foundation.user_path import check_input
from census_personas.generator.narration.narrator import Narrated

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("uuid", pa.string()),
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("field", pa.string()),
        ("message", pa.string()),
        ("evidence", pa.string()),
        ("accepted", pa.bool_()),
    ]
)
_FOOTER = b"findings"


def write_findings(path: Path, begin: int, results: Sequence[Narrated], *, after: str = "") -> str:
    """Write the findings about a shard's rows, ordered by row and within a row by rule.

    Args:
        path: the file.
        begin: the first row of the results. The footer names the first row that the file covers, because earlier
            releases wrote no findings.
        results: the rows.
        after: the seal of the existing file, if its findings about earlier rows are to be kept.

    Returns:
        The seal of the file, which the shard's part names.
    """
    table = pa.Table.from_pylist([row for result in results for row in _rows(result)], schema=SCHEMA)
    if after and is_sealed_as(path, after):
        before = pq.read_table(path, page_checksum_verification=True, partitioning=None)
        begin = json.loads(before.schema.metadata[_FOOTER])["begin"]
        table = pa.concat_tables([before.cast(SCHEMA), table]).combine_chunks()
    footer = {_FOOTER: json.dumps({"begin": begin, "sha256": BLANK}, sort_keys=True).encode()}
    with whole_file(path) as partial:
        described = table.replace_schema_metadata(footer)
        pq.write_table(described, partial, compression="zstd", write_page_checksum=True)
        return seal(partial)


def read_findings(folder: Path) -> Iterator[pd.DataFrame]:
    """Yield the findings of a run, one frame per shard, with the columns of `SCHEMA`.

    Runs of earlier releases have none. The file of an unfinished shard is left out.

    Raises:
        DatasetError: a file cannot be read.
    """
    layout = RunLayout(folder)
    for file in sorted(layout.findings.glob("part-*.parquet")):
        if not (layout.parts / file.name).exists():
            continue
        try:
            check_input(file)
            yield pq.read_table(
                file, schema=SCHEMA, page_checksum_verification=True, partitioning=None
            ).to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise DatasetError(
                f"{file}: cannot be read as findings; repeat the run's command, which rewrites them"
            ) from error


def is_sealed_as(path: Path, digest: str) -> bool:
    """Return whether the file is intact and has this seal."""
    try:
        check_input(path)
        state = path.stat()
        return _seal_of(path, state.st_size, state.st_mtime_ns, state.st_ino) == digest
    except OSError:
        return False


@lru_cache(maxsize=100_000)
def _seal_of(path: Path, *_: int) -> str:
    """Return the verified seal of a file; the other arguments change when the file does."""
    return verified_seal(path)


def _rows(result: Narrated) -> Iterator[dict[str, object]]:
    for finding in sorted(result.findings, key=lambda finding: finding.code):
        yield {
            "row": result.record.get("row"),
            "uuid": result.record.get("uuid"),
            "rule": finding.code,
            "severity": finding.severity,
            "field": finding.field,
            "message": finding.message,
            "evidence": finding.evidence,
            "accepted": result.accepted,
        }
