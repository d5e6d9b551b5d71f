"""Command `personas validate`: checks a dataset with every record rule and its measures."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from census_personas.generator.cli.options import AsJson, Dataset, MaybeLocale, PluginNames

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors
    from census_personas.generator.executor.validation_job import CheckingCrew, ValidationJob

_SHORT = {
    "rejected_rows": "{} of {} rows have errors",
    "repeated_uuids": "{} rows repeat the uuid of an earlier row",
}

Findings = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write every finding, as .parquet or .jsonl.")
]
Page = Annotated[
    Path | None,
    typer.Option(metavar="DIR|FILE.html", help="Write findings and dataset measures as HTML and JSON."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Most rows to read.")]
Policy = Annotated[
    list[str] | None, typer.Option(metavar="RULE=ACTION", help="repair, reject, flag or off; repeatable.")
]
Workers = Annotated[int, typer.Option("-j", "--workers", min=1, help="Processes that check rows.")]
WhereTo = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="local|ray",
        help="Where they run: on this machine, or on the Ray cluster that RAY_ADDRESS names.",
    ),
]
Sampled = Annotated[
    bool,
    typer.Option(
        "--sampled", help="The rows were sampled from the census: rare facts are flagged, not rejected."
    ),
]


def validate(
    dataset: Dataset,
    locale: MaybeLocale = None,
    findings: Findings = None,
    report: Page = None,
    limit: Limit = None,
    policy: Policy = None,
    sampled: Sampled = False,
    *,
    plugins: PluginNames = None,
    workers: Workers = 1,
    executor: WhereTo = "local",
    as_json: AsJson = False,
) -> None:
    """Check every row against the record rules; exit 1 if a row has an error or repeats a uuid."""
    from census_personas.census_priors.priors import Priors
    from census_personas.foundation.dataset_reader import dataset_files
    from census_personas.foundation.plugins import Plugins
    from census_personas.foundation.user_path import output_file
    from census_personas.generator.executor.validation_job import ValidationJob
    from census_personas.generator.report import validation_report
    from census_personas.generator.run.manifest import Manifest
    from census_personas.generator.run.shard_store import check_parts
    from census_personas.generator.run.text_language import language_of_texts

    chosen = _chosen(policy or ())
    extra = Plugins.load(plugins or ())
    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    check_parts(dataset)
    files = dataset_files(dataset)
    actions = (_usual(dataset) if not sampled else _of_samples()) | chosen
    page = None if report is None else validation_report.page_of(report, dataset)
    if page is not None and findings is None:
        findings = page.with_name("findings.parquet")
    if findings is not None and (findings.parent.is_dir() or page is None):
        findings = output_file(findings, (".parquet", ".jsonl"), inputs=files, run=dataset)
    locale = locale or locale_of(dataset)
    priors = Priors.load(locale)
    language = language_of_texts(dataset, extra)
    # With a limit the rules read fewer rows than the measures, which then read the file again.
    collection = validation_report.open_collection(priors, extra) if page and limit is None else None
    columns = collection.columns if collection else None
    job = ValidationJob(locale, language, actions, tuple(plugins or ()), columns)
    spread = _spread(executor, workers, job)
    result = _judged(
        dataset, files, priors, language=language,
        policy=actions, findings=findings, limit=limit, plugins=extra, spread=spread,
        collection=collection,
    )  # fmt: skip
    if page is not None:
        built = validation_report.build_report(
            dataset, files, priors, result, manifest, extra, collection
        )  # fmt: skip
        validation_report.write(page, built)
        # Counts by verdict, as rules are counted by severity; the page lists them.
        result["assumptions"] = Counter(item.verdict for item in built.measures.assumptions)
    _print(result, page, as_json=as_json)


def locale_of(dataset: Path) -> str:
    """Return the locale of a run, as its config names it; other datasets are compared with en_US."""
    from census_personas.foundation.run_layout import RunLayout
    from census_personas.generator.config.config_file import load
    from census_personas.generator.config.run_config import ConfigError

    config = RunLayout(dataset).config
    if not config.is_file():
        return "en_US"
    try:
        return load(config).locale
    except ConfigError as error:
        print(f"{error}; compared with en_US", file=sys.stderr)
        return "en_US"


def _spread(executor: str, workers: int, job: ValidationJob) -> CheckingCrew | None:
    """What checks with several workers; None where this process does."""
    from census_personas.generator.config.config_file import parse
    from census_personas.generator.executor.executor import executor_of
    from census_personas.generator.executor.validation_job import CheckingCrew

    settings = (f"runtime.executor={executor}", f"runtime.workers={workers}")
    runtime = parse("", "defaults", settings, {}).runtime
    if workers == 1 and runtime.executor == "local":
        return None
    return CheckingCrew(executor_of(runtime, workers), job)


def _chosen(policy: Sequence[str]) -> dict[str, str]:
    """Return the actions of `--policy`; unknown rules and actions are refused where they are applied."""
    for item in policy:
        if "=" not in item:
            raise typer.BadParameter(f"{item!r} has no action; write it as RULE=off", param_hint="--policy")
    return dict(item.partition("=")[::2] for item in policy)


def _of_samples() -> dict[str, str]:
    from census_personas.validators.rules import SAMPLED

    return dict(SAMPLED)


def _usual(dataset: Path) -> dict[str, str]:
    """Return the default policy of a dataset: one that this engine sampled has rare people by design."""
    from census_personas.generator.run.sampled_dataset import is_sampled

    if not is_sampled(dataset):
        return {}
    print(f"{dataset}: sampled by this engine; rare facts are flagged, not rejected", file=sys.stderr)
    return _of_samples()


def _judged(
    dataset: Path,
    files: Sequence[Path],
    priors: Priors,
    *,
    language: str | None,
    findings: Path | None,
    **options: Any,
) -> dict[str, Any]:
    from census_personas.foundation.errors import DatasetError
    from census_personas.generator.population.plausibility import Plausibility
    from census_personas.generator.population.population import Population
    from census_personas.validators.rule_context import RuleContext
    from census_personas.validators.validate_file import validate_files

    # Fitting a model that is not in the cache takes long enough to log it.
    logging.getLogger("census_personas.generator.model").setLevel(logging.INFO)
    reference = RuleContext(priors, Plausibility.of(Population.load(priors)), language)
    result = validate_files(files, reference, findings=findings, **options)
    if not result["rows"]:
        if findings is not None:
            findings.unlink(missing_ok=True)
        raise DatasetError(f"{dataset}: no rows; nothing was checked")
    return result


def _print(result: dict[str, Any], page: Path | None, *, as_json: bool) -> None:
    """Print the findings; exit 1 if a row has an error."""
    if as_json:
        print(json.dumps(result))
    else:
        _print_rules(result["rows"], result["rejected_rows"], result["by_rule"])
        for rule, why in result.get("not_judged", {}).items():
            print(f"  {rule}: not judged; {why}")
    if page is not None:
        print(page, file=sys.stderr)
    if missing := ", ".join(result["missing_columns"]):
        print(f"personas: the rows lack {missing}; rules that need it were skipped", file=sys.stderr)
    for name, what in _SHORT.items():
        if result[name]:
            print(f"personas: {what.format(result[name], result['rows'])}", file=sys.stderr)
    if any(result[name] for name in _SHORT):
        raise typer.Exit(1)


def _print_rules(rows: int, rejected: int, by_rule: dict[str, dict[str, int]]) -> None:
    print(f"{rows} rows, {rejected} with errors")
    width = max(map(len, by_rule), default=0)
    for rule, counts in by_rule.items():
        if any(counts.values()):
            print(f"  {rule:{width}}  " + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n))
