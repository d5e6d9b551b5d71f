"""Command `personas sample`: people without texts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import (
    MaybeConfigFile,
    Overrides,
    Quota,
    Rows,
    Seed,
    Stratified,
    Target,
    Where,
    config_of,
)

_BLOCK = 100_000
_FEW = ("rows=10",)  # if neither a config nor an option sets the number

Schema = Annotated[
    Literal["nemotron", "nemotron-1.1", "full"] | None,
    typer.Option(help="Columns; default: the config's, else nemotron."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="A .parquet, .csv or .jsonl file; default: JSON lines."
    ),
]


def sample(  # noqa: PLR0917  each option is one
    config: MaybeConfigFile = None,
    rows: Rows = None,
    seed: Seed = None,
    where: Where = None,
    target: Target = None,
    quota: Quota = None,
    stratified: Stratified = None,
    schema: Schema = None,
    output: Output = None,
    overrides: Overrides = None,
) -> None:
    """Sample people without texts."""
    from census_personas.foundation.dataset_writer import SUFFIXES, json_lines
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.population.population_file import PopulationFile
    from census_personas.generator.sampling.quota import refuse_other_counts

    if output is None and sys.__stdout__ is None:
        raise typer.BadParameter("standard output is closed; name a file", param_hint="--output")
    read = [config] if config else []
    place = output_file(output, SUFFIXES, inputs=read) if output is not None else None
    settings = config_of(
        config,
        [*([] if config else _FEW), *(overrides or ()), *([f"output.schema={schema}"] if schema else [])],
        rows=rows,
        seed=seed,
        where=where,
        target=target,
        quota=quota,
        stratified=stratified,
    )
    if output is not None:
        output_file(output, SUFFIXES, inputs=[*read, *settings.selection.files()])
    refuse_other_counts(settings.quota, settings.rows)
    population = PopulationFile(settings)
    for line in population.notes():
        print(line, file=sys.stderr)
    if place is None:
        for frame in population.frames(_BLOCK):
            sys.stdout.buffer.write(json_lines(frame, population.table))
    else:
        population.write(place, _BLOCK)
        print(f"{printable(str(output))}: {settings.rows} rows", file=sys.stderr)
