"""Shard store: the rows of a shard to its file and back, verified."""

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

    The file has the first `done` of them already, which is not part of what a shard is.
    """

    index: int
    start: int
    stop: int
    done: int = field(default=0, compare=False)

    def __str__(self) -> str:
        """Which shard, as errors name it."""
        return f"shard {self.index} (rows {self.start} to {self.stop - 1})"

    @property
    def begin(self) -> int:
        """The first row that is to be narrated."""
        return self.start + self.done


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """What a finished shard's file says about itself, in its Parquet footer.

    Nothing here may differ between two runs of the same configuration: files are compared byte by byte.
    `run` is the digest of the run's identity (`Manifest.run_digest`), empty in files of earlier releases. `round` is
    the round of attempts that left rows rejected; 0 for a shard without any. `findings` counts the accepted rows that a
    rule spoke about, under `rule:severity`; `drawn`, of people who were read from a file, those of whom a fact was
    drawn, by fact. `findings_sha256` is the seal of the file of findings about the shard's
    rows, `sha256` that of the shard's own file; both are empty in files that were written before there was one.
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
        """What the file says; nothing of drawn facts where there are none, as earlier releases read it."""
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
    """Write one finished shard whole and sealed.

    `notes` are further footer entries, such as the narrator's notice. `after` is the file of rows that come before
    these, as the same table.
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
    """What a shard's file says about itself, once its content was verified.

    None when it is missing, no regular file, not one of ours, has other columns than those that are named, or is not
    as it was written. Its digest says so; a file of an earlier release, which has none, is decoded instead: its rows
    are counted, and no uuid may stand twice. What was verified is remembered as long as the file is not touched.
    """
    try:
        check_input(path)
        seen = path.stat()
        info, names = _verified(path, seen.st_size, seen.st_mtime_ns, seen.st_ino)
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
    return info if not columns or names == tuple(columns) else None


@lru_cache(maxsize=100_000)
def _verified(path: Path, *_: int) -> tuple[ShardInfo, tuple[str, ...]]:
    """The shard and its columns; the further arguments change when the file does."""
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
    """Whether a part was written by this run; those of earlier releases do not say."""
    return info.run in {"", manifest.run_digest}


def check_parts(path: Path) -> None:
    """Refuse a dataset any file of which is not as it was written, or a finished run that lacks some.

    Files that carry no digest are believed; those of a run are verified as `read_shard` says.

    Raises:
        DatasetError: no dataset there, or a file that is spoilt; with the remedy.
        ConfigError: a run whose manifest cannot be read.
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
                f"{file}: is not as it was written; repeat the command that wrote the run, which narrates its rows anew"
            )
    if manifest and manifest.state in {"short", "complete"} and rows != manifest.accepted:
        raise DatasetError(
            f"{path}: has {rows} rows, and {manifest.accepted} were written; repeat the command that wrote the run"
        )


def _info(said: Any) -> ShardInfo:
    """The footer's own account, which must be of the right types: it is read from a file."""
    info = ShardInfo(**said)
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
