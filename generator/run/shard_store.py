"""Shard store: writes the rows of a shard to its file, and reads and verifies them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.dataset_reader import FOOTER, dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import Table
from census_personas.foundation.seal import BLANK, is_whole, seal
from census_personas.foundation.user_path import check_input, is_run
from census_personas.generator.run.manifest import Manifest

_NO_NUMBERS = frozenset({"findings", "findings_sha256", "sha256", "run", "drawn"})


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows `start` up to, not including, `stop` of the population: one file of the dataset.

    The file already has the first `done` rows; two shards are equal whatever their `done`.
    """

    index: int
    start: int
    stop: int
    done: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Return number and rows of the shard, for messages."""
        return f"shard {self.index} (rows {self.start} to {self.stop - 1})"

    @property
    def begin(self) -> int:
        """The first row to narrate."""
        return self.start + self.done


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """The account of a finished shard, in the Parquet footer of its file.

    Nothing here may differ between two runs of the same configuration: files are compared byte by byte.
    `run` is the digest of the run's identity (`Manifest.run_digest`), empty in files of earlier releases. `round` is
    the round of attempts that left rows rejected; 0 for a shard without rejected rows. `findings` counts the accepted
    rows with a finding, under `rule:severity`; `drawn` counts the people of an input file with a drawn fact, by fact.
    `findings_sha256` is the seal of the file of findings, `sha256` that of the shard's own file; both are empty in
    files of releases without seals.
    """

    start: int
    stop: int
    accepted: int
    rejected: int
    prompt_tokens: int = 0
    completion_tokens: int = 0
    round: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)
    findings_sha256: str = field(default="", compare=False)
    sha256: str = field(default="", compare=False)
    run: str = field(default="", compare=False)
    drawn: Mapping[str, int] = field(default_factory=dict)

    def footer(self) -> dict[str, Any]:
        """Return the footer; without drawn facts it has no `drawn`, so that earlier releases read it."""
        return {name: value for name, value in asdict(self).items() if name != "drawn" or value}


def write_shard(
    path: Path,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    info: ShardInfo,
    notes: Mapping[str, str],
    *,
    after: Path | None = None,
) -> None:
    """Write one finished shard in one step, with its seal.

    `notes` are further footer entries, such as the narrator's notice. `after` is a file of the same table whose rows
    come before these.
    """
    whole = pa.Table.from_pydict(table.values(rows), schema=table.arrow)
    if after is not None:
        before = pq.read_table(after, page_checksum_verification=True, partitioning=None)
        whole = pa.concat_tables([before.cast(table.arrow), whole]).combine_chunks()
    footer = {FOOTER: json.dumps(info.footer() | {"sha256": BLANK}, sort_keys=True).encode()}
    footer |= {name.encode(): text.encode() for name, text in sorted(notes.items())}
    with whole_file(path) as partial:
        described = whole.replace_schema_metadata(footer)
        pq.write_table(described, partial, compression="zstd", write_page_checksum=True)
        seal(partial)


def read_shard(path: Path, columns: Sequence[str] = ()) -> ShardInfo | None:
    """Verify a shard's file and return its account.

    Return None if the file is missing, irregular, not a shard, damaged, or has other columns than `columns`. The
    digest shows damage. A file of an earlier release has no digest; its rows are counted instead, and must have
    unique uuids. The result is remembered until the file changes.
    """
    try:
        check_input(path)
        state = path.stat()
        info, names = _verified(path, state.st_size, state.st_mtime_ns, state.st_ino)
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    return info if not columns or names == tuple(columns) else None


@lru_cache(maxsize=100_000)
def _verified(path: Path, *_: int) -> tuple[ShardInfo, tuple[str, ...]]:
    """Return a shard's account and columns; the other arguments change when the file does."""
    whole = is_whole(path)
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        info = _info(json.loads((file.metadata.metadata or {})[FOOTER]))
        names = tuple(file.schema_arrow.names)
        if whole is False or (whole is None) == bool(info.sha256) or file.metadata.num_rows != info.accepted:
            raise ValueError(f"{path}: is not as it was written")
        if whole is None:
            uuids = [
                uuid.as_py()
                for batch in file.iter_batches()
                if "uuid" in names
                for uuid in batch.column("uuid")
            ]
            if len({*uuids}) != len(uuids):
                raise ValueError(f"{path}: has a row twice")
    return info, names


def is_of_run(info: ShardInfo, manifest: Manifest) -> bool:
    """Return whether a part was written by this run; True for parts of earlier releases, which do not say."""
    return info.run in {"", manifest.run_digest}


def check_parts(path: Path) -> None:
    """Refuse a dataset with a damaged file, or a finished run that lacks rows.

    Files without a digest are accepted; those of a run are verified by `read_shard`.

    Raises:
        DatasetError: there is no dataset, a file is damaged, or rows are missing.
        ConfigError: the run's manifest cannot be read.
    """
    manifest = Manifest.read(path) if is_run(path) else None
    rows = 0
    for file in dataset_files(path):
        info = read_shard(file) if manifest else None
        if manifest and info is not None and not is_of_run(info, manifest):
            info = None
        rows += info.accepted if info else 0
        if (info is None) if manifest else (file.suffix == ".parquet" and is_whole(file) is False):
            raise DatasetError(
                f"{file}: is damaged or was changed; repeat the command that wrote the run to narrate its rows again"
            )
    if manifest and manifest.state in {"short", "complete"} and rows != manifest.accepted:
        raise DatasetError(
            f"{path}: has {rows} rows, but {manifest.accepted} were written; repeat the command that wrote the run"
        )


def _info(account: Any) -> ShardInfo:
    """Check the types of an account that was read from a file, and return it."""
    info = ShardInfo(**account)
    numbers = [value for name, value in asdict(info).items() if name not in _NO_NUMBERS]
    counted = (info.findings, info.drawn)
    counts = [n for part in counted for n in (part.values() if isinstance(part, dict) else [None])]
    if not all(type(value) is int and value >= 0 for value in (*numbers, *counts)):
        raise TypeError("a shard's account holds numbers")
    if not isinstance(info.findings_sha256, str):
        raise TypeError("a seal is a text")
    if info.accepted + info.rejected != info.stop - info.start:
        raise ValueError("a shard accounts for each of its rows")
    return info
