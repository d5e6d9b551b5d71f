"""Commands over datasets that exist: validate, report, compare."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from persona_engine.generator.cli.options import AsJson, Dataset, Locale


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
    sampled: Annotated[
        bool,
        typer.Option(
            "--sampled", help="The rows were sampled from the census: rare facts are flagged, not rejected."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every row against the record rules; exit 1 when a row has an error, or the uuid of another."""
    from persona_engine.census_priors.priors import Priors
    from persona_engine.generator.dataset_file import DatasetError, dataset_files, is_sample
    from persona_engine.generator.model.plausibility import Plausibility
    from persona_engine.generator.population import Population
    from persona_engine.generator.report import validation_report
    from persona_engine.generator.run.manifest import Manifest
    from persona_engine.validators.check import SAMPLED
    from persona_engine.validators.file import validate_files
    from persona_engine.validators.reference import Reference

    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    files = dataset_files(dataset)
    drawn = sampled or ("input" not in manifest.identity["digests"] if manifest else is_sample(files[0]))
    if drawn and not sampled:
        print(f"{dataset}: sampled by this engine; rare facts are flagged, not rejected", file=sys.stderr)
    actions = {**(SAMPLED if drawn else {}), **dict(item.partition("=")[::2] for item in policy or ())}
    page = None if report is None else validation_report.page_of(report)
    if page is not None and findings is None:
        findings = page.with_name("findings.parquet")
    # A model that is not in the cache is fitted, which takes long enough to say so.
    logging.getLogger("persona_engine.generator.model").setLevel(logging.INFO)
    priors = Priors.load(locale)
    reference = Reference(priors, Plausibility(Population.load(priors).network))
    result = validate_files(files, reference, policy=actions, findings=findings, limit=limit)
    if not result["rows"]:
        if findings is not None:
            findings.unlink(missing_ok=True)
        raise DatasetError(f"{dataset}: no rows; nothing was checked")
    if page is not None:
        numbers = validation_report.of(dataset, files, priors, result, manifest)
        validation_report.write(page, numbers)
        # By verdict, as rules are counted by severity: the page tells which.
        result["assumptions"] = Counter(item["verdict"] for item in numbers["measures"]["assumptions"])
    if as_json:
        print(json.dumps(result))
    else:
        _print_rules(result["rows"], result["rejected_rows"], result["by_rule"])
    if page is not None:
        print(page, file=sys.stderr)
    _end(result)


def _end(result: dict[str, Any]) -> None:
    """Say what fell short, and exit 1 for it."""
    short = {
        "rejected_rows": f"of {result['rows']} rows have errors",
        "repeated_uuids": "rows have the uuid of an earlier row",
    }
    for name, what in short.items():
        if result[name]:
            print(f"personas: {result[name]} {what}", file=sys.stderr)
    if any(result[name] for name in short):
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
    people: Annotated[
        int | None,
        typer.Option(
            "--counterfactual",
            metavar="N",
            min=1,
            help="Have N of the run's people written of with a fact swapped.",
        ),
    ] = None,
    swap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACT", help="With --counterfactual: sex, ethnicity, age or name; default: all."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write report.html and report.json: the dataset beside the census.

    --counterfactual asks the run's own model for 1 + (facts) further narrations of each person.
    """
    from persona_engine.generator.config import Config
    from persona_engine.generator.config_file import load
    from persona_engine.generator.population import Population
    from persona_engine.generator.report import counterfactual
    from persona_engine.generator.report import run_report as reporting
    from persona_engine.generator.run.manifest import Manifest

    if swap and not people:
        raise typer.BadParameter("say of how many people, with --counterfactual N", param_hint="--swap")
    if people:
        counterfactual.of_run(dataset, people, swap or counterfactual.FACTS)
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
    """Compare the margins of two datasets: distance of every table that both have, beside what chance makes."""
    import numpy as np

    from persona_engine.generator.report import comparison

    found = comparison.compare(one, other, np.random.default_rng(0))
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    agreeing = sum(table.passes for table in found.tables)
    print(f"{found.rows[0]} and {found.rows[1]} rows; {agreeing} of {len(found.tables)} tables agree")
    print("total variation distance (0 the same, 1 apart), what chance alone makes, and the limit of chance")
    for table in found.tables:
        verdict = "agrees " if table.passes else "differs"
        print(f"  {table.tvd:.4f}  {table.floor:.4f}  {table.limit:.4f}  {verdict}  {table.name}")
