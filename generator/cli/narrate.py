"""Commands `personas generate` and `narrate`: texts for people who are sampled, and for people who exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import (
    AsJson,
    ConfigFile,
    Dataset,
    Overrides,
    Rows,
    Seed,
    Shards,
    Where,
    Workers,
    config_of,
)
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
    *,
    workers: Workers = None,
    shards: Shards = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset into a run folder. The same command resumes; more rows extend."""
    from census_personas.generator.sampling.quota import refuse_other_counts

    named = None if output is None else destination(output)
    settings = config_of(config, overrides, rows=rows, seed=seed, where=where, workers=workers, shards=shards)
    refuse_other_counts(settings.quota, settings.rows)
    run(settings, named or run_folder(Path("runs") / name_of(settings)), as_json=as_json)


def narrate(
    dataset: Dataset,
    config: MaybeConfig = None,
    output: RunFolder = None,
    rows: InputRows = None,
    seed: Seed = None,
    overrides: Overrides = None,
    *,
    workers: Workers = None,
    shards: Shards = None,
    as_json: AsJson = False,
) -> None:
    """Write texts for the people of a dataset, such as a Nemotron file or an earlier run.

    Uuid and context columns are kept, texts are written anew. What the dataset does not say (origin, traits,
    names that no text gives) is drawn from the population, given what it says. The same command resumes.
    """
    from census_personas.foundation.dataset_reader import count_rows
    from census_personas.generator.config.run_config import ConfigError

    named = None if output is None else destination(output, inputs=[dataset])
    rows = rows or count_rows(dataset)
    if not rows:
        raise ConfigError(f"{dataset}: has no rows; give a dataset that has some")
    settings = config_of(
        config, overrides, rows=rows, seed=seed, people=str(dataset), workers=workers, shards=shards
    )
    run(settings, named or run_folder(Path("runs") / name_of(settings), inputs=[dataset]), as_json=as_json)
