"""Rejected rows: one file a shard, beside what earlier releases wrote."""

import json
from pathlib import Path

import pytest

from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.rejections import (
    count_for_facts,
    count_for_unknown_facts,
    count_reasons,
    read_rejections,
    rejected_place,
    write_rejections,
)

pytestmark = pytest.mark.quick


def narrated(row: int, *reasons: str, attempts: int = 1) -> Narrated:
    record = {"row": row, "uuid": f"u{row}"}
    return Narrated(record, (), accepted=not reasons, attempts=attempts, reasons=reasons)


def rows(folder: Path) -> list[int]:
    return [rejection["row"] for rejection in read_rejections(folder)]


def earlier(folder: Path, *rejections: tuple[int, int, str]) -> None:
    lines = [
        {"shard": shard, "row": row, "uuid": f"u{row}", "attempts": 1, "reasons": [reason], "record": {}}
        for shard, row, reason in rejections
    ]
    (folder / "rejected.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_shards_are_written_alone(tmp_path: Path) -> None:
    write_rejections(tmp_path, 0, [narrated(0, "bad"), narrated(1)])
    first = (tmp_path / "rejected/part-00000.jsonl").stat()
    write_rejections(tmp_path, 7, [narrated(70, "bad", "worse")])
    assert (tmp_path / "rejected/part-00000.jsonl").stat() == first
    assert rows(tmp_path) == [0, 70]
    assert count_reasons(tmp_path) == {"bad": 2, "worse": 1}


def test_emptied_rejections_are_removed(tmp_path: Path) -> None:
    write_rejections(tmp_path, 0, [narrated(0, "bad")])
    write_rejections(tmp_path, 1, [narrated(10)])
    write_rejections(tmp_path, 0, [narrated(0)])
    assert list((tmp_path / "rejected").iterdir()) == []
    assert rows(tmp_path) == []


def test_further_rows_keep_earlier_ones(tmp_path: Path) -> None:
    write_rejections(tmp_path, 0, [narrated(0, "bad"), narrated(1)])
    for _ in range(2):  # as after a kill that came before the part was written
        write_rejections(tmp_path, 0, [narrated(2, "worse"), narrated(3)], more=True)
    assert rows(tmp_path) == [0, 2]


def test_file_of_earlier_release_counts(tmp_path: Path) -> None:
    earlier(tmp_path, (0, 0, "old"), (1, 10, "old"), (2, 20, "old"))
    before = (tmp_path / "rejected.jsonl").read_bytes()
    assert (rows(tmp_path), rejected_place(tmp_path)) == ([0, 10, 20], tmp_path / "rejected.jsonl")
    write_rejections(tmp_path, 1, [narrated(10)])
    write_rejections(tmp_path, 2, [narrated(21, "new")], more=True)
    assert rows(tmp_path) == [20, 21, 0]
    assert count_reasons(tmp_path) == {"old": 2, "new": 1}
    assert (tmp_path / "rejected.jsonl").read_bytes() == before


def test_hopeless_rows_are_counted(tmp_path: Path) -> None:
    write_rejections(tmp_path, 0, [narrated(0, "known_facts: zipcode: unknown", attempts=0)])
    write_rejections(tmp_path, 1, [narrated(1, "age_bounds: age", attempts=0), narrated(2, "bad")])
    assert (count_for_facts(tmp_path), count_for_unknown_facts(tmp_path)) == (2, 1)


@pytest.mark.parametrize(
    "line", ["", "[1]", "\xff", '{"shard": "0", "reasons": []}', '{"shard": 0, "reasons": [1]}']
)
def test_foreign_line_is_dropped(tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str) -> None:
    write_rejections(tmp_path, 0, [narrated(0, "bad")])
    with (tmp_path / "rejected/part-00000.jsonl").open("a", encoding="latin-1") as file:
        file.write(f"{line}\n")
    assert rows(tmp_path) == [0]
    assert "dropped a line that is not a rejected row" in caplog.text
