"""Command `personas complete`: people of a file, with what is not known of them drawn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import Dataset, Locale
from census_personas.generator.cli.progress import Pace

_LINE_S = 10.0
_NAMED = 8

Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="A .parquet, .csv or .jsonl file.")
]
Schema = Annotated[
    Literal["nemotron", "nemotron-1.1", "full"],
    typer.Option(help="Columns of people; those of the file are kept beside them. Full says what was drawn."),
]


def complete(
    dataset: Dataset,
    output: Output,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    locale: Locale = "en_US",
    schema: Schema = "full",
) -> None:
    """Complete people: what a file does not say of them is drawn, given what it says."""
    from census_personas.foundation.dataset_reader import columns_of, count_rows
    from census_personas.foundation.dataset_writer import SUFFIXES
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.population.completed_file import CompletedFile, beside, frames_of
    from census_personas.generator.population.population import Population

    place = output_file(output, SUFFIXES, inputs=[dataset])
    columns = columns_of(dataset)
    rows = count_rows(dataset)
    file = CompletedFile(Population.load(locale), columns, schema, seed)
    if file.carried:
        named = ", ".join(map(printable, file.carried[:_NAMED]))
        more = ", …" if len(file.carried) > _NAMED else ""
        print(f"note: carried through, as they are no attributes of {locale}: {named}{more}", file=sys.stderr)
    due = Pace(_LINE_S)

    def observe(done: int) -> None:
        if done < rows and due(last=False):
            print(f"{done} of {rows} rows", file=sys.stderr, flush=True)

    completed, impossible = file.write(frames_of(dataset), place, observe)
    print(f"{printable(str(output))}: {completed} rows", file=sys.stderr)
    if impossible:
        print(
            f"{printable(str(beside(output)))}: {impossible} rows that nobody can be, with reasons",
            file=sys.stderr,
        )
