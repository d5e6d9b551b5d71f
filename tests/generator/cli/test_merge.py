"""Shares of a run, each written by a job of its own, and the run that they are merged into."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[3] / "configs" / "quickstart.yaml"
Personas = Callable[..., tuple[int, str, str]]


def words(folder: Path, *options: object) -> list[object]:
    return ["generate", QUICKSTART, "-o", folder, "-n", 45, "--set", "output.shard_rows=10", *options]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file but the manifest, which has a clock, and the lock."""
    files = [
        file for file in folder.rglob("*") if file.is_file() and file.name not in {"manifest.json", ".lock"}
    ]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_merged_shares_equal_one_run(personas: Personas, tmp_path: Path) -> None:
    policy = ("--set", "validation.policy.lists_agree=reject")
    assert personas(*words(tmp_path / "whole", *policy))[0] in (0, 1)
    for job in (1, 2, 3):
        code, said, err = personas(*words(tmp_path / f"share-{job}", "--shards", f"{job}/3", *policy))
        assert code == 0, err
        assert "one job's share" in err
        assert not (tmp_path / f"share-{job}/report.json").exists()
    shares = [tmp_path / f"share-{job}" for job in (2, 3, 1)]
    code, said, err = personas("merge", *shares, "-o", tmp_path / "merged")
    assert bytes_of(tmp_path / "merged") == bytes_of(tmp_path / "whole")
    counts = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("merged", "whole")]
    for name in ("state", "accepted", "rejected", "prompt_tokens", "cost", "fingerprint", "identity"):
        assert counts[0][name] == counts[1][name]
    assert personas("merge", *shares, "-o", tmp_path / "merged") == (code, said, err)


def test_merged_shares_keep_the_keys_of_the_input(personas: Personas, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("member,age,sex\nm7,34,Female\nm9,61,Male\nm4,47,Female\n", encoding="utf-8")
    narrate = (
        "narrate",
        people,
        "-c",
        QUICKSTART,
        "--set",
        "input.key=member",
        "--set",
        "output.shard_rows=2",
    )
    shares = [tmp_path / f"share-{job}" for job in (1, 2)]
    for job, share in enumerate(shares, 1):
        code, _, err = personas(*narrate, "-o", share, "--shards", f"{job}/2")
        assert code == 0, err
    code, _, err = personas("merge", *shares, "-o", tmp_path / "merged")
    assert code == 0, err
    keys = (tmp_path / "merged" / "keys.parquet").read_bytes()
    assert {(share / "keys.parquet").read_bytes() for share in shares} == {keys}


def test_unmergeable_runs_are_refused(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    def refused(*options: object, out: str = "merged") -> str:
        code, _, err = personas("merge", *options, "-o", tmp_path / out)
        assert code == 2, err
        assert not (tmp_path / "merged").exists()
        return one_line(err)

    first, other, more = tmp_path / "first", tmp_path / "other", tmp_path / "more"
    personas(*words(first, "--shards", "0/2"))
    personas(*words(other, "--shards", "1/2", "--seed", 9))
    personas("generate", QUICKSTART, "-o", more, "-n", 50, "--shards", "1/2", "--set", "output.shard_rows=10")
    assert "other: is of another run than" in (said := refused(first, other))
    assert "seed: 9 in the folder" in said
    assert "rows: 50 in the folder, 45 there" in refused(first, more)
    assert "part-00001, part-00003: not finished in any of the 1 runs" in refused(first)
    assert "is no run folder" in refused(first, tmp_path / "absent")
    assert "is one of the runs that are merged" in refused(first, out="first")


@pytest.mark.parametrize("share", ["4/3", "3", "a/b", "-1/3", "1/0", "1/2/3"])
def test_a_share_that_is_none_is_refused(
    personas: Personas, tmp_path: Path, one_line: Callable[[str], str], share: str
) -> None:
    code, _, err = personas(*words(tmp_path / "run", f"--shards={share}"))
    assert code == 2
    assert "runtime.shards: give JOB/JOBS, such as 3/16" in one_line(err)
