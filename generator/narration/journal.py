"""Journal: keeps every finished answer on disk before it is used, so that none is paid for twice."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import orjson

from census_personas.foundation.atomic_file import cannot_be_written, sync
from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import check_input
from census_personas.generator.llm.chat import Completion

logger = logging.getLogger(__name__)
_NAME = "answers.jsonl"
_CHECKSUM = 9  # eight hexadecimal digits and a space
_BLOCK = 1 << 20
_LOOK_S = 0.2  # between two looks whether another process still holds a journal
_ALWAYS = ("text", "model", "finish_reason", "prompt_tokens", "completion_tokens")
_SELDOM = ("fault", "estimated", "cached_tokens", "reasoning_tokens")
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class JournalError(PersonasError, OSError):
    """A journal cannot be opened or written."""

    exit_code = 1


def kept_keys(folder: Path) -> Iterator[str]:
    """Yield the keys of all answers in a folder of journals, without locking one."""
    for place in sorted(folder.glob(f"*/{_NAME}")):
        with place.open("rb") as lines:
            for line in lines:
                kept = _decoded(line)
                if kept is not None:
                    yield kept[0]


async def freed(folder: Path, seconds: float) -> None:
    """Return when no process holds the journal of a folder, or after so many seconds."""
    end = time.monotonic() + seconds
    while (folder / _NAME).is_file() and time.monotonic() < end:
        with (folder / _NAME).open("rb") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        await asyncio.sleep(_LOOK_S)


class Journal:
    """Answers by key, in one append-only file of a folder.

    Each line is a CRC-32, a key and a completion. `put` returns when its line is on disk; lines that arrive
    while the disk is busy share the next sync. Opening a journal removes a last line that a crash left incomplete;
    other damaged lines are skipped, and their answers requested again. The index holds one entry per answer: open a
    journal for each shard, and close it with the shard.
    """

    def __init__(self, folder: Path) -> None:
        """Open or create `folder/answers.jsonl`, locked against a second process.

        Raises:
            JournalError: another process holds it, or it cannot be read or created.
        """
        self._place = folder / _NAME
        self._index: dict[str, tuple[int, int]] = {}
        self._pending: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._drain: asyncio.Task[None] | None = None
        self._writing = threading.Lock()
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_input(self._place)
            # Through a link, opening would truncate another file.
            self._file = os.open(self._place, _FLAGS, 0o644)
        except OSError as error:
            said = "is a link" if error.errno == errno.ELOOP else error.strerror
            raise JournalError(
                f"{self._place}: cannot be opened ({said}); move it away and repeat the command"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = self._scanned()
            os.ftruncate(self._file, self._end)
            sync(folder)
        except BlockingIOError as error:
            os.close(self._file)
            raise JournalError(
                f"{self._place}: another process is writing this run; let it finish"
            ) from error
        except OSError as error:
            os.close(self._file)
            raise JournalError(f"{self._place}: cannot be read ({error.strerror})") from error

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __len__(self) -> int:
        """Number of answers kept."""
        return len(self._index)

    def get(self, key: str) -> Completion | None:
        """Return the answer kept under this key."""
        if key not in self._index:
            return None
        offset, size = self._index[key]
        kept = _decoded(os.pread(self._file, size, offset))
        if kept is None or kept[0] != key:
            logger.warning("%s: the answer at byte %d is damaged; it is requested again", self._place, offset)
            del self._index[key]
            return None
        return kept[1]

    async def put(self, key: str, completion: Completion) -> None:
        """Keep an answer; return once it is on disk.

        Raises:
            JournalError: it cannot be written, for example on a full disk; earlier answers stay intact.
        """
        if self._closed:
            raise JournalError(f"{self._place}: is closed; open it again to go on")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._pending.append((key, _encoded(key, completion), done))
        if self._drain is None or self._drain.done():
            self._drain = loop.create_task(self._drained())
        # Cancelling a caller ends its wait; its answer, which was paid for, stays in the queue.
        await done

    def close(self) -> None:
        """Write what is still queued, sync, unlock and close. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        batch, self._pending = self._pending, []
        try:
            self._write(batch)
        finally:
            with self._writing:
                os.close(self._file)
                self._file = -1  # the number may soon belong to another file
            for _, _, done in batch:
                if not done.done():
                    done.cancel()

    async def _drained(self) -> None:
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                await asyncio.to_thread(self._write, batch)
            except JournalError as error:
                for _, _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                        # The waiter may have been cancelled; retrieve the error so that asyncio does not log it.
                        done.exception()
            else:
                for _, _, done in batch:
                    if not done.done():
                        done.set_result(None)

    def _write(self, batch: list[tuple[str, bytes, asyncio.Future[None]]]) -> None:
        if not batch:
            return
        with self._writing:
            if self._file < 0:
                raise JournalError(f"{self._place}: is closed; open it again to go on")
            lines = b"".join(line for _, line, _ in batch)
            try:
                view = memoryview(lines)
                while view:
                    view = view[os.write(self._file, view) :]
                os.fsync(self._file)
            except OSError as error:
                os.ftruncate(self._file, self._end)
                raise JournalError(f"{self._place}: {cannot_be_written(error)}") from error
            for kept, line, _ in batch:
                self._index[kept] = (self._end, len(line))
                self._end += len(line)

    def _scanned(self) -> int:
        """Fill the index; return the end of the last line that ends in a newline."""
        offset = 0
        damaged: list[int] = []
        with os.fdopen(os.dup(self._file), "rb", buffering=_BLOCK) as lines:
            lines.seek(0)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                kept = _decoded(line)
                if kept is not None:
                    self._index[kept[0]] = (offset, len(line))
                else:
                    damaged.append(offset)
                offset += len(line)
        if damaged:
            logger.warning(
                "%s: %s damaged, the first at byte %d; skipped, and their answers are requested again",
                self._place,
                "1 line is" if len(damaged) == 1 else f"{len(damaged)} lines are",
                damaged[0],
            )
        return offset


def _encoded(key: str, completion: Completion) -> bytes:
    kept = {name: getattr(completion, name) for name in _ALWAYS}
    # Other keys only where they hold something, so that lines look as in the first releases.
    kept |= {name: value for name in _SELDOM if (value := getattr(completion, name))}
    content = orjson.dumps({"key": key, "completion": kept})
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _decoded(line: bytes) -> tuple[str, Completion] | None:
    content = line[_CHECKSUM:-1]
    if not line.endswith(b"\n") or line[:_CHECKSUM] != b"%08x " % zlib.crc32(content):
        return None
    try:
        kept = orjson.loads(content)
        answer = Completion(**kept["completion"])
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None
    texts = (kept["key"], answer.text, answer.model, answer.finish_reason)
    tokens = (answer.prompt_tokens, answer.completion_tokens, answer.cached_tokens, answer.reasoning_tokens)
    sound = all(isinstance(text, str) for text in texts) and all(type(n) is int and n >= 0 for n in tokens)
    return (kept["key"], answer) if sound else None
