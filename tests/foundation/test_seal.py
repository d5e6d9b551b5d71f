"""Seals: any changed bit in a part of a run is noticed."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from released import UNITED_STATES

from census_personas.foundation.dataset_reader import FOOTER
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import table_of
from census_personas.foundation.seal import BLANK, is_whole, seal
from census_personas.generator.config.run_config import Config
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.shard_store import ShardInfo, check_parts, read_shard, write_shard

pytestmark = pytest.mark.quick

TABLE = table_of("full", {"row": "integer", "uuid": "text", "sex": "text", "age": "integer"}, UNITED_STATES)
INFO = ShardInfo(0, 20, 20, 0, findings={"stated_age:warning": 3})
FLIPS = 600


def records(rows: range) -> list[dict]:
    return [
        {"row": i, "uuid": f"u{i}", "sex": "Female", "age": 20 + i, "persona": f"Person {i} reads. " * 9}
        for i in rows
    ]


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "part-00000.parquet"
    write_shard(path, TABLE, records(range(20)), INFO, {"narrator": "offline", "notice": "n"})
    return path


def old(path: Path, table: pa.Table, info: ShardInfo = INFO) -> Path:
    """A part as earlier releases wrote it."""
    said = {name: value for name, value in asdict(info).items() if name != "sha256"}
    pq.write_table(table.replace_schema_metadata({FOOTER: json.dumps(said)}), path, compression="zstd")
    return path


def test_part_is_read_as_written(part: Path) -> None:
    assert read_shard(part) == INFO
    assert is_whole(part)
    assert read_shard(part, TABLE.names) == INFO
    assert read_shard(part, TABLE.names[1:]) is None


def test_flipped_bits_are_noticed(part: Path) -> None:
    content = part.read_bytes()
    size = len(content)
    length = int.from_bytes(content[-8:-4], "little") + 8
    rng = random.Random(5)
    account = content.index(b'{"accepted"')
    places = [rng.randrange(size) for _ in range(FLIPS)]
    places += [*range(4), *range(size - 8, size), *range(account, account + 300), size - length]
    for number, at in enumerate(places):
        spoilt = bytearray(content)
        spoilt[at] ^= 1 << rng.randrange(8)
        place = part.with_name(f"{number % 2}.parquet")
        place.write_bytes(spoilt)
        assert read_shard(place) is None, f"a flip at byte {at} of {size} passed"


@pytest.mark.parametrize("cut", [0, 1, 4, 12, 500])
def test_other_lengths_are_noticed(part: Path, cut: int) -> None:
    content = part.read_bytes()
    part.write_bytes(content[: len(content) - cut] if cut else content + b"\0")
    assert read_shard(part) is None


def test_seal_needs_its_placeholder(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    assert is_whole(tmp_path / "x.parquet") is None
    with pytest.raises(ValueError, match="has no place for a digest"):
        seal(tmp_path / "x.parquet")


def test_blank_like_names_break_no_seal(tmp_path: Path) -> None:
    odd = f'"sha256": "{BLANK}"'
    write_shard(tmp_path / "x.parquet", TABLE, records(range(20)), INFO, {"narrator": odd})
    assert read_shard(tmp_path / "x.parquet") == INFO


def test_added_rows_equal_one_writing(tmp_path: Path) -> None:
    first = ShardInfo(0, 8, 8, 0)
    write_shard(tmp_path / "a.parquet", TABLE, records(range(8)), first, {})
    write_shard(tmp_path / "a.parquet", TABLE, records(range(8, 20)), INFO, {}, after=tmp_path / "a.parquet")
    write_shard(tmp_path / "b.parquet", TABLE, records(range(20)), INFO, {})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_earlier_parts_are_verified(tmp_path: Path, part: Path) -> None:
    table = pq.read_table(part)
    assert read_shard(old(tmp_path / "x.parquet", table), TABLE.names) == INFO
    assert read_shard(old(tmp_path / "less.parquet", table[:10])) is None
    assert read_shard(old(tmp_path / "twice.parquet", pa.concat_tables([table[:10]] * 2))) is None
    assert read_shard(old(tmp_path / "y.parquet", table.drop_columns(["age"])), TABLE.names) is None


@pytest.mark.parametrize(
    "change",
    [
        {"start": "0"},
        {"accepted": True},
        {"stop": 2**70},
        {"findings": [1]},
        {"findings": {"a:b": "x"}},
        {"x": 1},
        {"accepted": -1, "rejected": 21},
        {"rejected": 5},
        {"round": None},
    ],
)
def test_wrongly_typed_account_is_ignored(tmp_path: Path, part: Path, change: dict) -> None:
    table = pq.read_table(part)
    said = {name: value for name, value in asdict(INFO).items() if name != "sha256"} | change
    place = tmp_path / "x.parquet"
    pq.write_table(table.replace_schema_metadata({FOOTER: json.dumps(said)}), place)
    assert read_shard(place) is None


def run_of(folder: Path, part: Path, accepted: int = 20) -> Path:
    (folder / "personas").mkdir(parents=True)
    (folder / "config.yaml").touch()
    part.rename(folder / "personas" / part.name)
    config = Config(rows=20)
    update = {"state": "complete", "accepted": accepted}
    Manifest.of(config, {}, "offline", "").model_copy(update=update).write(folder)
    return folder


def test_spoilt_part_has_a_remedy(tmp_path: Path, part: Path) -> None:
    run = run_of(tmp_path / "run", part)
    check_parts(run)
    place = run / "personas" / part.name
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 4
    place.write_bytes(content)
    for dataset in (run, place):
        with pytest.raises(DatasetError, match=r"part-00000\.parquet: is damaged or was changed; repeat"):
            check_parts(dataset)


def test_empty_finished_run_is_refused(tmp_path: Path, part: Path) -> None:
    run = run_of(tmp_path / "run", part, accepted=30)
    with pytest.raises(DatasetError, match="has 20 rows, but 30 were written"):
        check_parts(run)
