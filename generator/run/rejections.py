"""Rejections: the rows of a run that no attempt put right, with their reasons; one file a shard.

A shard without rejected rows has no file. Earlier releases kept the rows of all shards in one `rejected.jsonl`. It
stays where it is and is read for each shard that has no file of its own; a shard that is written anew beside it gets
one, which may be empty.
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
    """Write which rows of a shard were rejected, in place of what its file said before.

    With `more` these are further rows of the shard, and those that were rejected before them stay.

    Raises:
        DestinationError, UnwritableError: the file cannot be written or removed.
    """
    layout = RunLayout(folder)
    path = layout.rejected_part(shard)
    anew = {result.record.get("uuid") for result in results}
    lines = [line for line, said in _of_shard(layout, shard) if said.get("uuid") not in anew] if more else []
    lines += [_line(shard, result) for result in results if not result.accepted]
    if lines or layout.rejected_earlier.exists():
        with whole_file(path) as partial, partial.open("wb") as out:
            out.writelines(lines)
    elif path.exists():
        refuse_irregular(path)
        path.unlink()
        sync(path.parent)


def read_rejections(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The rejected rows of a run, shard by shard: each has `shard`, `row`, `uuid`, `attempts`, `reasons`, `record`."""
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
    """Where a user reads why rows of the run were rejected."""
    layout = RunLayout(folder)
    return layout.rejected if layout.rejected.is_dir() else layout.rejected_earlier


def count_reasons(folder: Path) -> Mapping[str, int]:
    """How often each reason stands beside a rejected row."""
    return Counter(reason for rejection in read_rejections(folder) for reason in rejection["reasons"])


def count_for_facts(folder: Path) -> int:
    """Rows rejected for their facts before a word was written: another try changes nothing."""
    return sum(not rejection.get("attempts") for rejection in read_rejections(folder))


def count_for_unknown_facts(folder: Path) -> int:
    """Those of them with a fact that the locale does not have, which no policy lets pass."""
    return sum(
        not rejection.get("attempts")
        and any(reason.startswith(f"{FACTS}: ") for reason in rejection["reasons"])
        for rejection in read_rejections(folder)
    )


def count_impossible(folder: Path) -> int:
    """Rows of an input that nobody in the locale can be."""
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


def _is_rejection(said: Any) -> bool:
    if not isinstance(said, dict) or not said.keys() >= _KEYS or not isinstance(said["reasons"], list):
        return False
    return type(said["shard"]) is int and all(isinstance(reason, str) for reason in said["reasons"])


def _lines(file: Path) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """Lines and what they say; a spoilt one is dropped, its row is asked for again anyway."""
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
                log.warning("%s: a line that is no rejected row was dropped: %r", file, line[:60])
