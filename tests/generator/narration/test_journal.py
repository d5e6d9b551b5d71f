"""The journal keeps every answer that it acknowledged, even if the process dies."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from census_personas.generator.llm.chat import ChatRequest, Completion
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.narration.journal import Journal, JournalError

pytestmark = pytest.mark.quick

ANSWER = Completion("text with “quotes”,\nlines and \x00 control", "model", "stop", 12, 34)
REQUEST = ChatRequest(
    ({"role": "user", "content": "Who?"},), "personas", {"type": "object"}, 0.9, 1.0, 100, 1
)


def put_all(folder: Path, names: list[str]) -> None:
    async def run() -> None:
        with Journal(folder) as journal:
            await asyncio.gather(*(journal.put(name, replace(ANSWER, text=name)) for name in names))

    asyncio.run(run())


@pytest.mark.parametrize("more", [{}, {"fault": "unusable"}, {"estimated": True}, {"cached_tokens": 9}])
def test_answer_survives_reopening(tmp_path: Path, more: dict[str, Any]) -> None:
    said = replace(ANSWER, **more)

    async def run() -> None:
        with Journal(tmp_path) as journal:
            await journal.put("a" * 64, said)
            assert journal.get("a" * 64) == said

    asyncio.run(run())
    with Journal(tmp_path) as journal:
        assert journal.get("a" * 64) == said
        assert journal.get("b" * 64) is None


@pytest.mark.parametrize(
    "said",
    [
        b"[]",
        b"1",
        b'{"key": "a"}',
        b'{"key": "a", "completion": 3}',
        b'{"key": 1, "completion": {"text": "x"}}',
    ]
    + [
        b'{"key": "a", "completion": {"text": %b, "model": "m", "finish_reason": "stop", "prompt_tokens": %b}}'
        % both
        for both in ((b"[]", b"1"), (b'"x"', b'"2"'), (b'"x"', b"-1"), (b"null", b"1"))
    ],
)
def test_misshapen_line_is_skipped(tmp_path: Path, said: bytes, caplog: pytest.LogCaptureFixture) -> None:
    put_all(tmp_path, ["b" * 64])
    with (tmp_path / "answers.jsonl").open("ab") as file:
        file.write(b"%08x %b\n" % (zlib.crc32(said), said))
    with Journal(tmp_path) as journal:
        assert len(journal) == 1
        assert journal.get("b" * 64) == replace(ANSWER, text="b" * 64)
    assert "1 line is damaged" in caplog.text


def test_links_and_folders_are_refused(tmp_path: Path) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_text("It was a dark night. No line ends here")
    for number, make in enumerate(
        (os.symlink, lambda _, place: os.mkfifo(place), lambda _, place: place.mkdir())
    ):
        (tmp_path / str(number)).mkdir()
        make(novel, tmp_path / str(number) / "answers.jsonl")
        with pytest.raises(JournalError, match=r"cannot be opened \(is a (link|pipe|folder)"):
            Journal(tmp_path / str(number))
    assert novel.read_text().endswith("ends here")
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"cannot be opened \(File exists\); move it away"):
        Journal(tmp_path / "file")


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ({"role": "user", "content": "Who is it?"},)},
        {"schema": {"type": "array"}},
        {"temperature": 0.8},
        {"top_p": 0.9},
        {"max_tokens": 200},
        {"seed": 2},
    ],
)
def test_changed_request_gets_no_stale_answer(change: dict[str, object]) -> None:
    assert request_key(replace(REQUEST, **change), "model") != request_key(REQUEST, "model")
    assert request_key(REQUEST, "another") != request_key(REQUEST, "model")


def test_key_ignores_what_is_not_sent() -> None:
    assert request_key(replace(REQUEST, facts={"age": 3}), "model") == request_key(REQUEST, "model")


@pytest.mark.parametrize("cut", [1, 5, 60, 150])
def test_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    put_all(tmp_path, ["one", "two", "three"])
    place = tmp_path / "answers.jsonl"
    place.write_bytes(place.read_bytes()[:-cut])
    put_all(tmp_path, ["four"])
    with Journal(tmp_path) as journal:
        found = [name for name in ("one", "two", "three", "four") if journal.get(name)]
    assert found == (["one", "two", "four"] if cut < 150 else ["one", "four"])


def test_damaged_line_loses_its_answer_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put_all(tmp_path, ["one", "two", "three"])
    place = tmp_path / "answers.jsonl"
    lines = place.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"model"', b'"muddl"')
    place.write_bytes(b"".join(lines))
    with Journal(tmp_path) as journal:
        assert [bool(journal.get(name)) for name in ("one", "two", "three")] == [True, False, True]
    (said,) = caplog.messages
    assert f"{place}: 1 line is damaged, the first at byte {len(lines[0])};" in said


def test_garbled_file_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put_all(tmp_path, ["one"])
    place = tmp_path / "answers.jsonl"
    kept = place.read_bytes()
    place.write_bytes(kept + b"garbage\n" * 500 + kept.replace(b"one", b"two"))
    with Journal(tmp_path) as journal:
        assert len(journal) == 1
    (said,) = caplog.messages
    assert f"{place}: 501 lines are damaged, the first at byte {len(kept)};" in said


def test_second_process_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path):
        code = (
            "from pathlib import Path; from census_personas.generator.narration.journal import Journal; "
            f"Journal(Path({str(tmp_path)!r}))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "another process is writing this run" in done.stderr


def test_closed_journal_refuses_answers(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal(tmp_path)
        journal.close()
        with pytest.raises(JournalError, match="is closed"):
            await journal.put("one", ANSWER)

    asyncio.run(run())


def test_answer_of_a_cancelled_reader_is_kept(tmp_path: Path) -> None:
    async def run() -> None:
        with Journal(tmp_path) as journal:
            task = asyncio.create_task(journal.put("one", ANSWER))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    with Journal(tmp_path) as journal:
        assert journal.get("one") == ANSWER


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A full disk, as the process sees it: writes beyond the size fail."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_full_disk_keeps_earlier_answers(tmp_path: Path) -> None:
    async def run() -> None:
        journal = Journal(tmp_path)
        await journal.put("one", ANSWER)
        with file_size_limit((tmp_path / "answers.jsonl").stat().st_size + 50):
            with pytest.raises(JournalError, match="free some space, and repeat the command"):
                await journal.put("two", ANSWER)
            assert journal.get("one") == ANSWER
        await journal.put("three", ANSWER)
        journal.close()

    asyncio.run(run())
    with Journal(tmp_path) as journal:
        assert [bool(journal.get(name)) for name in ("one", "two", "three")] == [True, False, True]


WRITER = """
import asyncio, sys
from pathlib import Path
from census_personas.generator.narration.journal import Journal
from census_personas.generator.llm.chat import Completion

async def main(folder, start):
    journal = Journal(Path(folder))
    async def one(i):
        await journal.put(f"key-{i}", Completion("x" * (i % 900), "m", "stop", i, i))
        sys.stdout.write(f"{i}\\n")
        sys.stdout.flush()
    i = start
    while True:
        await asyncio.gather(*(one(i + j) for j in range(20)))
        i += 20

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def test_kill_9_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    draw = random.Random(5)
    acknowledged: set[int] = set()
    for turn in range(6):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(turn * 1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            first = writer.stdout.readline()
            time.sleep(draw.uniform(0.0, 0.2))
            os.kill(writer.pid, signal.SIGKILL)
            said = (first + writer.stdout.read()).split(b"\n")[:-1]
        acknowledged |= {int(line) for line in said}
        with Journal(tmp_path) as journal:
            kept = {i: journal.get(f"key-{i}") for i in acknowledged}
        lost = [i for i, answer in kept.items() if answer != Completion("x" * (i % 900), "m", "stop", i, i)]
        assert lost == []
    assert len(acknowledged) > 100
