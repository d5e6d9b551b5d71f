"""Command `personas narrate`: texts for people who exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from persona_engine.generator.cli.options import AsJson, Dataset, Overrides, Rows, Seed, config_of

Config = Annotated[
    Path | None,
    typer.Option("-c", "--config", metavar="CONFIG", help="YAML file; defaults are used without one."),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Run folder; default: runs/<name>.")]


def narrate(
    dataset: Dataset,
    config: Config = None,
    output: Output = None,
    rows: Rows = None,
    seed: Seed = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Write texts for the people of a dataset, such as a Nemotron file or an earlier run.

    Uuid and context columns are kept, texts are written anew. What the dataset does not say (ethnicity, traits,
    names that no text gives) is drawn from the population, given what it says. The same command resumes.
    """
    from persona_engine.generator.cli.run import run
    from persona_engine.generator.config import ConfigError
    from persona_engine.generator.dataset_file import count_rows

    rows = rows or count_rows(dataset)
    if not rows:
        raise ConfigError(f"{dataset}: has no rows; give a dataset that has some")
    settings = config_of(config, overrides, rows=rows, seed=seed, people=str(dataset))
    run(settings, output or Path("runs") / settings.name, as_json=as_json)
