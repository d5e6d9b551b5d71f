import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from released import NEMOTRON, NEMOTRON_1_1, UNITED_STATES

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.dataset_reader import columns_of, count_rows, read_frames
from census_personas.foundation.dataset_writer import frame_writer
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import (
    Kind,
    SchemaError,
    Table,
    context_table,
    refuse_written,
    table_of,
)
from census_personas.generator.config.config_file import parse
from census_personas.generator.config.run_config import Config, ConfigError, Schema
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.rejections import count_reasons, read_rejections
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_store import Shard, ShardInfo, read_shard, write_shard

pytestmark = pytest.mark.quick

CONTEXT = dict.fromkeys(
    [
        "row",
        "uuid",
        "sex",
        "age",
        "zipcode",
        "state",
        "first_name",
        "openness",
        "openness_label",
        "income_band",
    ],
    "text",
)


def record(row: int, **more: object) -> dict:
    base = {
        "row": row,
        "uuid": f"u{row}",
        "sex": "Female",
        "age": 30 + row,
        "zipcode": "01001",
        "state": "MA",
    }
    return {**base, "skills_and_expertise_list": ["a", "b"], "first_name": "Ann", **more}


def narrated(row: int, *, accepted: bool = True) -> Narrated:
    return Narrated(
        record(row), (), accepted, attempts=1, prompt_tokens=3, completion_tokens=2, reasons=("bad",)
    )


def opened(path: Path, *overrides: str, digest: str = "d") -> AbstractContextManager[RunFolder]:
    config = parse("", "x", ("rows=5", "output.shard_rows=2", *overrides))
    manifest = Manifest.of(config, {"priors": digest}, "offline", "notice")
    return RunFolder.opened(path, config, manifest, table_of("nemotron", CONTEXT, UNITED_STATES))


def finish(folder: RunFolder, *, rejected: tuple[int, ...] = ()) -> Manifest:
    for shard in folder.pending():
        rows = range(shard.begin, shard.stop)
        folder.write(shard, [narrated(row, accepted=row not in rejected) for row in rows])
    return folder.close(whole=True, started="a", finished="b", seconds=1.0)


def test_nemotron_columns_match_releases() -> None:
    assert (len(NEMOTRON), len(NEMOTRON_1_1)) == (22, 23)
    assert table_of("nemotron", CONTEXT, UNITED_STATES).names == NEMOTRON
    assert [name for name in NEMOTRON_1_1 if name not in NEMOTRON] == ["cultural_background"]


def test_full_schema_adds_facts() -> None:
    written: dict[str, Kind] = {**dict.fromkeys(NEMOTRON_1_1, "text"), "finance_persona": "text"}
    names = table_of("full", CONTEXT, UNITED_STATES, written=written).names
    assert names[23:28] == ("first_name", "openness", "openness_label", "income_band", "row")
    assert names[-5:] == ("model", "prompt_digest", "attempts", "flags", "finance_persona")


def test_full_schema_lacks_unwritten_texts() -> None:
    written: dict[str, Kind] = {"persona": "text", "income_score": "integer", "habits": "list"}
    table = table_of("full", CONTEXT, UNITED_STATES, written=written)
    assert "sports_persona" not in table.names
    assert {column.name: column.kind for column in table.columns if column.name in written} == written


