"""Batch rounds: run through a batch endpoint, round by round; nothing is submitted, paid for or imported twice.

A round consists of the next requests of all unfinished rows. They are written to files in the run folder; each file
is uploaded and a batch is created from it; the answers are downloaded and imported. The state in the folder is written
after each of these steps. A process that is killed before it wrote the state repeats the step, but pays once, because
the endpoint's own lists show what it has: files have a digest in their names, batches in their metadata.
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
    """The result of a round.

    Attributes:
        results: the answers and failures of the round, already closed.
        is_fruitless: whether no request was answered.
        faults: why the endpoint did not begin batches.
    """

    manifest: Manifest
    results: BatchResults
    is_fruitless: bool
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """State of the last round; `imported` if this call imported its answers."""

    round: BatchRound
    imported: Imported | None = None


def refuse_offline(config: Config, place: Path) -> None:
    """Refuse a run of the offline narrator, which has no requests; `place` names it in the error.

    Raises:
        ConfigError: `llm.backend` is `offline`.
    """
    if config.llm.backend == "offline":
        raise ConfigError(
            f"{place}: llm.backend is offline, which has no requests for a batch endpoint; set llm.backend to openai "
            "and llm.base_url to one that takes batches, or run personas generate"
        )


def submit(
    config: Config,
    folder: Path,
    *,
    most_requests: int,
    most_bytes: int,
    bounded: bool = False,
    observe: Observe = lambda _: None,
) -> BatchRound | Manifest:
    """Submit the next request of every unfinished row, or continue a round that was not fully submitted.

    Args:
        config: the run and its endpoint.
        folder: the run folder, which may be new.
        most_requests: most requests per file.
        most_bytes: most bytes per file.
        bounded: whether schemas keep their bounds on lengths.
        observe: called with running counts.

    Returns:
        The round, or the run's manifest if no row waits.

    Raises:
        ConfigError: the run has the offline narrator; the previous round is not over, or was submitted to another
            endpoint; or as for `generate`.
        LLMError: the endpoint takes no batches, refuses the key, or failed; the same call continues.
    """
    refuse_offline(config, folder)
    with batch_locked(folder):
        state = BatchState.read(folder)
        # Under the lock, so that no batch is created after this look-up.
        known = event_loop.run(partial(_known, config))
        if state.open_round is None:
            files = RequestFiles(
                lambda i: RunLayout(folder).batch_file(len(state.rounds) + 1, "ask", i),
                most_requests,
                most_bytes,
            )
            with files:
                model = BatchRequests(config.llm, files, dialect_of(config.llm, bounded=bounded))
                # One row at a time, so that the same run writes the same files.
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
    """Look up the round's batches, download those that are over, and import all answers when the last one is.

    Args:
        config: the run and its endpoint.
        folder: the run folder.
        gives_up: whether a batch that the endpoint no longer knows counts as lost, so that its requests are repeated.
        observe: called with running counts.

    Raises:
        ConfigError: the run has the offline narrator; nothing was submitted, or it was submitted to another endpoint.
        LLMError: the endpoint failed, or does not know a batch; the same call continues.
    """
    refuse_offline(config, folder)
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
    """What the endpoint already has: batches, and files of requests by name."""

    endpoint: str
    batches: Sequence[Batch]
    files: Mapping[str, str]

    def batch(self, sha256: str, taken: set[str]) -> Batch | None:
        """Return an unrecorded batch of this input, preferring one that may have answers."""
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
    """Create a batch for every part of the last round that has none."""
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
            f"{path}: is missing or was changed; move {RunLayout(folder).batch_state} away and repeat the "
            "command: the requests are written again, and batches that the endpoint has are recognized"
        )
    return await client.upload(path, part.sha256)


async def _fetch(config: Config, folder: Path, state: BatchState, *, gives_up: bool) -> BatchState:
    """Look up every batch that is not downloaded, and download those that are over."""
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
                        hint="check llm.base_url and the key's project; if the batch is lost, --give-up submits and "
                        "pays for its requests again",
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
    """Import all answers of a round into the run, except those that it already has."""
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
