"""Run report: compares a dataset with the model and the census, as JSON and one HTML page."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import jinja2
from pydantic import ValidationError

from census_personas.foundation.atomic_file import cannot_be_written, write_whole
from census_personas.foundation.dataset_reader import columns_of, dataset_files
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.record_reader import read_records
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import DestinationError, check_input, refuse_irregular
from census_personas.generator.narration.judge import summary
from census_personas.generator.population.population import Population
from census_personas.generator.report import counterfactual
from census_personas.generator.report.drawn_figures import drawn_figures
from census_personas.generator.report.expectation import Expectation
from census_personas.generator.report.people import people_of
from census_personas.generator.report.reference_tables import ReferenceTables
from census_personas.generator.report.report_types import Bias, Completed, Report, Texts
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.rejections import count_impossible, count_reasons
from census_personas.generator.run.shard_store import read_shard
from census_personas.generator.run.text_language import language_of_texts
from census_personas.generator.run.verdicts import read_verdicts
from census_personas.validators.assess import SHOWN
from census_personas.validators.dataset.name_fidelity import NAMES
from census_personas.validators.measure_registry import measures
from census_personas.validators.measured_dataset import facts_of, numbers_of
from census_personas.validators.measurement import Measurements, measure_dataset
from census_personas.validators.measures import (
    assumptions,
    diversity,
    duplication,
    fidelity,
    guide,
    names,
    representation,
    sentences,
)
from census_personas.validators.measures import texts as text_measure

# Most texts read for measures, from the first rows.
_READ = 2_000
_MOST_BYTES = 2**26


def build_report(
    path: Path,
    population: Population,
    manifest: Manifest | None = None,
    where: Mapping[str, Any] | None = None,
    target: Mapping[str, Any] | None = None,
    plugins: Plugins = NO_PLUGINS,
) -> Report:
    """Measure a dataset and compare it with what it should follow.

    Args:
        path: a dataset file or a run folder.
        population: the population that the dataset should follow.
        manifest: manifest of the run, if the dataset is one.
        where: condition of the dataset's sample.
        target: target marginals of the sample.
        plugins: plug-ins with further measures.

    Raises:
        DatasetError: the dataset cannot be read, or has no column to compare with the census.
        PluginError: a measure of a plug-in cannot be loaded, or fails.
    """
    expected = Expectation(population, where, target)
    roles = expected.priors.roles
    listed = measures(plugins, costly=False)
    facts = people_of(
        path,
        (*expected.priors.domain, *roles.named(NAMES)),
        facts_of(listed, expected.priors),
        numbers_of(listed, expected.priors),
        age=roles.get("age") or "age",
        codes=roles.named(("postcode",)),
        none=manifest is not None,
    )
    dataset = ReferenceTables(expected, map(str, facts)).dataset(
        facts, listed, _records(path, columns_of(path)), language_of_texts(path, plugins)
    )
    swaps = counterfactual.load_effects(path)
    measured = measure_dataset(dataset, listed, others=len(swaps))
    numbers = {
        **_measures(measured),
        "run": manifest,
        **drawn_figures(dataset.people, expected),
        "swaps": [counterfactual.judged(swap, measured.tests.number) for swap in swaps],
        "findings": _findings(path),
        "judge": summary(read_verdicts(path)),
        "completed": _completed(path, manifest),
        "rejected": dict(sorted(count_reasons(path).items(), key=lambda item: -item[1])[:20]),
    }
    return Report.model_validate(numbers)


def _completed(folder: Path, manifest: Manifest | None) -> Completed | None:
    if manifest is None or "input" not in manifest.identity["digests"]:
        return None
    return Completed(drawn=manifest.drawn, impossible=count_impossible(folder))


def _measures(measured: Measurements) -> dict[str, Any]:
    """Arrange the measurements under the keys of a report."""
    named, texts = measured.or_empty(names.Result), measured.of(text_measure.Result)
    gaps = measured.or_empty(representation.Result).gaps
    return {
        "rows": measured.rows,
        "tests": measured.tests,
        "fidelity": (*measured.or_empty(fidelity.Result).tables, *named.tables),
        "names_not_judged": named.not_judged,
        "assumptions": measured.or_empty(assumptions.Result).items,
        "diversity": measured.of(diversity.Result),
        "bias": (guided := measured.of(guide.Result))
        and Bias(guide=guided, gaps=tuple(gap for gap in gaps if gap.deviates)),
        "texts": texts
        and Texts(
            rows=measured.records,
            diversity=texts.fields,
            duplication=measured.or_empty(duplication.Result),
            sentences=measured.or_empty(sentences.Result),
        ),
        "further_measures": measured.further(SHOWN),
        "not_measured": measured.silent(SHOWN),
    }


def write(folder: Path, report: Report) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into a folder, both atomically.

    Raises:
        DatasetError: the folder cannot be written to.
    """
    layout = RunLayout(folder)
    numbers = report.model_dump(mode="json")
    with writing(folder):
        write_whole(
            layout.report_json, json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        )
        write_whole(layout.report_html, render("report.html.j2", dict(report)))
    return layout.report_json, layout.report_html


def read_report(folder: Path) -> Report | None:
    """Read the report of a folder; None if there is none.

    Raises:
        DatasetError: the file is not a report that this version reads.
    """
    file = RunLayout(folder).report_json
    try:
        check_input(file, _MOST_BYTES)
        return Report.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise DatasetError(
            f"{file}: not a report that this version reads; write it again with `personas report`"
        ) from error


def try_out(folder: Path) -> None:
    """Check that a report can be written into a folder, before any computation, and without creating it.

    Raises:
        DatasetError: the folder cannot be created or written to.
        DestinationError: something other than a report has its name.
    """
    layout = RunLayout(folder)
    for file in (layout.report_json, layout.report_html):
        refuse_irregular(file)
        _refuse_foreign(file, _SIGNS[file.suffix])
    with writing(folder):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        tempfile.TemporaryFile(dir=nearest).close()


# First bytes of every report of this package, in any release.
_SIGNS = {".json": b'"rows":', ".html": b": report</title>"}
_FIRST = 1 << 16


def _refuse_foreign(place: Path, sign: bytes) -> None:
    try:
        with place.open("rb") as file:
            first = file.read(_FIRST)
    except OSError:
        return  # missing, or refused later when it is written
    if first.strip() and sign not in first:
        raise DestinationError(
            f"{place}: is not a report of this package and would be replaced; move it, or name another folder with -o"
        )


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a write error into one that names the path and the remedy."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{place}: {cannot_be_written(error)}") from error


def render(template: str, values: Mapping[str, Any]) -> str:
    """Render one of the templates beside this module; a missing value is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def _records(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Read the first rows of a dataset with texts, as many as take seconds."""
    if "persona" not in columns:
        return []
    return list(islice(chain.from_iterable(map(read_records, dataset_files(path))), _READ))


def _findings(path: Path) -> dict[str, dict[str, int]]:
    """Count accepted rows with a finding, by rule and severity, from the footers of a run's shards."""
    total: Counter[str] = Counter()
    for file in dataset_files(path):
        if info := read_shard(file):
            total.update(info.findings)
    by_rule: dict[str, dict[str, int]] = {}
    for name, rows in sorted(total.items()):
        rule, severity = name.split(":")
        by_rule.setdefault(rule, {})[severity] = rows
    return by_rule
