"""Rejections: the rows of a run that no attempt put right, in `rejected.jsonl` with their reasons."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.named_place import check_input
from census_personas.generator.narration.narrator import FACTS, Narrated

log = logging.getLogger(__name__)

_FILE = "rejected.jsonl"
_KEYS = frozenset({"shard", "reasons"})


def rewrite(folder: Path, shard: int, results: Sequence[Narrated], *, more: bool = False) -> None:
    """Put what of a shard's rows was rejected in the place of what was before.

    With `more` these are further rows of the shard, and those that were rejected before them stay.
    """
    path = folder / _FILE
    rejected = [result for result in results if not result.accepted]
    if not rejected and not path.exists():
        return
    anew = {result.record.get("uuid") for result in results}
    with whole_file(path) as partial, partial.open("wb") as out:
        out.writelines(
            line
            for line, rejection in _lines(path)
            if rejection["shard"] != shard or (more and rejection.get("uuid") not in anew)
        )
        for result in rejected:
            out.write(orjson.dumps(_rejection(shard, result), option=orjson.OPT_APPEND_NEWLINE))


def read_rejections(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The rejected rows of a run folder: shard, row, uuid, attempts, reasons and the record as it was left."""
    yield from (rejection for _, rejection in _lines(folder / _FILE))


def reasons(folder: Path) -> Mapping[str, int]:
    """How often each reason stands in a run folder's `rejected.jsonl`."""
    return Counter(reason for _, rejection in _lines(folder / _FILE) for reason in rejection["reasons"])


def for_facts(folder: Path) -> int:
    """Rows rejected for their facts before a word was written: another try changes nothing."""
    return sum(not rejection.get("attempts") for _, rejection in _lines(folder / _FILE))


def for_unknown_facts(folder: Path) -> int:
    """Those of them with a fact that the locale does not have, which no policy lets pass."""
    return sum(
        not rejection.get("attempts")
        and any(reason.startswith(f"{FACTS}: ") for reason in rejection["reasons"])
        for _, rejection in _lines(folder / _FILE)
    )


def _rejection(shard: int, result: Narrated) -> dict[str, Any]:
    return {
        "shard": shard,
        "row": result.record.get("row"),
        "uuid": result.record.get("uuid"),
        "attempts": result.attempts,
        "reasons": list(result.reasons),
        "record": result.record,
    }


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
