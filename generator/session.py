"""Session: one call of `personas generate`, from a configuration to a run folder."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from census_personas.foundation import event_loop
from census_personas.foundation.errors import DatasetError
from census_personas.generator.config.run_config import Config
from census_personas.generator.executor.executor import executor_of
from census_personas.generator.executor.ledger import add_accounts
from census_personas.generator.executor.narration_crew import NarrationCrew
from census_personas.generator.llm.chat import ChatModel, ChatRequest, RequestError
from census_personas.generator.llm.deadline import Deadline
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.population.population import Population
from census_personas.generator.report import card
from census_personas.generator.report import run_report as report
from census_personas.generator.run.early_stop import EarlyStop
from census_personas.generator.run.keys import write_keys
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.pipeline import Pipeline, Tally, narrations
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.run_store import local_folder
from census_personas.generator.run.shard_narration import ShardNarration
from census_personas.generator.run.shard_store import Shard, ShardInfo


class InterruptedRunError(KeyboardInterrupt):
    """A signal stopped a run; its finished rows are written, and the same call resumes it."""

    def __init__(self, manifest: Manifest) -> None:
        """Keep the run's manifest."""
        super().__init__("interrupted")
        self.manifest = manifest


OFFLINE_NOTICE = (
    "The texts were written by the offline narrator, a grammar without a language model. "
    "They serve first runs, dry runs, tests and baselines, and do not stand in for a model's texts."
)


def notice_of(config: Config) -> str:
    """Return the notice about the narrator for every file of the run; empty for a language model."""
    return OFFLINE_NOTICE if config.llm.backend == "offline" else ""


def generate(
    config: Config,
    folder: Path | str,
    observe: Callable[[Tally], None] = lambda _: None,
    model: ChatModel | None = None,
    population: Population | None = None,
) -> Manifest:
    """Narrate the rows that the folder lacks, then write its report and card.

    Args:
        config: the run's configuration.
        folder: the run folder; a URL as a string.
        observe: called with running counts.
        model: replaces the configured model, as batch files do; it must have the same name.
        population: of the configured locale, if it is loaded already.

    Returns:
        The manifest, which says whether the run is complete.

    Raises:
        ConfigError: nothing was written, or the folder is unchanged.
        LLMError: the endpoint cannot be used, or its first answers all fail; finished shards and answers are kept.
        StoreError: the URL cannot be reached or refuses.
        InterruptedRunError: a signal stopped the run before it was complete.
    """
    resources = RunResources.load(config, population)
    with local_folder(config, folder, observe) as (place, watched):
        manifest = event_loop.run(_narration(resources, place, watched, model))
        sum_up(resources, place, manifest)
    return manifest


async def agenerate(
    config: Config, folder: Path, observe: Callable[[Tally], None] = lambda _: None
) -> Manifest:
    """Do as `generate`, for async code: the work is done in threads, and the caller's loop stays free.

    A cancellation drops the rows in flight, keeps the finished ones and leaves the run `stopped`.
    """
    resources = await asyncio.to_thread(RunResources.load, config)
    manifest = await event_loop.run_beside(_narration(resources, folder, observe, None))
    await asyncio.to_thread(sum_up, resources, folder, manifest)
    return manifest


def _narration(
    resources: RunResources, folder: Path, observe: Callable[[Tally], None], model: ChatModel | None
) -> Callable[[], Coroutine[Any, Any, Manifest]]:
    # A folder that a store has made holds hidden files alone at first.
    fresh = not folder.exists() or all(item.name[0] == "." for item in folder.iterdir())
    return partial(_generate, resources, folder, observe, model, fresh=fresh)


def sum_up(resources: RunResources, folder: Path, manifest: Manifest) -> None:
    """Write report and card of a run that was not stopped, and is no share of one."""
    if manifest.state in {"stopped", "share"}:
        return
    config = resources.config
    try:
        built = report.build_report(
            folder,
            resources.population,
            manifest,
            config.where,
            config.target | config.quota,
            resources.plugins,
        )
    except DatasetError as error:
        raise DatasetError(f"{error}; or delete it and repeat the command: it is written again") from error
    report.write(folder, built)
    card.write(folder, manifest, resources.priors, resources.table(), built, resources.described)


def preview(config: Config) -> tuple[list[Narrated], float]:
    """Narrate the configuration's rows and keep them in memory.

    Returns:
        The rows, and the seconds that all rows but the first took together (or the first, if alone): the first also
        waits for loading and probing.

    Raises:
        LLMError: the endpoint cannot be used.
    """
    resources = RunResources.load(config)
    return event_loop.run(partial(_preview, resources))


async def apreview(config: Config) -> tuple[list[Narrated], float]:
    """Do as `preview`, for async code; the caller's loop stays free."""
    resources = await asyncio.to_thread(RunResources.load, config)
    return await event_loop.run_beside(partial(_preview, resources))


