"""Session: one call of `personas generate`, from a configuration to a run folder."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persona_engine.generator.config import Config
from persona_engine.generator.dataset_file import DatasetError
from persona_engine.generator.llm.backends import connect
from persona_engine.generator.llm.chat import ChatModel, ChatRequest, RequestError
from persona_engine.generator.narration.narrator import Narrated, Narrator
from persona_engine.generator.report import card
from persona_engine.generator.report import run_report as report
from persona_engine.generator.run.manifest import Manifest
from persona_engine.generator.run.pipeline import Pipeline, Tally, narrations
from persona_engine.generator.run.rooms import Rooms
from persona_engine.generator.run.run_folder import RunFolder
from persona_engine.generator.run.store import Shard, ShardInfo
from persona_engine.validators.reader import ReaderError

OFFLINE_NOTICE = (
    "The texts were written by the offline narrator, a grammar without a language model. "
    "They serve first runs, dry runs, tests and baselines, and do not stand in for a model's texts."
)


def notice_of(config: Config) -> str:
    """What every file of the run says about its narrator; empty when there is nothing to warn of."""
    return OFFLINE_NOTICE if config.llm.backend == "offline" else ""


def generate(
    config: Config,
    folder: Path,
    observe: Callable[[Tally], None] = lambda _: None,
    model: ChatModel | None = None,
) -> Manifest:
    """Narrate what the folder does not have yet, then write its report and card.

    Args:
        config: what the run is and how it runs.
        folder: where it is written.
        observe: called with running counts.
        model: stands for the configured one, as batch files do; it must bear its name.

    Returns:
        The manifest, which says whether the run is complete.

    Raises:
        ConfigError: nothing was written, or the folder was left as it was.
        LLMError: the endpoint cannot be used; finished shards and answers are kept.
    """
    rooms = Rooms.load(config)
    manifest = asyncio.run(_generate(rooms, folder, observe, model, fresh=not folder.exists()))
    if manifest.state != "stopped":
        try:
            numbers = report.of(
                folder, rooms.population, manifest, config.where, config.target | config.quota
            )
        except (DatasetError, ReaderError) as error:
            raise DatasetError(
                f"{error}; or delete it and repeat the command: it is written again"
            ) from error
        report.write(folder, numbers)
        card.write(folder, manifest, rooms.priors, rooms.table(), numbers, rooms.described)
    return manifest


def preview(config: Config) -> tuple[list[Narrated], float]:
    """Narrate the configuration's rows and keep them in memory.

    Returns:
        The rows, and the seconds that all but the first of them took together (or the first, alone): the first
        also waits for what is loaded and probed once.

    Raises:
        LLMError: the endpoint cannot be used.
    """
    rooms = Rooms.load(config)
    results: list[Narrated] = []

    def keep(shard: Shard, narrated: Sequence[Narrated]) -> ShardInfo:
        results.extend(narrated)
        return ShardInfo(shard.start, shard.stop, len(narrated), 0)

    async def narrate() -> float:
        model = connect(config.llm, rooms.grammar)
        seconds = 0.0
        try:
            for shard in (Shard(0, 0, 1), Shard(1, 1, config.rows))[: config.rows]:
                pipeline = Pipeline(
                    rooms.sample,
                    lambda _: rooms.narrator(model, config, None),
                    keep,
                    concurrency=config.llm.concurrency,
                )
                began = time.monotonic()
                await pipeline.run((shard,), Tally(config.rows))
                seconds = time.monotonic() - began
        finally:
            await model.aclose()
        return seconds

    seconds = asyncio.run(narrate())
    return results, seconds


def try_endpoint(config: Config) -> str:
    """Ask the endpoint for one small answer; the model's name.

    Raises:
        LLMError: the endpoint is not there, refuses the key or does not know the model.
    """

    async def ask() -> str:
        model = connect(config.llm)
        try:
            await check_endpoint(model, config)
        finally:
            await model.aclose()
        return model.name

    return asyncio.run(ask())


async def _generate(
    rooms: Rooms, path: Path, observe: Callable[[Tally], None], given: ChatModel | None, *, fresh: bool
) -> Manifest:
    config = rooms.config
    model = given or connect(config.llm, rooms.grammar, [*rooms.written])
    try:
        if fresh and given is None:
            await check_endpoint(model, config)
        manifest = Manifest.of(config, rooms.digests(), model.name, notice_of(config))
        table = rooms.table()
        if rooms.input is not None:
            notes = rooms.input.notes(config.output.schema_, table.names)
            manifest = manifest.model_copy(update={"notes": notes})
        with RunFolder.opened(path, config, manifest, table) as folder:
            return await _narrate(rooms, folder, model, observe)
    finally:
        await model.aclose()


async def _narrate(
    rooms: Rooms, folder: RunFolder, model: ChatModel, observe: Callable[[Tally], None]
) -> Manifest:
    config = rooms.config
    validation = config.validation.model_copy(update={"max_attempts": folder.allowance})
    allowed = config.model_copy(update={"validation": validation})
    journaled = config.llm.backend != "offline"

    def open_narrator(shard: Shard) -> contextlib.AbstractContextManager[Narrator]:
        return rooms.narrator(model, allowed, folder.journal(shard) if journaled else None)

    pending = folder.pending()
    tally = Tally(config.rows, done=config.rows - sum(shard.stop - shard.start for shard in pending))
    pipeline = Pipeline(
        rooms.sample,
        open_narrator,
        folder.write,
        concurrency=narrations(config.llm.concurrency),
        observe=observe,
    )
    started, clock = _now(), time.monotonic()

    def close(*, whole: bool) -> Manifest:
        seconds = time.monotonic() - clock
        return folder.close(
            whole=whole, started=started, finished=_now(), seconds=seconds, account=model.account()
        )

    try:
        with _interruptible(pipeline):
            finished = await pipeline.run(pending, tally)
    except BaseException:
        with contextlib.suppress(OSError):  # what ended the run is worth telling, not what it led to
            close(whole=False)
        raise
    return close(whole=finished)


@contextmanager
def _interruptible(pipeline: Pipeline) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM, or the end of the terminal) lets rows in flight finish, the second drops them.

    Under `nohup` the end of the terminal stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    presses = iter((pipeline.stop,))

    def on_signal() -> None:
        next(presses, pipeline.abort)()

    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if heard[signal.SIGHUP] == signal.SIG_IGN:
        del heard[signal.SIGHUP]
    for number in heard:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number, handler in heard.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)  # the loop leaves the system's, which ends a process as it stands


async def check_endpoint(model: ChatModel, config: Config) -> None:
    """Ask for one tiny structured answer, so that a run on a missing endpoint leaves nothing behind.

    Raises:
        LLMError: the endpoint is not there, refuses the key or does not know the model.
    """
    if config.llm.backend == "offline":
        return
    request = ChatRequest(
        messages=({"role": "user", "content": 'Answer with the JSON object {"ready": "yes"}.'},),
        schema_name="ready",
        schema=_READY,
        temperature=0.0,
        top_p=1.0,
        max_tokens=64,
        seed=0,
    )
    with contextlib.suppress(RequestError):
        await model.complete(request)


_READY: dict[str, Any] = {
    "type": "object",
    "properties": {"ready": {"type": "string", "enum": ["yes"]}},
    "required": ["ready"],
    "additionalProperties": False,
}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
