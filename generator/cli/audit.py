"""Command `personas audit`: a dataset's declared independences against the joints of the census."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import AsJson, Dataset, Locale

Independent = Annotated[
    list[str] | None,
    typer.Option(
        "--independent",
        metavar="'ONE, OTHER | GIVEN'",
        help="What the dataset's documentation treats as independent; repeatable.",
    ),
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE.csv", help="Write the table as CSV.")
]


def audit(
    dataset: Dataset,
    independent: Independent = None,
    output: Output = None,
    locale: Locale = "en_US",
    as_json: AsJson = False,
) -> None:
    """Audit a dataset where its own documentation says that attributes were treated as independent.

    For each: how far its joint is from the census's, and how far the assumption alone puts it.
    """
    import pandas as pd

    from census_personas.foundation.atomic_file import write_whole
    from census_personas.foundation.dataset_reader import columns_of, read_frames
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.analysis.independence_audit import Declared, audit_independences
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.shard_store import check_parts

    if not independent:
        raise ConfigError(
            "--independent: name what the dataset declares independent, such as 'occupation, marital_status | sex'; "
            "`personas validate DATASET --report DIR` tests the independences of the locale's own model"
        )
    declared = [Declared.read(text) for text in independent]
    place = None if output is None else output_file(output, (".csv",), inputs=[dataset])
    check_parts(dataset)
    population = Population.load(locale)
    known = columns_of(dataset)
    columns = [name for name in known if name in population.priors.domain]
    people = pd.concat(list(read_frames(dataset, columns or known)), ignore_index=True)
    table = audit_independences(people, declared, locale=population)
    if place is not None:
        write_whole(place, table.to_csv(index=False))
    if as_json:
        print(json.dumps(json.loads(table.to_json(orient="records"))))
        return
    print(table.drop(columns="p").to_string(index=False, float_format=lambda value: f"{value:.4f}"))
