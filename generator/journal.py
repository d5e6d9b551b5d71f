"""Journal: every finished answer, durable before it is used."""

from __future__ import annotations

from pathlib import Path

from persona_engine.generator.llm.chat import ChatRequest, Completion


class JournalError(OSError):
    """A journal that cannot be opened or written."""


def key(request: ChatRequest, model: str) -> str:
    """SHA-256 of all that decides an answer: messages, schema, model, parameters, seed."""
    raise NotImplementedError


class Journal:
    """Answers by key in one append-only file of a folder. Open one a shard; close it when done."""

    def __init__(self, folder: Path) -> None:
        """Open or create `folder/answers.jsonl`, locked against a second process."""
        raise NotImplementedError

    def get(self, key: str) -> Completion | None:
        """The answer kept under this key."""
        raise NotImplementedError

    async def put(self, key: str, completion: Completion) -> None:
        """Keep an answer; returns once it is on disk (writes are synced in batches)."""
        raise NotImplementedError

    def close(self) -> None:
        """Sync, unlock and close."""
        raise NotImplementedError
