"""Commands `personas report` and `compare`: compare a dataset with the census, and with another dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import AsJson, Dataset, Locale, MaybeLocale, PluginNames

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Folder; default: the run's, or the file's own."),
]
People = Annotated[
    int | None,
    typer.Option(
        "--counterfactual",
        metavar="N",
        min=1,
        help="Also narrate N of the run's people with one fact swapped (counterfactual test).",
    ),
]
Swap = Annotated[
    list[str] | None,
    typer.Option(metavar="FACT", help="With --counterfactual: sex, origin, age or name; default: all."),
]


def report(
    dataset: Dataset,
    output: Output = None,
    locale: MaybeLocale = None,
    people: People = None,
    swap: Swap = None,
    plugins: PluginNames = None,
    as_json: AsJson = False,
) -> None:
    """Write report.html and report.json, which compare the dataset with the census.

    --counterfactual asks the run's own model for 1 + (number of facts) further narrations per person.
    """
    if swap and not people:
        raise typer.BadParameter("needs --counterfactual N, the number of people", param_hint="--swap")
    from census_personas.foundation.plugins import Plugins
    from census_personas.foundation.run_layout import RunLayout
    from census_personas.foundation.user_path import output_folder
    from census_personas.generator.config.config_file import load
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.population.population import Population
    from census_personas.generator.report import counterfactual
    from census_personas.generator.report import run_report as reporting
    from census_personas.generator.run.manifest import Manifest
    from census_personas.generator.run.shard_store import check_parts

    extra = Plugins.load(plugins or ())
    folder = output or (dataset if dataset.is_dir() else dataset.parent)
    output_folder(folder, run=dataset)
    reporting.try_out(folder)
    check_parts(dataset)
    if people:
        counterfactual.of_run(dataset, people, swap or counterfactual.FACTS, extra)
    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    settings = load(RunLayout(dataset).config) if manifest else Config()
    population = Population.load(locale or settings.locale)
    built = reporting.build_report(
        dataset, population, manifest, settings.where, settings.target | settings.quota, extra
    )
    _, page = reporting.write(folder, built)
    print(json.dumps(built.model_dump(mode="json")) if as_json else page)


def compare(
    one: Annotated[Path, typer.Argument(metavar="ONE", help="A .parquet, .csv or .jsonl file, or a run.")],
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Another dataset.")],
    locale: Locale = "en_US",
    as_json: AsJson = False,
) -> None:
    """Compare two datasets: the distance of each table that both have, beside the distance that chance causes."""
    import numpy as np

    from census_personas.census_priors.priors import Priors
    from census_personas.generator.report import comparison
    from census_personas.generator.run.shard_store import check_parts

    for dataset in (one, other):
        check_parts(dataset)
    result = comparison.compare(one, other, np.random.default_rng(0), Priors.load(locale).roles)
    if as_json:
        print(json.dumps(result.as_dict()))
        return
    agreeing = sum(table.passes for table in result.tables)
    print(f"{result.rows[0]} and {result.rows[1]} rows; {agreeing} of {len(result.tables)} tables agree")
    print("total variation distance (0 equal, 1 disjoint), its value by chance alone, and its limit")
    for table in result.tables:
        verdict = "agrees " if table.passes else "differs"
        print(f"  {table.tvd:.4f}  {table.floor:.4f}  {table.limit:.4f}  {verdict}  {table.name}")
