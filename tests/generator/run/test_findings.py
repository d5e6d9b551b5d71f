"""Findings of a run, row by row: written with their shard, verified with it, and the same bytes every time."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import table_of
from census_personas.generator.config.config_file import parse
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.findings import SCHEMA, read_findings
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.rejections import read_rejections
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_store import Shard, read_shard, write_shard
from census_personas.validators.finding import Finding

REJECTED = (1, 6)
STEPS = ("write_rejections", "write_findings", "write_verdicts", "write_shard")


def narrated(row: int) -> Narrated:
    found = [Finding("unicode", "warning", "persona", "has a sign", f"sign {row}")]
    if row % 2:
        found = [Finding("age_bounds", "error" if row in REJECTED else "warning", "age", "is odd"), *found]
    accepted = row not in REJECTED
    reasons = () if accepted else ("bad",)
    return Narrated({"row": row, "uuid": f"u{row}", "age": row}, tuple(found), accepted, 1, reasons=reasons)


def opened(path: Path, rows: int = 8, *overrides: str) -> AbstractContextManager[RunFolder]:
    config = parse("", "x", (f"rows={rows}", "output.shard_rows=4", *overrides))
    manifest = Manifest.of(config, {"priors": "d"}, "offline", "notice")
    return RunFolder.opened(
        path, config, manifest, table_of("nemotron", {"age": "integer"}, Priors.load("en_US").context_columns)
    )


def deliver(folder: RunFolder, shard: Shard) -> None:
    folder.write(shard, [narrated(row) for row in range(shard.begin, shard.stop)])


def written(path: Path, rows: int = 8) -> Path:
    with opened(path, rows) as folder:
        for shard in folder.pending():
            deliver(folder, shard)
    return path


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "config.yaml")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def findings_of(folder: Path) -> pd.DataFrame:
    return pd.concat(read_findings(folder), ignore_index=True)


def test_findings_are_in_row_order(tmp_path: Path) -> None:
    frame = findings_of(written(tmp_path / "run"))
    expected = [
        (row, code) for row in range(8) for code in ("age_bounds", "unicode") if row % 2 or code == "unicode"
    ]
    assert list(zip(frame["row"], frame["rule"], strict=True)) == expected
    assert set(frame[~frame["accepted"]]["row"]) == set(REJECTED)
    first = frame.iloc[0].to_dict()
    assert first == {
        "row": 0, "uuid": "u0", "rule": "unicode", "severity": "warning", "field": "persona",
        "message": "has a sign", "evidence": "sign 0", "accepted": True,
    }  # fmt: skip
    assert pd.read_parquet(tmp_path / "run/findings").equals(frame)


def test_no_findings_give_an_empty_file(tmp_path: Path) -> None:
    with opened(tmp_path / "run", 1) as folder:
        folder.write(Shard(0, 0, 1), [Narrated({"row": 0, "uuid": "u"}, (), accepted=True, attempts=1)])
        assert folder.pending() == ()
    assert findings_of(tmp_path / "run").empty
    assert pq.read_schema(tmp_path / "run/findings/part-00000.parquet").equals(SCHEMA)


def test_repeated_run_has_same_bytes(tmp_path: Path) -> None:
    assert bytes_of(written(tmp_path / "one")) == bytes_of(written(tmp_path / "other"))


@pytest.mark.parametrize("rows", [(5, 8), (2, 3, 8)])
def test_extending_keeps_findings(tmp_path: Path, rows: tuple[int, ...]) -> None:
    for number in rows:
        written(tmp_path / "grown", number)
    one, other = bytes_of(tmp_path / "grown"), bytes_of(written(tmp_path / "whole"))
    assert {name: one[name] for name in one if name != "manifest.json"} == {
        name: other[name] for name in other if name != "manifest.json"
    }


@pytest.mark.parametrize("content", [None, b"", b"PAR1 torn", "other"])
def test_lost_findings_are_rewritten(
    tmp_path: Path, content: bytes | str | None, caplog: pytest.LogCaptureFixture
) -> None:
    run = written(tmp_path / "run")
    before = bytes_of(run)
    file = run / "findings/part-00001.parquet"
    file.unlink()
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        shutil.copy(run / "findings/part-00000.parquet", file)
    with opened(run) as folder:
        assert folder.pending() == (Shard(1, 4, 8),)
        assert folder.pending()[0].done == 0
        deliver(folder, Shard(1, 4, 8))
    assert "findings/part-00001.parquet: is missing, damaged or of another part" in caplog.text
    assert bytes_of(run) == before


def without_findings(run: Path) -> None:
    """Make a run what an earlier release left: no findings, and one file of rejected rows."""
    table = table_of("nemotron", {"age": "integer"}, Priors.load("en_US").context_columns)
    for part in (run / "personas").iterdir():
        info, rows = read_shard(part), pq.read_table(part).to_pylist()
        assert info is not None
        values = {
            name: getattr(info, name)
            for name in ("start", "stop", "accepted", "rejected", "round", "findings")
        }
        write_shard(part, table, rows, type(info)(**values), {"narrator": "offline", "notice": "notice"})
    lines = [file.read_bytes() for file in sorted((run / "rejected").iterdir())]
    (run / "rejected.jsonl").write_bytes(b"".join(lines))
    shutil.rmtree(run / "rejected")
    shutil.rmtree(run / "findings")


def test_run_of_earlier_release_opens(tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    without_findings(run)
    with opened(run) as folder:
        assert folder.pending() == ()
        assert folder.close(whole=True, started="a", finished="b", seconds=1.0).state == "short"
    assert list(read_findings(run)) == []
    assert [rejection["row"] for rejection in read_rejections(run)] == [1, 6]


def test_rows_of_earlier_release_stay(tmp_path: Path) -> None:
    run = written(tmp_path / "run", 7)
    without_findings(run)
    with opened(run, 8) as folder:
        (shard,) = folder.pending()
        assert (shard.index, shard.done) == (1, 3)
        deliver(folder, shard)
        assert folder.pending() == ()
    assert findings_of(run)["row"].tolist() == [7, 7]
    assert b'{"begin": 7' in pq.read_schema(run / "findings/part-00001.parquet").metadata[b"findings"]
    assert [rejection["row"] for rejection in read_rejections(run)] == [6, 1]
    assert len(pd.read_parquet(run / "personas")) == 6


@pytest.mark.parametrize("begun", [0, 6])
@pytest.mark.parametrize("step", STEPS)
def test_kill_between_files_resumes_the_same(tmp_path: Path, step: str, begun: int) -> None:
    if begun:
        written(tmp_path / "run", begun)
    script = (
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_findings as t\n"
        "from census_personas.generator.run import run_folder\n"
        "def kill(*_, **__): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_folder.{step} = kill\n"
        f"t.written(t.Path({str(tmp_path / 'run')!r}))\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    one, other = bytes_of(written(tmp_path / "run")), bytes_of(written(tmp_path / "whole"))
    assert {name: one[name] for name in one if name != "manifest.json"} == {
        name: other[name] for name in other if name != "manifest.json"
    }


def test_unreadable_findings_are_named(tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    (run / "findings/part-00000.parquet").write_bytes(b"torn")
    with pytest.raises(DatasetError, match=r"part-00000\.parquet: cannot be read as findings; repeat"):
        findings_of(run)


def test_open_shards_have_no_findings(tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    (run / "personas/part-00000.parquet").unlink()
    assert findings_of(run)["row"].min() == 4
