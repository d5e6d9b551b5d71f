"""The warning about commit subjects, in a real repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.quick, pytest.mark.skipif(shutil.which("git") is None, reason="no git")]

GIT = shutil.which("git") or "git"
SCRIPT = Path(__file__).parents[1] / ".dev/commit_subjects.sh"


def check(folder: Path, *words: str | Path) -> str:
    done = subprocess.run(["/bin/sh", SCRIPT, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def commit(folder: Path, subject: str) -> None:
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    words = [GIT, *identity, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", subject]
    subprocess.run(words, cwd=folder, check=True)


def test_bad_subjects_are_named(tmp_path: Path) -> None:
    subprocess.run([GIT, "init", "--quiet", tmp_path], check=True)
    commit(tmp_path, "llm: bound the bytes of an answer")
    assert check(tmp_path) == ""
    commit(tmp_path, "Bound the bytes of an answer")
    commit(tmp_path, f"llm: {'é' * 68}")
    first, second = check(tmp_path).splitlines()
    assert first.startswith("warning: commit subject has 73 characters, at most 72")
    assert second.endswith(
        "has no scope; write it like 'llm: bound the bytes of an answer': Bound the bytes of an answer"
    )


def test_hook_reads_a_message(tmp_path: Path) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(
        "Merge branch 'x' of everything that there is in this world, and of what is not yet there\n"
    )
    assert check(tmp_path, message) == ""
    message.write_text("mend it\n\nBecause: it was broken.\n")
    assert "has no scope" in check(tmp_path, message)


def test_missing_history_has_no_warning(tmp_path: Path) -> None:
    assert check(tmp_path) == ""