async def _preview(resources: RunResources) -> tuple[list[Narrated], float]:
    config = resources.config
    results: list[Narrated] = []

    def keep(shard: Shard, narrated: Sequence[Narrated]) -> ShardInfo:
        results.extend(narrated)
        return ShardInfo(shard.start, shard.stop, len(narrated), 0)

    model = connect(config.llm, resources.grammar)
    early_stop = EarlyStop(stops=config.validation.stop_early)
    seconds = 0.0
    try:
        for shard in (Shard(0, 0, 1), Shard(1, 1, config.rows))[: config.rows]:
            pipeline = Pipeline(
                resources.sample,
                lambda _: resources.narrator(model, config, None, early_stop.hear),
                keep,
                concurrency=config.llm.concurrency,
                early_stop=early_stop,
            )
            began = time.monotonic()
            await pipeline.run((shard,), Tally(config.rows))
            seconds = time.monotonic() - began
    finally:
        await model.aclose()
    return results, seconds


async def _generate(
    resources: RunResources,
    path: Path,
    observe: Callable[[Tally], None],
    given: ChatModel | None,
    *,
    fresh: bool,
) -> Manifest:
    config = resources.config
    executor_of(config.runtime, config.runtime.workers)  # what it lacks is said before anything is written
    model = given or connect(config.llm, resources.grammar, [*resources.written])
    try:
        if fresh and given is None:
            await check_endpoint(model, config)
        manifest = Manifest.of(config, resources.digests(), model.name, notice_of(config))
        table = resources.table()
        if resources.input is not None:
            notes = resources.input.notes(config.output.schema_, table.names)
            manifest = manifest.model_copy(update={"notes": notes})
        with RunFolder.opened(path, config, manifest, table) as folder:
            if resources.input is not None:
                write_keys(folder.path, resources.input.keys(config.rows))
            # No early stop for a batch: its answers are already paid for.
            return await _narrate(resources, folder, model, observe, stoppable=given is None)
    finally:
        await model.aclose()


async def _narrate(
    resources: RunResources,
    folder: RunFolder,
    model: ChatModel,
    observe: Callable[[Tally], None],
    *,
    stoppable: bool,
) -> Manifest:
    config = resources.config
    early_stop = EarlyStop(stops=config.validation.stop_early and stoppable)
    deadline = Deadline(model)
    pending = folder.pending()
    tally = Tally(config.rows, done=config.rows - sum(shard.stop - shard.begin for shard in pending))
    workers = min(config.runtime.workers, len(pending)) if stoppable else 1
    work: Pipeline | NarrationCrew
    if workers > 1 or (pending and stoppable and config.runtime.executor != "local"):
        work = NarrationCrew(executor_of(config.runtime, workers), folder, workers, early_stop, observe)
    else:
        narration = ShardNarration(resources, folder, deadline)
        work = narration.pipeline(narrations(config.llm.concurrency), early_stop, early_stop.hear, observe)
    started, clock = _now(), time.monotonic()

    def account() -> Mapping[str, Any]:
        """What this process asked of the endpoint, and its workers."""
        own = model.account()
        return own if isinstance(work, Pipeline) else add_accounts([own, work.account()])

    def close(*, whole: bool) -> Manifest:
        seconds = time.monotonic() - clock
        return folder.close(whole=whole, started=started, finished=_now(), seconds=seconds, account=account())

    try:
        limit = deadline.running(config.runtime.deadline_s, work.stop)
        with _interruptible(work) as heard, limit:
            finished = await work.run(pending, tally)
    except BaseException:  # Ctrl-C and a cancelled task too: the manifest must not say that the run goes on
        with contextlib.suppress(OSError):  # report the error that ended the run, not its consequence
            close(whole=False)
        raise
    manifest = close(whole=finished)
    if heard and manifest.state == "stopped":
        raise InterruptedRunError(manifest)
    return manifest


@contextmanager
def _interruptible(work: Pipeline | NarrationCrew) -> Iterator[list[int]]:
    """Let rows in flight finish on the first Ctrl-C (or SIGTERM, or end of the terminal), drop them on the second.

    Yields a list that collects the numbers of the signals. Under `nohup`, the end of the terminal stays ignored.
    """
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    loop = asyncio.get_running_loop()
    presses = iter((work.stop,))

    def on_signal(number: int) -> None:
        came.append(number)
        next(presses, work.abort)()

    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if heard[signal.SIGHUP] == signal.SIG_IGN:
        del heard[signal.SIGHUP]
    for number in heard:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield came
    finally:
        for number, handler in heard.items():
            loop.remove_signal_handler(number)
            signal.signal(
                number, handler
            )  # the loop leaves the system's handler, which ends the process at once


async def check_endpoint(model: ChatModel, config: Config) -> None:
    """Ask for one tiny structured answer, so that a run on a missing endpoint leaves nothing behind.

    Raises:
        LLMError: the endpoint is not there, refuses the key or does not know the model.
    """
    if config.llm.backend != "offline":
        with contextlib.suppress(RequestError):
            await model.complete(ready_request())


def ready_request() -> ChatRequest:
    """Return a tiny request with a system message, such as a run's have."""
    return ChatRequest(
        messages=(
            {"role": "system", "content": "You answer briefly."},
            {"role": "user", "content": 'Answer with the JSON object {"ready": "yes"}.'},
        ),
        schema_name="ready",
        schema=_READY,
        temperature=0.0,
        top_p=1.0,
        max_tokens=64,
        seed=0,
    )


_READY: dict[str, Any] = {
    "type": "object",
    "properties": {"ready": {"type": "string", "enum": ["yes"]}},
    "required": ["ready"],
    "additionalProperties": False,
}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
