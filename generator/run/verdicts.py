"""Verdicts: the judge's verdicts on rows of a run, one file per shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import check_input
from census_personas.generator.narration.judge import Verdict
from census_personas.generator.narration.narrator import Narrated


def write_verdicts(folder: Path, shard: int, results: Sequence[Narrated]) -> None:
    """Write the verdicts on a shard's accepted rows; write no file if there are none."""
    verdicts = [result.verdict for result in results if result.accepted and result.verdict is not None]
    if verdicts:
        with whole_file(RunLayout(folder).judged_part(shard)) as partial, partial.open("wb") as out:
            out.writelines(orjson.dumps(verdict, option=orjson.OPT_APPEND_NEWLINE) for verdict in verdicts)


def read_verdicts(folder: Path) -> Iterator[Verdict]:
    """Yield the judge's verdicts in a run folder, in row order.

    Raises:
        DatasetError: a file cannot be read.
    """
    for file in sorted(RunLayout(folder).judged.glob("*.jsonl")):
        try:
            check_input(file)
            with file.open("rb") as lines:
                yield from map(orjson.loads, lines)
        except (OSError, orjson.JSONDecodeError) as error:
            raise DatasetError(f"{file}: cannot be read; delete it and repeat the run's command") from error
