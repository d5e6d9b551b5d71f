"""Commands `personas batch …`: a run through a batch endpoint, or through batch files without one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli import batch_endpoint
from census_personas.generator.cli.batch_options import (
    Bounds,
    NewFolder,
    RunOrConfig,
    refuse_unreadable,
    run_of,
)
from census_personas.generator.cli.options import Overrides, Rows
from census_personas.generator.cli.run import headline, narrated

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.llm.batch import BatchResults

_SHOWN = 3  # ids that are named

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help=(
        "Run through a batch endpoint (submit, poll) or through batch files (export, import; vllm run-batch). A record "
        "takes two calls, and the second depends on the first: repeat submit and poll until nothing waits. Answers "
        "that fail a check are repaired in the next round."
    ),
)

app.command()(batch_endpoint.submit)
app.command()(batch_endpoint.poll)


@app.command()
def export(
    run: RunOrConfig,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.jsonl", help="File of requests, one per line.")
    ],
    folder: NewFolder = None,
    most: Annotated[
        int | None, typer.Option(min=1, help="Most requests to write; OpenAI takes 50000 per file.")
    ] = None,
    bounds: Bounds = False,
    rows: Rows = None,
    overrides: Overrides = None,
) -> None:
    """Write the next request of every unfinished row to a file."""
    from census_personas.foundation.atomic_file import whole_file
    from census_personas.foundation.user_path import output_file, output_folder
    from census_personas.generator.llm.batch import BatchRequests, dialect_of, refuse_other_lines
    from census_personas.generator.session import generate

    requests = output_file(output, (".jsonl",), inputs=[run])
    refuse_other_lines(requests)
    settings, place = run_of(run, overrides, rows)
    if folder is not None:
        output_folder(folder, inputs=[run] if run.is_file() else [])
    with whole_file(requests) as partial, partial.open("wb") as file:
        model = BatchRequests(settings.llm, file, dialect_of(settings.llm, bounded=bounds), most)
        # One row at a time, so that the same run writes the same file.
        manifest = generate(_with_concurrency(settings, 1), folder or place, model=model)
    print(f"{printable(str(output))}: {model.written} requests")
    if not model.written:
        print(f"nothing waits: {manifest.accepted} of {manifest.rows} rows are written", file=sys.stderr)


@app.command("import")
def import_(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Run folder that the requests were exported from.")
    ],
    results: Annotated[Path, typer.Argument(metavar="RESULTS.jsonl", help="File of answers.")],
    overrides: Overrides = None,
) -> None:
    """Import answers into a run: keep and check them, and write the rows that are complete."""
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.llm.batch import BatchResults

    if not run.exists():
        raise ConfigError(f"{run}: no such run folder; give the one that the requests were exported from")
    settings, folder = run_of(run, overrides, None)
    with BatchResults(settings.llm, results) as model:
        manifest = narrated(settings, folder, model)
    print(
        f"{printable(str(folder))}: {manifest.accepted} rows; {model.answered} of {model.total} answers used"
    )
    for note in model.notes:
        print(f"note: {results}: {note}", file=sys.stderr)
    _refuse_wrong(model, results, folder)
    if strange := model.strange():
        print(
            f"{_answers(strange)}: already imported, or from another run or model",
            file=sys.stderr,
        )
    if model.failed:
        print(
            f"{model.failed} requests failed and will be exported again; the first: {model.failure!r}",
            file=sys.stderr,
        )
    refuse_unreadable(model)
    if manifest.state == "stopped":
        print(f"rows wait for the next batch: personas batch export {folder} -o FILE.jsonl", file=sys.stderr)
        if not model.answered:
            raise typer.Exit(1)
    else:
        headline(manifest, folder)


def _refuse_wrong(model: BatchResults, results: Path, folder: Path) -> None:
    """End with exit code 1 if no line of the results belongs to the run."""
    if model.answered or model.failed or not model.total:
        return
    from census_personas.foundation.run_layout import RunLayout
    from census_personas.generator.narration.journal import kept_keys

    if not model.belongs(kept_keys(RunLayout(folder).journal)):
        print(
            f"personas: {results}: {_answers(model.strange())}, and none was imported before: they are from another "
            f"run or model; give the answers to the requests that were exported from {folder}",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _answers(names: list[str]) -> str:
    more = ", …" * (len(names) > _SHOWN)
    return f"{len(names)} answers match no pending request ({', '.join(names[:_SHOWN])}{more})"


def _with_concurrency(settings: Config, at_once: int) -> Config:
    llm = settings.llm.model_copy(update={"concurrency": at_once})
    return settings.model_copy(update={"llm": llm})
