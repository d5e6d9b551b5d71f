"""Commands over datasets that exist: validate, report, compare."""

from __future__ import annotations

import json
import sys
from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer

from persona_engine.generator.cli.options import AsJson, Dataset, Locale

_COMPARED = (
    "sex",
    "age",
    "ethnicity",
    "marital_status",
    "education_level",
    "bachelors_field",
    "labor_force_status",
    "occupation",
    "state",
)


def validate(
    dataset: Dataset,
    locale: Locale = "en_US",
    findings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every finding, as .parquet or .jsonl.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE.html", help="Write findings and dataset measures as HTML and JSON."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows at most.")] = None,
    policy: Annotated[
        list[str] | None, typer.Option(metavar="RULE=ACTION", help="repair, reject, flag or off; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every row against the record rules; exit 1 when a row has an error."""
    from persona_engine.census_priors.priors import Priors
    from persona_engine.generator.report import validation_report
    from persona_engine.generator.run.manifest import Manifest
    from persona_engine.generator.run.store import StoreError, dataset_files
    from persona_engine.validators.check import SAMPLED
    from persona_engine.validators.file import validate_files

    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    actions = {**(SAMPLED if manifest else {}), **dict(item.partition("=")[::2] for item in policy or ())}
    page = None if report is None else validation_report.page_of(report)
    if page is not None and findings is None:
        findings = page.with_name("findings.parquet")
    files, priors = dataset_files(dataset), Priors.load(locale)
    result = validate_files(files, priors, policy=actions, findings=findings, limit=limit)
    if not result["rows"]:
        if findings is not None:
            findings.unlink(missing_ok=True)
        raise StoreError(f"{dataset}: no rows; nothing was checked")
    if page is not None:
        validation_report.write(page, validation_report.of(dataset, files, priors, result, manifest))
    if as_json:
        print(json.dumps(result))
    else:
        _print_rules(result["rows"], result["rejected_rows"], result["by_rule"])
    if page is not None:
        print(page, file=sys.stderr)
    if result["rejected_rows"]:
        print(f"personas: {result['rejected_rows']} of {result['rows']} rows have errors", file=sys.stderr)
        raise typer.Exit(1)


def _print_rules(rows: int, rejected: int, by_rule: dict[str, dict[str, int]]) -> None:
    print(f"{rows} rows, {rejected} with errors")
    width = max(map(len, by_rule), default=0)
    for rule, counts in by_rule.items():
        if any(counts.values()):
            print(f"  {rule:{width}}  " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n))


def report(
    dataset: Dataset,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder; default: the run's, or the file's own.")
    ] = None,
    locale: Annotated[str | None, typer.Option(help="Default: the run's, else en_US.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write report.html and report.json: the dataset beside the census."""
    from persona_engine.generator.config import Config
    from persona_engine.generator.config_file import load
    from persona_engine.generator.population import Population
    from persona_engine.generator.report import run_report as reporting
    from persona_engine.generator.run.manifest import Manifest

    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    population = Population.load(locale or (manifest.locale if manifest else "en_US"))
    settings = load(dataset / "config.yaml") if manifest else Config()
    numbers = reporting.of(dataset, population, manifest, settings.where, settings.target | settings.quota)
    folder = output or (dataset if dataset.is_dir() else dataset.parent)
    _, page = reporting.write(folder, numbers)
    print(json.dumps(numbers) if as_json else page)


def compare(
    one: Dataset,
    other: Dataset,
    as_json: AsJson = False,
) -> None:
    """Compare the margins of two datasets: total variation distance of every table that both have."""
    from persona_engine.generator.report.tabulation import Tabulation, distance
    from persona_engine.generator.run.store import StoreError, columns_of, read_frames

    columns = [name for name in _COMPARED if name in columns_of(one) and name in columns_of(other)]
    if not columns:
        raise StoreError(
            f"{one} and {other} have no column in common to compare; known: {', '.join(_COMPARED)}"
        )
    shared = [*((name,) for name in columns), *combinations(columns, 2)]
    first, second = (Tabulation.of(read_frames(path, columns), shared) for path in (one, other))
    if not first.rows or not second.rows:
        raise StoreError(f"{other if first.rows else one}: has no rows to compare")
    tvd = {" x ".join(table): distance(first.counts(*table), second.counts(*table)) for table in shared}
    if as_json:
        print(json.dumps({"rows": [first.rows, second.rows], "tvd": tvd}))
        return
    print(f"{first.rows} and {second.rows} rows; total variation distance, 0 the same to 1 apart")
    for name, value in tvd.items():
        print(f"  {value:.4f}  {name}")
