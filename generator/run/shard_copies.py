"""Shard copies: the rows of a finished shard as CSV and JSONL, beside its Parquet part."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from census_personas.foundation.dataset_writer import copy_parquet
from census_personas.foundation.run_layout import COPIES, RunLayout
from census_personas.foundation.user_path import refuse_irregular


def write_copies(layout: RunLayout, shard: int, formats: Collection[str]) -> None:
    """Write the missing copies of a shard in these formats, and remove outdated copies in other formats.

    A copy has the modification time of its part. The time differs if the process was killed while it wrote the copy,
    or if the part was rewritten since.

    Raises:
        DestinationError, UnwritableError: a copy cannot be written or removed.
    """
    part = layout.part(shard)
    for suffix in COPIES:
        copy = layout.copy(shard, suffix)
        if _is_copy(copy, part):
            continue
        if suffix in formats:
            copy_parquet(part, copy)
            changed = part.stat().st_mtime_ns
            os.utime(copy, ns=(changed, changed))
        elif os.path.lexists(copy):
            refuse_irregular(copy)
            copy.unlink()


def _is_copy(copy: Path, part: Path) -> bool:
    with suppress(FileNotFoundError):
        return copy.stat().st_mtime_ns == part.stat().st_mtime_ns
    return False
