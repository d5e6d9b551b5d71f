"""Commands `personas batch submit` and `poll`: a run whose requests a batch endpoint answers."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.batch_options import (
    Bounds,
    NewFolder,
    RunOrConfig,
    refuse_unreadable,
    run_of,
)
from census_personas.generator.cli.options import Overrides, Rows
from census_personas.generator.cli.run import headline

if TYPE_CHECKING:
    from census_personas.generator.batch_rounds import Imported, Progress
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.run.batch_state import BatchRound
    from census_personas.generator.run.manifest import Manifest

Interval = Annotated[
    float, typer.Option(min=0.1, max=86_400, metavar="SECONDS", help="Time between two polls of the batches.")
]


def submit(  # noqa: PLR0917  each option is one
    run: RunOrConfig,
    folder: NewFolder = None,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="Most requests per file; OpenAI takes 50000.")
    ] = 50_000,
    most_mb: Annotated[
        float,
        typer.Option("--most-mb", min=0.001, help="Most megabytes per file; OpenAI takes 200."),
    ] = 200,
    bounds: Bounds = False,
    loop: Annotated[
        bool, typer.Option("--loop", help="Wait for the answers and submit further rounds until all is done.")
    ] = False,
    interval: Interval = 60,
    rows: Rows = None,
    overrides: Overrides = None,
) -> None:
    """Submit the next request of every unfinished row as batches. The same command continues after a stop.

    Includes requests that failed or expired in an earlier round. Requests that are at the endpoint are not sent twice.
    """
    from census_personas.foundation.user_path import output_folder
    from census_personas.generator import batch_rounds
    from census_personas.generator.run.manifest import Manifest

    settings, place = run_of(run, overrides, rows)
    batch_rounds.refuse_offline(settings, run)
    if folder is not None:
        output_folder(folder, inputs=[run] if run.is_file() else [])
    place = folder or place
    while True:
        if not (loop and _is_waiting(place)):
            submitted = batch_rounds.submit(
                settings, place, most_requests=most, most_bytes=int(most_mb * 10**6), bounded=bounds
            )
            if isinstance(submitted, Manifest):
                print(f"{place}: nothing waits: {submitted.accepted} of {submitted.rows} rows are written")
                return _end(submitted, place)
            print(f"{_headed(place, submitted)} submitted")
        if not loop:
            return _next(f"personas batch poll {place} --wait")
        imported = _waited(settings, place, interval, gives_up=False)
        if imported is None or _report_round(imported, place):
            return None


def poll(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder whose requests were submitted.")],
    wait: Annotated[bool, typer.Option("--wait", help="Poll until the round is over.")] = False,
    interval: Interval = 60,
    give_up: Annotated[
        bool,
        typer.Option(
            "--give-up", help="Count batches that the endpoint no longer has as lost, and ask again."
        ),
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Show the state of the batches; when all are over, import their answers and name the next command."""
    from census_personas.generator import batch_rounds
    from census_personas.generator.config.run_config import ConfigError

    if not run.is_dir():
        raise ConfigError(f"{run}: no such run folder; give the one whose requests were submitted")
    settings, folder = run_of(run, overrides, None)
    if wait:
        imported = _waited(settings, folder, interval, gives_up=give_up)
    else:
        progress = batch_rounds.poll(settings, folder, gives_up=give_up)
        _show(progress, folder)
        imported = progress.imported
    if imported is not None and not _report_round(imported, folder):
        _next(f"personas batch submit {folder}")


def _is_waiting(folder: Path) -> bool:
    """Return whether a complete round is at the endpoint."""
    from census_personas.generator.run.batch_state import BatchState

    begun = BatchState.read(folder).open_round
    return begun is not None and begun.is_submitted


def _waited(settings: Config, folder: Path, interval: float, *, gives_up: bool) -> Imported | None:
    """Wait until the round is over and return its results; None if there is none, or it is not fully submitted.

    Tolerates an endpoint that cannot be reached for up to `llm.patience_s`.
    """
    from census_personas.generator import batch_rounds
    from census_personas.generator.llm.chat import LLMError, TransientError, UnreachableError

    heard, shown = time.monotonic(), ""
    while True:
        try:
            progress = batch_rounds.poll(settings, folder, gives_up=gives_up)
            heard = time.monotonic()
        except LLMError as error:
            passes = isinstance(error, TransientError) or isinstance(error.__cause__, UnreachableError)
            if not passes or time.monotonic() - heard > max(settings.llm.patience_s, interval):
                raise
            print(f"waiting: {error}", file=sys.stderr)
        else:
            if progress.round.is_over or not progress.round.is_submitted:
                _show(progress, folder)
                return progress.imported
            if (said := _said(progress, folder)) != shown:
                print(said)
                shown = said
        time.sleep(interval)


def _show(progress: Progress, folder: Path) -> None:
    """Print the state of the round and the next command."""
    print(_said(progress, folder))
    if progress.imported is not None:
        return
    if not progress.round.is_submitted:
        _next(f"personas batch submit {folder}  # some files are not submitted yet")
    elif progress.round.is_over:
        _next(f"personas batch submit {folder}  # nothing is at the endpoint")
    else:
        _next(f"personas batch poll {folder} --wait")


def _said(progress: Progress, folder: Path) -> str:
    parts = progress.round.parts
    counts: dict[str, int] = {}
    for part in parts:
        status = part.status or "not submitted"
        counts[status] = counts.get(status, 0) + 1
    states = ", ".join(f"{count} {status}" for status, count in counts.items())
    done, failed = sum(part.completed for part in parts), sum(part.failed for part in parts)
    return f"{_headed(folder, progress.round)}: {states}; {done} answered, {failed} failed"


def _headed(folder: Path, batch_round: BatchRound) -> str:
    requests = sum(part.requests for part in batch_round.parts)
    asked = "1 request" if requests == 1 else f"{requests} requests"
    batches = "1 batch" if len(batch_round.parts) == 1 else f"{len(batch_round.parts)} batches"
    return f"{printable(str(folder))}: round {batch_round.number}, {asked} in {batches}"


def _next(command: str) -> None:
    print(f"next: {command}", file=sys.stderr)


def _report_round(imported: Imported, folder: Path) -> bool:
    """Print the result of a round; return whether the run is over.

    Raises:
        Exit: with code 1, if no request was answered or rows are missing.
    """
    manifest, model = imported.manifest, imported.results
    print(f"{printable(str(folder))}: {manifest.accepted} rows; {model.answered} answers taken")
    if model.failed:
        print(
            f"{model.failed} requests failed and will be submitted again; the first: {model.failure!r}",
            file=sys.stderr,
        )
    for fault in imported.faults:
        print(f"a batch was not begun: {fault}", file=sys.stderr)
    refuse_unreadable(model)
    if imported.is_fruitless:
        said = "; ".join(imported.faults) or model.failure or "batches ended without answers"
        print(
            f"personas: no request was answered ({said}); check llm.model and the account's quota, then "
            f"personas batch submit {folder} sends them again",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    if manifest.state == "stopped":
        return False
    _end(manifest, folder)
    return True


def _end(manifest: Manifest, folder: Path) -> None:
    """Print the headline of a finished run, and how to try rejected rows again."""
    try:
        headline(manifest, folder)
    except typer.Exit:
        _next(f"personas batch submit {folder}  # tries rejected rows again")
        raise
