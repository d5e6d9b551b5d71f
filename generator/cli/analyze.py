"""Command `personas analyze`: tables about the people of a dataset, printed and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from census_personas.generator.cli.options import AsJson, Dataset, Locale

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20  # rows of a printed table

By = Annotated[
    list[str] | None,
    typer.Option(
        "--by", metavar="COLUMN[,COLUMN]", help="Count people by columns, ages in bands; repeatable."
    ),
]
Find = Annotated[
    str | None,
    typer.Option(
        metavar="JSON",
        help='Only people who meet criteria, such as \'{"age": "30-39", "occupation": "*engineer*"}\'.',
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Write each table as CSV, and all as analysis.json."),
]


def analyze(
    dataset: Dataset,
    by: By = None,
    find: Find = None,
    output: Output = None,
    locale: Locale = "en_US",
    as_json: AsJson = False,
) -> None:
    """Print tables about the people: ages by occupation, degrees by region, diversity, and counts by any column."""
    from census_personas.census_priors.priors import Priors
    from census_personas.foundation.atomic_file import write_whole
    from census_personas.foundation.user_path import output_file, output_folder
    from census_personas.generator.analysis.dataset_tables import analyze_dataset
    from census_personas.generator.run.shard_store import check_parts

    criteria = _criteria(find)
    places = {}
    if output is not None:
        output_folder(output, inputs=[dataset], run=dataset)
    check_parts(dataset)
    asked = [tuple(part.strip() for part in one.split(",") if part.strip()) for one in by or ()]
    people, tables = analyze_dataset(dataset, Priors.load(locale), asked, criteria)
    everything = {"rows": len(people), "tables": {name: _plain(table) for name, table in tables.items()}}
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        written = {f"{name}.csv": table.to_csv(index=False) for name, table in tables.items()}
        if criteria:
            written["people.csv"] = people.to_csv(index=False)
        written["analysis.json"] = json.dumps(everything, indent=1, ensure_ascii=False) + "\n"
        places = {
            output_file(output / name, inputs=[dataset], run=dataset): text for name, text in written.items()
        }
        for place, text in places.items():
            write_whole(place, text)
    if as_json:
        print(json.dumps(everything))
        return
    print(f"{len(people)} people" + (" meet the criteria" if criteria else ""))
    for name, table in tables.items():
        print(f"\n{name.replace('_', ' ')}")
        print(_shown(table))


def _criteria(find: str | None) -> dict[str, Any]:
    from census_personas.generator.config.run_config import ConfigError

    if find is None:
        return {}
    try:
        criteria = json.loads(find)
    except ValueError as error:
        raise ConfigError(f'--find: {find[:80]!r} is not JSON; write \'{{"age": "30-39"}}\'') from error
    if not isinstance(criteria, dict) or not criteria:
        raise ConfigError(f'--find: {find[:80]!r} names no criterion; write \'{{"age": "30-39"}}\'')
    return criteria


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values; a missing number is null."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows


def _shown(table: pd.DataFrame) -> str:
    text = table.head(_SHOWN).to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep="")
    more = len(table) - _SHOWN
    return f"{text}\n… {more} more rows (-o writes all)" if more > 0 else text
