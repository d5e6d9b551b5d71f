"""Validation report: what the rules found in a dataset and what the dataset measures, as JSON and one HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.named_place import output_file, output_folder, refuse_irregular
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.config_file import load
from census_personas.generator.config.run_config import Config
from census_personas.generator.population.population import Population
from census_personas.generator.report import counterfactual
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.run_report import render, try_out, writing
from census_personas.generator.run.manifest import Manifest
from census_personas.validators.assess import assess_files
from census_personas.validators.rules import GUIDE_CHECKS

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

NAME = "validation.html"


def page_of(target: Path, dataset: Path) -> Path:
    """The HTML page that a target means: itself if it ends in `.html`, else `validation.html` in that folder.

    Raises:
        DatasetError: a place that cannot be written to, before anything is computed for it.
        DestinationError: a place that is not to be written to.
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
) -> dict[str, Any]:
    """The numbers of the page: `result` of the record rules, then every measure of the dataset.

    The sample of texts and the draws behind noise floors hang on the dataset alone. A run of the offline narrator is
    also tried on people with one fact swapped, for which other narrators are paid when `personas report` is asked to.

    Raises:
        DatasetError: a file that cannot be read.
        ValueError: a dataset without rows.
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
    swaps = _swaps(dataset) if offline else counterfactual.load_effects(dataset)
    settings = load(RunLayout(dataset).config) if manifest else Config()
    expected = Expectation(Population.load(priors), settings.where, settings.target | settings.quota)
    measures = assess_files(files, priors, np.random.default_rng(0), expected=expected, others=len(swaps))
    return {
        "dataset": dataset.name,
        "locale": priors.locale,
        "notice": manifest.notice if manifest else "",
        "validation": {**result, "by_rule": rules},
        "guide": checks,
        "measures": measures,
        "swaps": [counterfactual.judged(swap, measures["tests"]["number"]) for swap in swaps],
        "independences": list(priors.declaration.independences),
    }


def write(page: Path, numbers: Mapping[str, Any]) -> None:
    """Write the page and, beside it under the same name, its numbers as `.json`; both whole."""
    text = json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with writing(page):
        write_whole(page.with_suffix(".json"), text)
        write_whole(page, render("validation.html.j2", numbers))


def _swaps(run: Path) -> list[dict[str, Any]]:
    """Of the narrator that costs nothing, found now if nobody asked before."""
    return counterfactual.load_effects(run) or counterfactual.of_run(run)
