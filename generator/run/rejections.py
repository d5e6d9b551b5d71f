"""Rejections: the rows of a run that no attempt made acceptable, with their reasons; one file per shard.

A shard without rejected rows has no file. Earlier releases kept the rows of all shards in one `rejected.jsonl`, which
is still read for each shard without a file of its own. In a folder with `rejected.jsonl`, every shard that is
rewritten gets a file, even an empty one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from census_personas.foundation.atomic_file import sync, whole_file
from census_personas.foundation.run_layout import RunLayout, part_name
from census_personas.foundation.user_path import check_input, refuse_irregular
from census_personas.generator.narration.narrator import FACTS, IMPOSSIBLE, Narrated

log = logging.getLogger(__name__)

_KEYS = frozenset({"shard", "reasons"})


def write_rejections(folder: Path, shard: int, results: Sequence[Narrated], *, more: bool = False) -> None:
    """Write the rejected rows of a shard, replacing its file.

    With `more`, the results are further rows of the shard, and the rows that were rejected before stay.

    Raises:
        DestinationError, UnwritableError: the file cannot be written or removed.
    """
    layout = RunLayout(folder)
    path = layout.rejected_part(shard)
    new = {result.record.get("uuid") for result in results}
    lines = [line for line, old in _of_shard(layout, shard) if old.get("uuid") not in new] if more else []
    lines += [_line(shard, result) for result in results if not result.accepted]
    if lines or layout.rejected_earlier.exists():
        with whole_file(path) as partial, partial.open("wb") as out:
            out.writelines(lines)
    elif path.exists():
        refuse_irregular(path)
        path.unlink()
        sync(path.parent)


def read_rejections(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rejected rows of a run: mappings with `shard`, `row`, `uuid`, `attempts`, `reasons`, `record`."""
    layout = RunLayout(folder)
    own = set()
    for file in sorted(layout.rejected.glob("part-*.jsonl")):
        own.add(file.stem)
        for _, rejection in _lines(file):
            yield rejection
    for _, rejection in _lines(layout.rejected_earlier):
        if part_name(rejection["shard"]) not in own:
            yield rejection


def rejected_place(folder: Path) -> Path:
    """Return the folder or file with the run's rejected rows."""
    layout = RunLayout(folder)
    return layout.rejected if layout.rejected.is_dir() else layout.rejected_earlier


def count_reasons(folder: Path) -> Mapping[str, int]:
    """Count the rejected rows by reason."""
    return Counter(reason for rejection in read_rejections(folder) for reason in rejection["reasons"])


def count_for_facts(folder: Path) -> int:
    """Count the rows that were rejected for their facts, without an attempt: another attempt cannot help."""
    return sum(not rejection.get("attempts") for rejection in read_rejections(folder))


def count_for_unknown_facts(folder: Path) -> int:
    """Count the rows rejected without an attempt for a fact that the locale does not have, whatever the policy."""
    return sum(
        not rejection.get("attempts")
        and any(reason.startswith(f"{FACTS}: ") for reason in rejection["reasons"])
        for rejection in read_rejections(folder)
    )


def count_impossible(folder: Path) -> int:
    """Count the rows of an input whose facts are impossible together in the locale."""
    return sum(
        any(reason.startswith(f"{IMPOSSIBLE}: ") for reason in rejection["reasons"])
        for rejection in read_rejections(folder)
    )


def _line(shard: int, result: Narrated) -> bytes:
    rejection = {
        "shard": shard,
        "row": result.record.get("row"),
        "uuid": result.record.get("uuid"),
        "attempts": result.attempts,
        "reasons": list(result.reasons),
        "record": result.record,
    }
    return orjson.dumps(rejection, option=orjson.OPT_APPEND_NEWLINE)


def _of_shard(layout: RunLayout, shard: int) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    path = layout.rejected_part(shard)
    if path.exists():
        yield from _lines(path)
    else:
        yield from (item for item in _lines(layout.rejected_earlier) if item[1]["shard"] == shard)


def _is_rejection(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() >= _KEYS or not isinstance(value["reasons"], list):
        return False
    return type(value["shard"]) is int and all(isinstance(reason, str) for reason in value["reasons"])


def _lines(file: Path) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """Yield each line with its content; a spoilt line is dropped, since its row is attempted again anyway."""
    if not file.exists():
        return
    check_input(file)
    with file.open("rb") as lines:
        for line in lines:
            try:
                rejection = orjson.loads(line)
            except orjson.JSONDecodeError:
                rejection = None
            if _is_rejection(rejection):
                yield line, rejection
            else:
                log.warning("%s: dropped a line that is not a rejected row: %r", file, line[:60])