@pytest.mark.parametrize(
    ("schema", "written", "said"),
    [
        (
            "nemotron",
            {"persona": "text"},
            "output.schema=nemotron: its 22 columns have professional_persona, sports",
        ),
        ("full", {"Income_Band": "text"}, "field Income_Band: the people already have 'income_band'"),
        ("full", {"flags": "text"}, "field flags: the people already have 'flags'"),
        ("full", {"persona": "list"}, "field persona: the column of this name holds a text, not a list"),
        ("full", {"skills_and_expertise_list": "text"}, "holds a list, not a text"),
    ],
)
def test_unheld_texts_are_refused(schema: Schema, written: dict[str, Kind], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        refuse_written(schema, CONTEXT, UNITED_STATES, written)


def test_population_schema_has_no_texts() -> None:
    assert context_table("nemotron", CONTEXT, UNITED_STATES).names == (
        "uuid",
        "sex",
        "age",
        "state",
        "zipcode",
    )
    assert "income_band" in context_table("full", CONTEXT, UNITED_STATES).names


def test_lists_have_two_forms(tmp_path: Path) -> None:
    for lists, expected in (("native", ["a", "b"]), ("string", "['a', 'b']")):
        table = table_of("nemotron", CONTEXT, UNITED_STATES, lists=lists)
        path = tmp_path / f"{lists}.parquet"
        write_shard(path, table, [record(0)], ShardInfo(0, 1, 1, 0), {})
        assert pq.read_table(path)["skills_and_expertise_list"].to_pylist() == [expected]


def test_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as partial:
        partial.write_text(str(1 / len(partial.name[:0])))
    assert [item.name for item in tmp_path.iterdir()] == ["x.txt"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_frames_round_trip_in_blocks(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    table = context_table("nemotron", CONTEXT, UNITED_STATES)
    frame = pd.DataFrame([record(row) for row in range(4)]).astype({"state": "category"})
    with frame_writer(path, table, {"note": "n"}) as write:
        write(frame[:3])
        write(frame[3:])
    back = pd.concat(read_frames(path, codes=("zipcode",)))
    assert back["zipcode"].tolist() == ["01001"] * 4
    assert back["age"].tolist() == [30, 31, 32, 33]
    assert tuple(back) == table.names == columns_of(path)
    assert count_rows(path) == 4


def test_unknown_suffix_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"unknown suffix '.xls'; write to .parquet, .csv, .jsonl"):
        frame_writer(tmp_path / "x.xls", Table(()), {}).__enter__()


@pytest.mark.parametrize("content", [b"", b"PAR1 not really"])
def test_torn_shards_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "part-00000.parquet"
    path.write_bytes(content)
    assert read_shard(path) is None
    with pytest.raises(DatasetError, match=r"part-00000\.parquet: cannot be read as a dataset"):
        list(read_frames(path))


def test_shard_bytes_are_reproducible(tmp_path: Path) -> None:
    table = table_of("full", CONTEXT, UNITED_STATES)
    for name in "ab":
        write_shard(tmp_path / name, table, [record(0)], ShardInfo(0, 1, 1, 0), {"notice": "n"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_shard(tmp_path / "a") == ShardInfo(0, 1, 1, 0)


def test_torn_shards_are_pending(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as folder:
        assert finish(folder).state == "complete"
    (tmp_path / "run/personas/part-00001.parquet").write_bytes(b"torn")
    with opened(tmp_path / "run") as folder:
        assert folder.pending() == (Shard(1, 2, 4),)


def test_more_rows_extend_a_run(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as folder:
        finish(folder)
    with opened(tmp_path / "run", "rows=8") as folder:
        assert folder.pending() == (Shard(2, 4, 6), Shard(3, 6, 8))
        assert folder.allowance == 3
        assert finish(folder).accepted == 8


def test_begun_shard_keeps_its_rows(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "run") as folder:
        finish(folder, rejected=(2,))
        folder.write(Shard(2, 4, 5), [narrated(4)])
    served = ("rows=8", "llm.backend=openai", "llm.model=m")
    with opened(tmp_path / "run", "rows=8") as folder:
        assert [(shard.index, shard.done) for shard in folder.pending()] == [(1, 0), (2, 1), (3, 0)]
        finish(folder, rejected=(5, 6))
        assert folder.pending() == ()
    assert [rejection["row"] for rejection in read_rejections(tmp_path / "run")] == [5, 6]
    with opened(tmp_path / "whole", "rows=8") as folder:
        finish(folder, rejected=(5, 6))
    one, other = (sorted((tmp_path / name / "personas").iterdir()) for name in ("run", "whole"))
    assert read_shard(one[2]) == ShardInfo(4, 6, 1, 1, 6, 4, round=2)
    assert [file.read_bytes() for file in one[:2]] == [file.read_bytes() for file in other[:2]]
    with opened(tmp_path / "served", *served[1:]) as folder:
        finish(folder)
    with opened(tmp_path / "served", *served) as folder:
        assert [(shard.index, shard.done) for shard in folder.pending()] == [(2, 0), (3, 0)]


def test_short_run_tries_rejected_rows(
    tmp_path: Path,
) -> None:
    with opened(tmp_path / "run") as folder:
        manifest = finish(folder, rejected=(1, 4))
        assert (manifest.state, manifest.accepted, manifest.rejected) == ("short", 3, 2)
    assert count_reasons(tmp_path / "run") == {"bad": 2}
    with opened(tmp_path / "run") as folder:
        assert [shard.index for shard in folder.pending()] == [0, 2]
        assert folder.allowance == 6
        assert finish(folder).state == "complete"
    assert count_reasons(tmp_path / "run") == {}


def test_stopped_run_keeps_its_rejections(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as folder:
        folder.write(Shard(0, 0, 2), [narrated(0), narrated(1, accepted=False)])
        folder.close(whole=False, started="a", finished="b", seconds=1.0)
    with opened(tmp_path / "run") as folder:
        assert [shard.index for shard in folder.pending()] == [1, 2]


def test_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "run", "seed=7"):
        pass
    with pytest.raises(ConfigError, match="seed: 7 in the folder, 8 now"), opened(tmp_path / "run", "seed=8"):
        pass
    with (
        pytest.raises(ConfigError, match=r"digests.priors: 'd' in the folder, 'e' now"),
        opened(tmp_path / "run", "seed=7", digest="e"),
    ):
        pass


def test_new_condition_is_named_once(tmp_path: Path) -> None:
    with opened(tmp_path / "run"):
        pass
    with (
        pytest.raises(ConfigError, match=r"run \(where.state: nothing in the folder, 'CA' now\); give"),
        opened(tmp_path / "run", "where={state: CA}"),
    ):
        pass


def test_run_cannot_be_shortened(tmp_path: Path) -> None:
    with opened(tmp_path / "run"):
        pass
    with (
        pytest.raises(ConfigError, match=r"but not shortened: resume it with -n \d+ or more"),
        opened(tmp_path / "run", "rows=4"),
    ):
        pass


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and holds no run"), opened(tmp_path):
        pass
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_foreign_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(ConfigError, match=r"manifest\.json: not a manifest"), opened(tmp_path):
        pass


def test_run_has_one_writer(tmp_path: Path) -> None:
    code = (
        "import fcntl, os, sys\n"
        f"handle = os.open({os.fspath(tmp_path / 'run' / '.lock')!r}, os.O_RDWR)\n"
        "fcntl.flock(handle, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with opened(tmp_path / "run"):
        pass
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(ConfigError, match="another process is writing this run"),
            opened(tmp_path / "run"),
        ):
            pass
        holder.communicate()
    with opened(tmp_path / "run"):
        pass


def test_manifest_sums_up_the_run(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as folder:
        finish(folder)
    values = json.loads((tmp_path / "run/manifest.json").read_text())
    assert (
        values["fingerprint"]
        == parse("", "x", ("output.shard_rows=2",)).fingerprint()
        != Config().fingerprint()
    )
    assert (values["accepted"], values["prompt_tokens"], values["seconds"]) == (5, 15, 1.0)
    assert values["versions"]["census-personas"]
