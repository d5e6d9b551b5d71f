"""Batch rounds: a run that a batch endpoint answers, round by round; nothing is submitted, paid or taken twice.

A round is what all unfinished rows have to ask at one time. Its requests are written to the run's folder first; then
each file is uploaded and a batch is made of it; what comes back is fetched and taken into the run. The state in the
folder is written after each of these steps. A process that is killed between a step and its note does the step again,
which the endpoint's own lists prevent from being paid twice: a file is recognized by the digest in its name, a batch
by the digest in its metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from census_personas.foundation import event_loop
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.llm.batch import BatchRequests, BatchResults, dialect_of
from census_personas.generator.llm.batch_client import (
    DIGEST_KEY,
    ENDED,
    Batch,
    BatchClient,
    BatchError,
    file_name,
)
from census_personas.generator.llm.batch_requests import RequestFiles
from census_personas.generator.llm.chat import NotFoundError
from census_personas.generator.narration.journal import kept_keys
from census_personas.generator.run.batch_state import BatchPart, BatchRound, BatchState, batch_locked
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.session import generate

_WITHOUT_ANSWERS = frozenset({"failed", "expired", "cancelled"})
Observe = Callable[[Tally], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a round came to.

    Attributes:
        results: the answers and failures that came back, already closed.
        is_fruitless: whether not one request was answered.
        faults: why batches began none of their requests.
    """

    manifest: Manifest
    results: BatchResults
    is_fruitless: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the last round is; `imported` when this call took its answers into the run."""

    round: BatchRound
    imported: Imported | None = None


def submit(
    config: Config,
    folder: Path,
    *,
    most_requests: int,
    most_bytes: int,
    bounded: bool = False,
    observe: Observe = lambda _: None,
) -> BatchRound | Manifest:
    """Submit what every unfinished row has to ask next, or go on with a round that was not submitted whole.

    Args:
        config: what the run is, and where its endpoint is.
        folder: of the run, which may be a new one.
        most_requests: of a file.
        most_bytes: of a file.
        bounded: whether schemas keep their bounds on lengths.
        observe: called with running counts.

    Returns:
        The round, or the run's manifest where no row waits.

    Raises:
        ConfigError: the round before is not over, or was submitted to another endpoint; or as `generate` says.
        LLMError: the endpoint takes no batches, refuses the key, or failed; the same call goes on.
    """
    with batch_locked(folder):
        state = BatchState.read(folder)
        # Under the lock, so that no batch is made after the look.
        known = event_loop.run(partial(_known, config))
        if state.open_round is None:
            files = RequestFiles(
                lambda i: RunLayout(folder).batch_file(len(state.rounds) + 1, "ask", i),
                most_requests,
                most_bytes,
            )
            with files:
                model = BatchRequests(config.llm, files, dialect_of(config.llm, bounded=bounded))
                # One row after the other, so that the same run writes the same files.
                slow = config.model_copy(update={"llm": config.llm.model_copy(update={"concurrency": 1})})
                manifest = generate(slow, folder, observe, model=model)
            if not files.written:
                return manifest
            parts = tuple(BatchPart(requests=f.requests, size=f.size, sha256=f.sha256) for f in files.written)
            state = state.begun(parts, known.endpoint)
            state.write(folder)
        elif state.rounds[-1].is_submitted:
            raise ConfigError(
                f"{folder}: round {state.rounds[-1].number} is with the endpoint; "
                f"personas batch poll {folder} fetches what came back"
            )
        _refuse_other_endpoint(state, known.endpoint, folder)
        return event_loop.run(partial(_submit, config, folder, state, known))


def poll(
    config: Config, folder: Path, *, gives_up: bool = False, observe: Observe = lambda _: None
) -> Progress:
    """Ask how far the round's batches are; fetch those that are over, and take all answers when none is left.

    Args:
        config: what the run is, and where its endpoint is.
        folder: of the run.
        gives_up: whether a batch that the endpoint no longer knows counts as lost, and its requests are asked again.
        observe: called with running counts.

    Raises:
        ConfigError: nothing was submitted, or to another endpoint.
        LLMError: the endpoint failed, or does not know a batch; the same call goes on.
    """
    with batch_locked(folder):
        state = BatchState.read(folder)
        if not state.rounds:
            raise ConfigError(f"{folder}: nothing was submitted; personas batch submit {folder} does")
        if state.open_round is None:
            return Progress(state.rounds[-1])
        state = event_loop.run(partial(_fetch, config, folder, state, gives_up=gives_up))
        if not all(part.fetched for part in state.rounds[-1].parts):
            return Progress(state.rounds[-1])
        imported = _import(config, folder, state.rounds[-1], observe)
        for index, part in enumerate(state.rounds[-1].parts):
            state = state.with_part(index, part.changed(imported=True))
        state.write(folder)
        return Progress(state.rounds[-1], imported)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the endpoint has already: batches, and files of requests by their names."""

    endpoint: str
    batches: Sequence[Batch]
    files: Mapping[str, str]

    def batch(self, sha256: str, taken: set[str]) -> Batch | None:
        """A batch of this input that nobody took note of; one that may have answers before one that has none."""
        ours = [batch for batch in self.batches if batch.sha256 == sha256 and batch.id not in taken]
        return min(ours, key=lambda batch: batch.status in _WITHOUT_ANSWERS, default=None)


