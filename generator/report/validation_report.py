"""Validation report: findings and measures of a dataset, as JSON and one HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import output_file, output_folder, refuse_irregular
from census_personas.generator.config.config_file import load
from census_personas.generator.config.run_config import Config
from census_personas.generator.population.population import Population
from census_personas.generator.report import counterfactual
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.report_types import Swap
from census_personas.generator.report.run_report import render, try_out, writing
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.text_language import language_of_texts
from census_personas.validators.assess import Assessment, assess_collection, assess_files, collection_of
from census_personas.validators.measure_registry import measures as list_measures
from census_personas.validators.rules import GUIDE_CHECKS

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors
    from census_personas.validators.record_collection import RecordCollection

NAME = "validation.html"


class SeverityCounts(BaseModel):
    """Rows with at least one finding of each severity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: int
    warning: int
    not_judged: int


class FileFindings(BaseModel):
    """Findings in the rows of a file, counted by `validators/validate_file.py`.

    Attributes:
        rows: rows read.
        rejected_rows: rows with at least one error.
        repeated_uuids: rows with the UUID of an earlier row.
        missing_columns: columns that rules need but no row has.
        by_rule: rules with findings, by name.
        not_judged: rules that cannot be applied to the locale, and why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    rejected_rows: int
    repeated_uuids: int
    missing_columns: tuple[str, ...]
    by_rule: dict[str, SeverityCounts]
    not_judged: dict[str, str] = {}


class ValidationReport(BaseModel):
    """Findings and measures of a dataset, shown in `validation.json` and its page.

    Attributes:
        format: version of this model.
        dataset: name of the dataset.
        notice: notice of a run's narrator.
        validation: rows, and rows with findings by rule and severity.
        guide: the same by check of the Nemotron-Personas guide.
        measures: results of all measures, from `validators/assess.py`.
        swaps: effects of swapped facts on the run's narrator.
        independences: assumptions declared by the locale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    dataset: str
    locale: str
    notice: str
    validation: FileFindings
    guide: dict[str, SeverityCounts]
    measures: Assessment
    swaps: tuple[Swap, ...]
    independences: tuple[str, ...]


def page_of(target: Path, dataset: Path) -> Path:
    """Return the HTML page of a target: itself if it ends in `.html`, else `validation.html` in that folder.

    Raises:
        DatasetError: the path cannot be written to; checked before any computation.
        DestinationError: the path must not be written to.
    """
    if target.suffix != ".html":
        output_folder(target, run=dataset)
        page = target / NAME
        refuse_irregular(page)
    else:
        page = output_file(target, run=dataset)
    if page.parent.is_dir():
        output_file(page.with_suffix(".json"), inputs=[dataset], run=dataset)
    try_out(page.parent)
    return page


def build_report(
    dataset: Path,
    files: Sequence[Path],
    priors: Priors,
    result: Mapping[str, Any],
    manifest: Manifest | None = None,
    plugins: Plugins = NO_PLUGINS,
    collection: RecordCollection | None = None,
) -> ValidationReport:
    """Build the report: `result` of the record rules, and every measure of the dataset.

    The sample of texts and the draws behind noise floors depend on the dataset alone. For a run of the offline
    narrator, the effects of swapped facts are computed too; other narrators cost requests, so `personas report` does
    that on demand. A run written with plug-ins needs them for this: `plugins` are those that the caller named, whose
    measures are included.
    `collection` holds every row of the files if they were read before; otherwise the files are read.

    Raises:
        DatasetError: a file cannot be read.
        ValueError: the dataset has no rows.
        PluginError: a measure of a plug-in cannot be loaded, or fails.
    """
    rules = {rule: counts for rule, counts in result["by_rule"].items() if any(counts.values())}
    checks = {
        check: {
            severity: sum(rules.get(rule, {}).get(severity, 0) for rule in names)
            for severity in ("error", "warning", "not_judged")
        }
        for check, names in GUIDE_CHECKS.items()
    }
    offline = manifest is not None and manifest.backend == "offline" and manifest.accepted > 0
    settings = load(RunLayout(dataset).config) if manifest else Config()
    may_narrate = offline and (bool(plugins.members) or not settings.plugins)
    swaps = _swaps(dataset, plugins) if may_narrate else counterfactual.load_effects(dataset)
    expected = Expectation(Population.load(priors), settings.where, settings.target | settings.quota)
    listed, language = list_measures(plugins), language_of_texts(dataset, plugins)
    against: dict[str, Any] = {"expected": expected, "others": len(swaps), "language": language}
    if collection is None:
        measures = assess_files(files, priors, np.random.default_rng(0), listed=listed, **against)
    else:
        measures = assess_collection(collection, priors, listed, **against)
    swapped = [counterfactual.judged(swap, measures.tests.number) for swap in swaps]
    return ValidationReport(
        dataset=dataset.name,
        locale=priors.locale,
        notice=manifest.notice if manifest else "",
        validation=FileFindings.model_validate({**result, "by_rule": rules}),
        guide={check: SeverityCounts.model_validate(counts) for check, counts in checks.items()},
        measures=measures,
        swaps=tuple(map(Swap.model_validate, swapped)),
        independences=tuple(priors.declaration.independences),
    )


def open_collection(priors: Priors, plugins: Plugins = NO_PLUGINS) -> RecordCollection:
    """An empty collection of what `build_report` asks of each row, for the pass in which the rules read them."""
    return collection_of(priors, list_measures(plugins), np.random.default_rng(0))


def write(page: Path, report: ValidationReport) -> None:
    """Write the page and its numbers as `.json` beside it, both atomically."""
    text = json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with writing(page):
        write_whole(page.with_suffix(".json"), text)
        write_whole(page, render("validation.html.j2", dict(report)))


def _swaps(run: Path, plugins: Plugins) -> list[dict[str, Any]]:
    """Load the effects of swapped facts, or compute them now with the offline narrator."""
    return counterfactual.load_effects(run) or counterfactual.of_run(run, plugins=plugins)
