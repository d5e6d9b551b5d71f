"""Command `personas complete`: draws what is unknown about the people of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.narrate import MaybeConfig, Planned
from census_personas.generator.cli.options import Dataset, Locale, config_of
from census_personas.generator.cli.plan import print_plan
from census_personas.generator.cli.progress import Pace

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config

_LOCALE = "en_US"  # unless a config names another
_LINE_S = 10.0
_NAMED = 8

Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="A .parquet, .csv or .jsonl file.")
]
Schema = Annotated[
    Literal["nemotron", "nemotron-1.1", "full"],
    typer.Option(
        help="Columns of people; other columns of the file are kept. The full schema marks what was drawn."
    ),
]


def complete(
    dataset: Dataset,
    output: Output = None,
    config: MaybeConfig = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    locale: Locale = _LOCALE,
    schema: Schema = "full",
    plan: Planned = False,
) -> None:
    """Complete people: draw what a file does not say about them, conditional on what it says.

    Columns and values are the locale's own, or mapped by the `input` section of a config; `--plan` shows one.
    """
    from census_personas.foundation.dataset_reader import columns_of, count_rows
    from census_personas.foundation.dataset_writer import SUFFIXES
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.config.input_config import InputConfig
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.input.frames import frame_columns, mapped_frames
    from census_personas.generator.population.completed_file import CompletedFile, beside, frames_of
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.input_file import InputFile

    if plan:
        raise typer.Exit(print_plan(_settings(config, dataset, locale, seed), as_json=False))
    if output is None:
        raise ConfigError("-o: name the file to write the completed people to, or use --plan to look first")
    place = output_file(output, SUFFIXES, inputs=[dataset])
    settings = _settings(config, dataset, locale, seed)
    population = Population.load(settings.locale)
    if config is None:
        columns, rows, frames = columns_of(dataset), count_rows(dataset), frames_of(dataset)
    else:
        said = settings.input or InputConfig(file=str(dataset))
        people = InputFile(said, population, seed)
        columns, rows = frame_columns(people.source, people.mapping), len(people)
        frames = mapped_frames(people.source, people.mapping)
    file = CompletedFile(population, columns, schema, seed)
    if file.carried:
        named = ", ".join(map(printable, file.carried[:_NAMED]))
        more = ", …" if len(file.carried) > _NAMED else ""
        print(f"note: copied, as they are not attributes of {locale}: {named}{more}", file=sys.stderr)
    due = Pace(_LINE_S)

    def observe(done: int) -> None:
        if done < rows and due(last=False):
            print(f"{done} of {rows} rows", file=sys.stderr, flush=True)

    completed, impossible = file.write(frames, place, observe)
    print(f"{printable(str(output))}: {completed} rows", file=sys.stderr)
    if impossible:
        print(
            f"{printable(str(beside(output)))}: {impossible} impossible rows, with reasons",
            file=sys.stderr,
        )


def _settings(config: Path | None, dataset: Path, locale: str, seed: int) -> Config:
    overrides = [] if config is not None and locale == _LOCALE else [f"locale={locale}"]
    return config_of(config, overrides, seed=seed, people=str(dataset))
