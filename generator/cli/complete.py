"""Command `personas complete`: draws what is unknown about the people of a file."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
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
    from census_personas.generator.run.input_file import InputFile

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

    Columns and values are read as `narrate` reads them: what is obvious by itself, the rest as the `input` of a config
    says; `--plan` shows how. Rows that nobody can be, or that cannot be read, go to OUT.impossible with the reason.
    """
    from census_personas.foundation.dataset_writer import SUFFIXES
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.config.input_config import InputConfig
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.input.frames import carried_columns, mapped_blocks
    from census_personas.generator.population.completed_file import CompletedFile, beside
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.input_file import InputFile

    settings = _settings(config, dataset, locale, seed)
    if plan:
        raise typer.Exit(print_plan(settings, as_json=False, sets_aside=True))
    if output is None:
        raise ConfigError("-o: name the file to write the completed people to, or use --plan to look first")
    place = output_file(output, SUFFIXES, inputs=[dataset])
    population = Population.load(settings.locale)
    said = settings.input or InputConfig(file=str(dataset))
    people = InputFile(said, population, settings.seed, sets_aside=True)
    rows, carried = len(people), carried_columns(people.source, people.mapping)
    file = CompletedFile(population, people.source.columns, carried, schema, settings.seed)
    for note in people.reading_notes():
        print(f"note: {printable(note)}", file=sys.stderr)
    if carried:
        print(f"note: {_carried(carried, people)}", file=sys.stderr)
    due = Pace(_LINE_S)

    def observe(done: int) -> None:
        if done < rows and due(last=False):
            print(f"{done} of {rows} rows", file=sys.stderr, flush=True)

    blocks = mapped_blocks(people.source, people.mapping, people.stated)
    completed, impossible = file.write(blocks, place, observe)
    print(f"{printable(str(output))}: {completed} rows", file=sys.stderr)
    if impossible:
        print(
            f"{printable(str(beside(output)))}: {impossible} rows that nobody can be, or read, with reasons",
            file=sys.stderr,
        )


def _carried(names: Sequence[str], people: InputFile) -> str:
    """The columns that are carried through, each with the attribute that it may be a slip of the pen for."""
    from census_personas.generator.input.spelling import plain

    known = {plain(name): name for name in people.resolution.headers.columns}
    shown = []
    for name in names[:_NAMED]:
        near = difflib.get_close_matches(plain(name), known, n=1, cutoff=0.75)
        shown.append(printable(name) + (f" (is it {known[near[0]]}?)" if near else ""))
    more = ", …" if len(names) > _NAMED else ""
    return f"carried through, as they are no attributes: {', '.join(shown)}{more}"


def _settings(config: Path | None, dataset: Path, locale: str, seed: int) -> Config:
    overrides = [] if config is not None and locale == _LOCALE else [f"locale={locale}"]
    return config_of(config, overrides, seed=seed, people=str(dataset))
