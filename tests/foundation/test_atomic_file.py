"""Atomic files: written completely or not at all, even if the writer is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from census_personas.foundation.atomic_file import UnwritableError, whole_file, write_whole

pytestmark = pytest.mark.quick

WRITER = """
import sys
from pathlib import Path
from census_personas.foundation.atomic_file import whole_file
with whole_file(Path(sys.argv[1])) as partial:
    partial.write_text("half of a long text")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writing(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds a half-written file until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_leftover_file_is_reused(tmp_path: Path) -> None:
    for _ in range(2):
        process = writing(tmp_path / "x.txt")
        process.kill()
        process.communicate()
        assert names(tmp_path) == [".x.txt.partial"]
    write_whole(tmp_path / "x.txt", "whole")
    assert names(tmp_path) == ["x.txt"]
    assert (tmp_path / "x.txt").read_text() == "whole"


def test_last_of_two_writers_wins(tmp_path: Path) -> None:
    process = writing(tmp_path / "x.txt")
    with whole_file(tmp_path / "x.txt") as partial:
        assert names(tmp_path) == [".x.txt.1.partial", ".x.txt.partial"]
        partial.write_text("first")
    assert (tmp_path / "x.txt").read_text() == "first"
    process.communicate("")
    assert names(tmp_path) == ["x.txt"]
    assert (tmp_path / "x.txt").read_text() == "half of a long text"


def test_occupied_name_is_skipped(tmp_path: Path) -> None:
    (tmp_path / ".x.txt.partial").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".x.txt.1.partial").mkdir()
    write_whole(tmp_path / "x.txt", "whole")
    assert names(tmp_path) == [".x.txt.1.partial", ".x.txt.partial", "x.txt"]
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("place", ["/proc/x.txt", "file/x.txt"])
def test_unwritable_path_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match=rf"^{place}: cannot be written \(.*\); choose a path"):
        write_whole(Path(place), "text")


def test_other_errors_pass_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"other\.txt"), whole_file(tmp_path / "x.txt"):
        (tmp_path / "other.txt").read_text()
    assert names(tmp_path) == []
