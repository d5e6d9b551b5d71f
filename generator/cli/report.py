"""Command `personas report`: compares a dataset with the census."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import AsJson, Dataset, MaybeLocale, PluginNames

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
