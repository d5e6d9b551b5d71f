"""A run of which nothing comes out stops after its first rows; one of which little comes out goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.config.run_config import Config
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.early_stop import UNACCEPTED, UNREADABLE, EarlyStop, HopelessError
from census_personas.generator.run.pipeline import Pipeline, Tally
from census_personas.generator.run.shard_store import Shard, ShardInfo

VLLM = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
# Both calls are one request each; an attempt adds two repairs, a row has three attempts.
ROW_MOST = 9
GREETING = 8

Server = Callable[..., Any]


class Writers:
    """Narrators of which each row is accepted, rejected or refused for its facts as told."""

    def __init__(
        self, early_stop: EarlyStop, accepts: Callable[[int], bool], free: Callable[[int], bool]
    ) -> None:
        """`free` rows are rejected without a word asked for."""
        self.early_stop, self.accepts, self.free = early_stop, accepts, free
        self.begun: list[int] = []

    async def narrate(self, record: dict) -> Narrated:
        row = record["row"]
        self.begun.append(row)
        if self.free(row):
            return Narrated(record, (), accepted=False, attempts=0, reasons=("facts: age: is wrong",))
        await asyncio.sleep(0.001 * (row % 3))
        self.early_stop.hear(True)
        reasons = (f"stated_age: persona: says {row}, is {row + 1}",)
        return Narrated(record, (), self.accepts(row), attempts=1, reasons=reasons, asked=2)

    @contextmanager
    def opened(self, _: Shard) -> Iterator[Writers]:
        yield self


async def narrated(rows: int, accepts: Callable[[int], bool], free: Callable[[int], bool]) -> Writers:
    early_stop = EarlyStop()
    writers = Writers(early_stop, accepts, free)

    def deliver(shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        return ShardInfo(shard.start, shard.stop, len(results), 0)

    pipeline = Pipeline(
        lambda n, start: pd.DataFrame({"row": range(start, start + n)}),
        writers.opened,
        deliver,
        concurrency=384,
        early_stop=early_stop,
    )
    try:
        await pipeline.run((Shard(0, 0, rows),), Tally(rows))
    except HopelessError as error:
        error.writers = writers
        raise
    return writers


def never(_: int) -> bool:
    return False


async def test_run_without_accepted_rows_ends() -> None:
    with pytest.raises(HopelessError, match=r"none of the first 64 rows was accepted") as raised:
        await narrated(1000, never, never)
    assert raised.value.writers.begun == list(range(UNACCEPTED))
    assert "64 of 64 rows" in str(raised.value)
    assert "stated_age: persona: says" in str(raised.value)


async def test_one_accepted_row_in_ten_is_enough() -> None:
    writers = await narrated(1000, lambda row: row % 10 == 9, never)
    assert len(writers.begun) == 1000


async def test_last_tried_row_may_be_the_first() -> None:
    writers = await narrated(300, lambda row: row == UNACCEPTED - 1, never)
    assert len(writers.begun) == 300


async def test_free_rows_do_not_count() -> None:
    assert len((await narrated(500, never, lambda _: True)).begun) == 500
    with pytest.raises(HopelessError) as raised:
        await narrated(1000, never, lambda row: row % 2 == 0)
    assert sum(row % 2 for row in raised.value.writers.begun) == UNACCEPTED


async def test_finished_run_is_not_stopped() -> None:
    assert len((await narrated(UNACCEPTED, never, never)).begun) == UNACCEPTED


def test_stop_early_is_not_fingerprinted() -> None:
    stubborn = Config.model_validate({"validation": {"stop_early": False}})
    assert stubborn.fingerprint() == Config().fingerprint()
    assert "stop_early" not in Config().identity()["validation"]


def words(folder: Path, server: Any, *changes: str, rows: int) -> list[object]:
    settings = [
        f"llm.model={server.model}",
        f"llm.base_url={server.base_url}",
        "llm.pace_by=latency",
        "output.shard_rows=500",
        "runtime.progress=off",
        *changes,
    ]
    return ["generate", VLLM, "-o", folder, "-n", rows, *[w for s in settings for w in ("--set", s)]]


def state(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def test_unreadable_answers_end_a_run(tmp_path: Path, chat_server: Server, command: Any) -> None:
    folder, spoilt, sound = tmp_path / "run", chat_server("--fault=prose=1"), chat_server()
    code, said = command.run(*words(folder, spoilt, rows=50))
    assert code == 1
    (line,) = said.splitlines()
    assert line.startswith("personas: none of the first 32 rows has a readable answer, and the run stops")
    assert "I would rather describe this person in my own words." in line
    assert state(folder)["state"] == "stopped"
    paid = spoilt.stats()["requests"]
    assert paid <= UNREADABLE * ROW_MOST + GREETING
    kept = sum(file.read_bytes().count(b"\n") for file in folder.glob("journal/*/answers.jsonl"))
    assert paid - GREETING <= kept <= paid
    code, said = command.run(*words(folder, sound, rows=50))
    assert (code, state(folder)["accepted"], state(folder)["rejected"]) == (1, 18, UNREADABLE), said
    code, said = command.run(*words(folder, sound, rows=50))
    assert (code, state(folder)["state"], state(folder)["accepted"]) == (0, "complete", 50), said


def test_same_cause_stops_again(tmp_path: Path, chat_server: Server, command: Any) -> None:
    folder, spoilt = tmp_path / "run", chat_server("--fault=prose=1")
    command.run(*words(folder, spoilt, rows=100))
    first = spoilt.stats()["requests"]
    code, said = command.run(*words(folder, spoilt, rows=100))
    assert code == 1
    assert "none of the first 32 rows" in said
    assert "row 32, " in said
    assert spoilt.stats()["requests"] - first <= UNREADABLE * ROW_MOST + GREETING


def test_wrong_answers_end_a_run_later(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--fault=missing=1")
    code, said = command.run(*words(tmp_path / "run", server, "validation.max_repairs=0", rows=200))
    assert code == 1
    assert "none of the first 64 rows was accepted" in said
    assert "is missing; write a text" in said
    assert server.stats()["requests"] <= UNACCEPTED * 3 + GREETING


def test_all_rows_tried_if_switched_off(tmp_path: Path, chat_server: Server, command: Any) -> None:
    changes = ("validation.stop_early=false", "validation.max_repairs=0", "validation.max_attempts=1")
    code, said = command.run(*words(tmp_path / "run", chat_server("--fault=empty=1"), *changes, rows=80))
    assert code == 1
    assert "80 rejected" in said


def test_input_file_stops_early_too(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--fault=empty=1")
    assert command.run("sample", "-n", 60, "-o", tmp_path / "people.parquet")[0] == 0
    options = words(tmp_path / "run", server, "llm.structured_output=json_schema", rows=60)[2:]
    code, said = command.run("narrate", tmp_path / "people.parquet", "-c", VLLM, *options)
    assert code == 1
    assert "none of the first 32 rows has a readable answer" in said
    assert "the answer is empty" in said
