"""The tutorial and the how-tos, done as they are written: files written, commands run, output compared.

A page is read block by block, in a folder with the shipped configs. A block of `bash` is run line by line, `python` is
executed, `text` below either is what it must have printed (`…` stands for anything), and any block under a line that
ends in a file's name and a colon is that file. A block under `<!-- not tested: why -->` is left alone.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PAGES = (
    "tutorial/first-dataset.md",
    "how-to/add-a-rule.md",
    "how-to/add-a-narrative.md",
    "how-to/add-a-prompt-set.md",
    "how-to/add-a-measure.md",
    "how-to/add-a-backend.md",
    "how-to/run-your-own-model.md",
    "how-to/resume-and-extend.md",
    "how-to/share-a-dataset.md",
)
LEAST_BLOCKS = 3
# The address and the model that pages name, for which a test server stands.
ADDRESS, MODEL = "http://localhost:8090/v1", "my-model"
_FILE = re.compile(r"`([\w./-]+\.\w+)`:$")
_EXIT = re.compile(r"\s+# exits (\d+)$")

Personas = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Block:
    line: int
    before: str  # the line of text above it
    language: str
    body: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = text.splitlines()
    opened: int | None = None
    for number, line in enumerate(lines):
        if line.startswith("```") and opened is None:
            opened = number
        elif line == "```" and opened is not None:
            before = next((said for said in reversed(lines[:opened]) if said.strip()), "")
            yield Block(opened + 1, before, lines[opened][3:].strip(), "\n".join(lines[opened + 1 : number]))
            opened = None


def commands(body: str) -> Iterator[tuple[str, int]]:
    """The commands of a block, each with the exit code that it must end with."""
    for line in body.replace("\\\n", " ").splitlines():
        expected = _EXIT.search(line)
        command = re.sub(r"\s+# .*$|^# .*$", "", line).strip()
        if command:
            yield command, int(expected[1]) if expected else 0


def has_lines(said: str, wanted: str) -> str:
    """The first line that was wanted and was not said, in this order; empty when all were."""
    left = said.splitlines()
    for line in filter(str.strip, wanted.splitlines()):
        pattern = re.compile(re.escape(line.rstrip()).replace("…", ".*"))
        while left and not pattern.fullmatch(left[0].rstrip()):
            left.pop(0)
        if not left:
            return line
    return ""


class Reader:
    """Somebody who does what a page says."""

    def __init__(self, personas: Personas, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        """Sits in `folder`, with the command and what Python prints."""
        self.personas, self.folder, self.capture = personas, folder, capture
        self.names: dict[str, Any] = {}
        self.said = ""

    def do(self, block: Block) -> None:
        if file := _FILE.search(block.before):
            (self.folder / file[1]).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file[1]).write_text(f"{block.body}\n", encoding="utf-8")
        elif block.language == "bash":
            self.said = "".join(self.run(command, code) for command, code in commands(block.body))
        elif block.language == "python":
            exec(compile(block.body, f"line {block.line}", "exec"), self.names)  # noqa: S102  the project's own page
            self.said = self.capture.readouterr().out
        elif block.language == "text":
            missing = has_lines(self.said, block.body)
            assert not missing, f"line {block.line}: {missing!r} is not in\n{self.said}"

    def run(self, command: str, expected: int) -> str:
        words = shlex.split(command)
        if words[0] == "export":
            os.environ.update(word.split("=", 1) for word in words[1:])
            return ""
        if words[0] == "personas" and not {"|", ">"} & set(words):
            code, out, err = self.personas(*words[1:])
        else:
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            code, out, err = done.returncode, done.stdout, done.stderr
        assert code == expected, (command, code, out, err)
        return out + err


@pytest.mark.parametrize("page", PAGES)
def test_page_is_true(
    page: str,
    personas: Personas,
    chat_server: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home") if name == "HF_HOME" else "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    shutil.copytree(ROOT / "configs", "configs")
    if ADDRESS in text or MODEL in text:
        address = chat_server("--model", MODEL).base_url
        text = text.replace(ADDRESS, address)
        for config in Path("configs").glob("*.yaml"):
            config.write_text(config.read_text("utf-8").replace(ADDRESS, address), encoding="utf-8")
    reader = Reader(personas, tmp_path, capsys)
    tested = [block for block in blocks(text) if "<!-- not tested" not in block.before]
    for block in tested:
        reader.do(block)
    assert len(tested) >= LEAST_BLOCKS


@pytest.mark.parametrize(
    ("said", "wanted", "missing"),
    [
        ("a\nb 7\nc\n", "a\nb …", ""),
        ("a\nb\n", "b\na", "a"),
        ("a b\n", "a", "a"),
    ],
)
def test_different_output_is_named(said: str, wanted: str, missing: str) -> None:
    assert has_lines(said, wanted) == missing
