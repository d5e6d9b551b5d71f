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
    float, typer.Option(min=0.1, max=86_400, metavar="SECONDS", help="Between two looks at the batches.")
]


def submit(  # noqa: PLR0917  each option is one
    run: RunOrConfig,
    folder: NewFolder = None,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="Requests of a file; OpenAI takes no more than 50000.")
    ] = 50_000,
    most_mb: Annotated[
        float,
        typer.Option("--most-mb", min=0.001, help="Megabytes of a file; OpenAI takes no more than 200."),
    ] = 200,
    bounds: Bounds = False,
    loop: Annotated[
        bool, typer.Option("--loop", help="Wait for the answers and submit further rounds until all is done.")
    ] = False,
    interval: Interval = 60,
    rows: Rows = None,
    overrides: Overrides = None,
) -> None:
    """Send what every unfinished row has to ask next to the endpoint's batches. The same command goes on.

    Requests that failed or expired in an earlier round are among them. Nothing that is with the endpoint is sent twice.
    """
    from census_personas.foundation.user_path import output_folder
    from census_personas.generator import batch_rounds
    from census_personas.generator.run.manifest import Manifest

    settings, place = run_of(run, overrides, rows)
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
        if imported is None or _told(imported, place):
            return None


def poll(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder that was submitted.")],
    wait: Annotated[bool, typer.Option("--wait", help="Ask again until the round is over.")] = False,
    interval: Interval = 60,
    give_up: Annotated[
        bool,
        typer.Option("--give-up", help="Batches that the endpoint no longer has are lost: ask them again."),
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Ask how far the batches are; when all are over, take their answers into the run and say what is next."""
    from census_personas.generator import batch_rounds
    from census_personas.generator.config.run_config import ConfigError

    if not run.is_dir():
        raise ConfigError(f"{run}: no run folder there; give the one that was submitted")
    settings, folder = run_of(run, overrides, None)
    if wait:
        imported = _waited(settings, folder, interval, gives_up=give_up)
    else:
        progress = batch_rounds.poll(settings, folder, gives_up=give_up)
        _show(progress, folder)
        imported = progress.imported
    if imported is not None and not _told(imported, folder):
        _next(f"personas batch submit {folder}")


def _is_waiting(folder: Path) -> bool:
    """Whether a round is with the endpoint, whole."""
    from census_personas.generator.run.batch_state import BatchState

    begun = BatchState.read(folder).open_round
    return begun is not None and begun.is_submitted


def _waited(settings: Config, folder: Path, interval: float, *, gives_up: bool) -> Imported | None:
    """What the round came to when it is over; None where there was none, or it is not submitted whole.

    An endpoint that cannot be reached for a while is put up with, as long as `llm.patience_s` says.
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
    """How far the round is, and what to do about it."""
    print(_said(progress, folder))
    if progress.imported is not None:
        return
    if not progress.round.is_submitted:
        _next(f"personas batch submit {folder}  # not every file is submitted")
    elif progress.round.is_over:
        _next(f"personas batch submit {folder}  # nothing is with the endpoint")
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


def _headed(folder: Path, of: BatchRound) -> str:
    requests = sum(part.requests for part in of.parts)
    asked = "1 request" if requests == 1 else f"{requests} requests"
    batches = "1 batch" if len(of.parts) == 1 else f"{len(of.parts)} batches"
    return f"{printable(str(folder))}: round {of.number}, {asked} in {batches}"


def _next(command: str) -> None:
    print(f"next: {command}", file=sys.stderr)


def _told(imported: Imported, folder: Path) -> bool:
    """Say what a round came to; whether the run is over.

    Raises:
        Exit: with code 1, where no request was answered or the run is short of rows.
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
            f"personas: not one request was answered ({said}); see to it (llm.model, the account's quota), then "
            f"personas batch submit {folder} sends them again",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    if manifest.state == "stopped":
        return False
    _end(manifest, folder)
    return True


def _end(manifest: Manifest, folder: Path) -> None:
    """The headline of a run that waits for nothing, and how rejected rows are tried again."""
    try:
        headline(manifest, folder)
    except typer.Exit:
        _next(f"personas batch submit {folder}  # tries rejected rows again")
        raise