async def _known(config: Config) -> _Known:
    async with BatchClient(config.llm) as client:
        return _Known(_endpoint(client), await client.batches(), await client.uploaded())


def _endpoint(client: BatchClient) -> str:
    return client.address.shown.partition(" ")[0]


def _refuse_other_endpoint(state: BatchState, endpoint: str, folder: Path) -> None:
    if state.endpoint != endpoint:
        raise ConfigError(
            f"{folder}: round {len(state.rounds)} is with {state.endpoint}, and llm.base_url names {endpoint}; "
            f"set llm.base_url={state.endpoint} until the round is over"
        )


async def _submit(config: Config, folder: Path, state: BatchState, known: _Known) -> BatchRound:
    """Have a batch for every part of the last round that has none."""
    async with BatchClient(config.llm) as client:
        for index, begun in enumerate(state.rounds[-1].parts):
            part = begun
            if part.batch_id:
                continue
            batch = known.batch(part.sha256, state.batch_ids())
            if batch is None:
                if not part.file_id:
                    part = part.changed(file_id=await _upload(client, folder, state, index, known))
                    state = state.with_part(index, part)
                    state.write(folder)
                about = {
                    DIGEST_KEY: part.sha256,
                    "personas_round": str(len(state.rounds)),
                    "personas_part": f"{index + 1} of {len(state.rounds[-1].parts)}",
                }
                batch = await client.create(part.file_id, about)
            state = state.with_part(index, part.changed(batch_id=batch.id, status=batch.status))
            state.write(folder)
    return state.rounds[-1]


async def _upload(client: BatchClient, folder: Path, state: BatchState, index: int, known: _Known) -> str:
    part = state.rounds[-1].parts[index]
    if uploaded := known.files.get(file_name(part.sha256)):
        return uploaded
    path = RunLayout(folder).batch_file(len(state.rounds), "ask", index)
    try:
        with path.open("rb") as file:
            is_whole = hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except FileNotFoundError:
        is_whole = False
    if not is_whole:
        raise ConfigError(
            f"{path}: is missing or not as it was written; move {RunLayout(folder).batch_state} away and repeat the "
            "command: the requests are written again, and batches that the endpoint has are recognized"
        )
    return await client.upload(path, part.sha256)


async def _fetch(config: Config, folder: Path, state: BatchState, *, gives_up: bool) -> BatchState:
    """Ask for the state of every batch that is not fetched, and fetch those that are over."""
    async with BatchClient(config.llm) as client:
        _refuse_other_endpoint(state, _endpoint(client), folder)
        for index, part in enumerate(state.rounds[-1].parts):
            if part.fetched or not part.batch_id:
                continue
            try:
                part = await _fetch_part(client, folder, state, index)  # noqa: PLW2901  the same part, later
            except NotFoundError as error:
                if not gives_up:
                    raise BatchError(
                        f"batch {part.batch_id}, or a file of it, is not there: {error}",
                        hint="check llm.base_url and the key's project; where it is gone for good, --give-up has its "
                        "requests submitted, and paid for, again",
                    ) from error
                part = part.changed(status="lost", fetched=True)  # noqa: PLW2901
            state = state.with_part(index, part)
            state.write(folder)
    return state


async def _fetch_part(client: BatchClient, folder: Path, state: BatchState, index: int) -> BatchPart:
    part, layout, number = state.rounds[-1].parts[index], RunLayout(folder), len(state.rounds)
    batch = await client.batch(part.batch_id)
    part = part.changed(
        status=batch.status, completed=batch.completed, failed=batch.failed, faults=batch.faults
    )
    if batch.status not in ENDED:
        return part
    if batch.output_file:
        await client.download(batch.output_file, layout.batch_file(number, "answers", index))
    if batch.error_file:
        await client.download(batch.error_file, layout.batch_file(number, "errors", index))
    return part.changed(fetched=True, answers=bool(batch.output_file), errors=bool(batch.error_file))


def _import(config: Config, folder: Path, done: BatchRound, observe: Observe) -> Imported:
    """Take all that came back into the run: answers that it has already are passed over."""
    layout = RunLayout(folder)
    files = [
        layout.batch_file(done.number, kind, index)
        for index, part in enumerate(done.parts)
        for kind, is_there in (("answers", part.answers), ("errors", part.errors))
        if is_there
    ]
    with BatchResults(config.llm, *files) as results:
        manifest = generate(config, folder, observe, model=results)
    is_fruitless = not results.answered and not results.belongs(kept_keys(layout.journal))
    faults = tuple(dict.fromkeys(fault for part in done.parts for fault in part.faults))
    return Imported(manifest, results, is_fruitless, faults)
