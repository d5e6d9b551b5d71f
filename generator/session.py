"""Session: one call of `personas generate`, from a configuration to a run folder."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from persona_engine.census_priors.priors import Priors
from persona_engine.generator.config import Config, ConfigError
from persona_engine.generator.journal import Journal
from persona_engine.generator.llm.backends import connect
from persona_engine.generator.llm.chat import ChatModel, ChatRequest, LLMError, RequestError
from persona_engine.generator.manifest import Manifest
from persona_engine.generator.narration import Narrator
from persona_engine.generator.pipeline import Pipeline, Tally
from persona_engine.generator.population import Population
from persona_engine.generator.run_folder import RunFolder
from persona_engine.generator.schema import Table, table_of
from persona_engine.generator.store import Shard
from persona_engine.prompts.template import PromptSet
from persona_engine.validators.check import RecordChecker

OFFLINE_NOTICE = (
    "The texts were written by the offline narrator, a grammar without a language model. "
    "They serve first runs, dry runs, tests and baselines, and do not stand in for a model's texts."
)


@dataclass(frozen=True, slots=True)
class Rooms:
    """All that a run needs, loaded and checked before a file is written."""

    config: Config
    population: Population
    prompts: PromptSet
    checker: RecordChecker

    @classmethod
    def load(cls, config: Config) -> Rooms:
        """Load what the configuration names.

        Raises:
            ConfigError, TableError, DomainError, TemplateError, PolicyError: each names place and remedy.
        """
        population = Population.load(config.locale)
        return cls(
            config=config,
            population=population,
            prompts=PromptSet.load(config.prompts.set, config.prompts.narratives),
            checker=RecordChecker(population.priors, config.validation.policy),
        )

    @property
    def priors(self) -> Priors:
        """The priors that population, prompts and checks share."""
        return self.population.priors

    def sample(self, n: int, start: int = 0) -> pd.DataFrame:
        """Rows of the configured population."""
        where = self.config.where or None
        return self.population.sample(n, seed=self.config.seed, where=where, start=start)

    def table(self) -> Table:
        """The dataset's columns."""
        first = self.sample(1)
        integers = [name for name in first if pd.api.types.is_integer_dtype(first[name].dtype)]
        output = self.config.output
        return table_of(
            output.schema_,
            list(first.columns),
            integers=integers,
            narratives=self.config.prompts.narratives,
            lists=output.lists,
        )

    def digests(self) -> dict[str, str]:
        """Digests of the data that rows depend on beside the configuration."""
        return {"priors": self.priors.digest, "prompts": self.prompts.digest}

    @contextmanager
    def narrator(self, model: ChatModel, config: Config, journal: Path | None) -> Iterator[Narrator]:
        """A narrator, and its journal open."""
        kept = None if journal is None else Journal(journal)
        try:
            yield Narrator(model, self.prompts, self.priors, self.checker.check, config, kept)
        finally:
            if kept is not None:
                kept.close()


def notice_of(config: Config) -> str:
    """What every file of the run says about its narrator; empty when there is nothing to warn of."""
    return OFFLINE_NOTICE if config.llm.backend == "offline" else ""


def generate(config: Config, folder: Path, observe: Callable[[Tally], None] = lambda _: None) -> Manifest:
    """Narrate what the folder does not have yet, and say in the manifest how far the run is.

    Raises:
        ConfigError: nothing was written, or the folder was left as it was.
        LLMError: the endpoint cannot be used; finished shards and answers are kept.
    """
    rooms = Rooms.load(config)
    return asyncio.run(_generate(rooms, folder, observe))


async def _generate(rooms: Rooms, path: Path, observe: Callable[[Tally], None]) -> Manifest:
    config = rooms.config
    model = connect(config.llm)
    try:
        if not path.exists():
            await check_endpoint(model, config)
        manifest = Manifest.of(config, rooms.digests(), model.name, notice_of(config))
        with RunFolder.opened(path, config, manifest, rooms.table()) as folder:
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
        rooms.sample, open_narrator, folder.write, concurrency=config.llm.concurrency, observe=observe
    )
    started, clock = _now(), time.monotonic()
    finished = False
    try:
        with _interruptible(pipeline):
            finished = await pipeline.run(pending, tally)
    finally:
        manifest = folder.close(
            "complete" if finished else "stopped",
            started=started,
            finished=_now(),
            seconds=time.monotonic() - clock,
        )
    return manifest


@contextmanager
def _interruptible(pipeline: Pipeline) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) lets rows in flight finish, the second drops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    presses = iter((pipeline.stop,))

    def on_signal() -> None:
        next(presses, pipeline.abort)()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


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


__all__ = ["ConfigError", "LLMError", "Rooms", "check_endpoint", "generate", "notice_of"]
