"""Commands `personas generate` and `narrate`: texts for sampled people, and for the people of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import (
    AsJson,
    ConfigFile,
    Dataset,
    Deadline,
    Overrides,
    Rows,
    Seed,
    Shards,
    Where,
    Workers,
    config_of,
    with_deadline,
)
from census_personas.generator.cli.plan import print_plan
from census_personas.generator.cli.run import destination, name_of, run, run_folder

MaybeConfig = Annotated[
    Path | None,
    typer.Option("-c", "--config", metavar="CONFIG", help="YAML file; defaults are used without one."),
]
InputRows = Annotated[
    int | None, typer.Option("-n", "--rows", min=1, help="Rows; default: all of the dataset.")
]
RunFolder = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", metavar="RUN", help="Run folder, or s3://BUCKET/RUN; default: runs/<name>."
    ),
]


def generate(
    config: ConfigFile,
    output: RunFolder = None,
    rows: Rows = None,
    seed: Seed = None,
    where: Where = None,
    overrides: Overrides = None,
    deadline: Deadline = None,
    *,
    workers: Workers = None,
    shards: Shards = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset into a run folder. The same command resumes a run; more rows extend it."""
    from census_personas.generator.sampling.quota import refuse_other_counts

    named = None if output is None else destination(output)
    changed = with_deadline(overrides, deadline)
    settings = config_of(config, changed, rows=rows, seed=seed, where=where, workers=workers, shards=shards)
    refuse_other_counts(settings.quota, settings.rows)
    run(settings, named or run_folder(Path("runs") / name_of(settings)), as_json=as_json)


Planned = Annotated[
    bool,
    typer.Option("--plan", help="Show how the dataset would be read and completed, and write nothing."),
]


def narrate(
    dataset: Dataset,
    config: MaybeConfig = None,
    output: RunFolder = None,
    rows: InputRows = None,
    seed: Seed = None,
    overrides: Overrides = None,
    deadline: Deadline = None,
    plan: Planned = False,
    *,
    workers: Workers = None,
    shards: Shards = None,
    as_json: AsJson = False,
) -> None:
    """Write texts for the people of a dataset, such as a survey, a Nemotron file or an earlier run.

    Keeps uuid and context columns and rewrites the texts. Draws what the dataset does not say (a job, an address, a
    name) from the population, conditional on what it says. `--plan` shows how its columns and values are read. The
    same command resumes a run.
    """
    from census_personas.generator.input.source import InputSource

    if plan:
        settings = config_of(config, overrides, rows=rows, seed=seed, people=str(dataset))
        raise typer.Exit(print_plan(settings, as_json=as_json))
    named = None if output is None else destination(output, inputs=[dataset])
    changed = with_deadline(overrides, deadline)
    settings = config_of(
        config, changed, rows=rows, seed=seed, people=str(dataset), workers=workers, shards=shards
    )
    if rows is None and settings.input is not None:
        settings = settings.model_copy(update={"rows": InputSource(settings.input).count})
    run(settings, named or run_folder(Path("runs") / name_of(settings), inputs=[dataset]), as_json=as_json)
