"""Run report: a dataset compared with the model and the census, as JSON and one HTML page."""

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

from census_personas.foundation.atomic_file import write_whole
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
from census_personas.generator.report.report_types import Bias, Report, Texts
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.rejections import count_reasons
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

# Texts that are read for their diversity, from the first rows on.
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
    """Measure a dataset and put it beside what it should follow.

    Args:
        path: a dataset file or a run folder.
        population: what the dataset should follow.
        manifest: the run's, when the dataset is one.
        where: the condition that the dataset was sampled under.
        target: the marginals that were wanted of it.
        plugins: third parties whose measures are taken beside ours.

    Raises:
        DatasetError: a dataset that cannot be read, or that has nothing to stand beside the census.
        PluginError: a measure of a plug-in that cannot be loaded, or fails.
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
        "rejected": dict(sorted(count_reasons(path).items(), key=lambda item: -item[1])[:20]),
    }
    return Report.model_validate(numbers)


def _measures(measured: Measurements) -> dict[str, Any]:
    """The measurements under the keys that a report has for them."""
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
    """Write `report.json` and `report.html` into a folder; both whole.

    Raises:
        DatasetError: a folder that cannot be written to.
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
    """The report that was last written into a folder; None where there is none.

    Raises:
        DatasetError: a file that is no report which this version reads.
    """
    file = RunLayout(folder).report_json
    try:
        check_input(file, _MOST_BYTES)
        return Report.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise DatasetError(
            f"{file}: not a report that this version reads; write it anew with `personas report`"
        ) from error


def try_out(folder: Path) -> None:
    """See whether a report can be written into a folder, before anything is computed for it; it is not made yet.

    Raises:
        DatasetError: it cannot be made or written to.
        DestinationError: something that is no file has the name of the report.
    """
    layout = RunLayout(folder)
    for file in (layout.report_json, layout.report_html):
        refuse_irregular(file)
        _refuse_foreign(file, _SIGNS[file.suffix])
    with writing(folder):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        tempfile.TemporaryFile(dir=nearest).close()


# What every report of ours, of any release, has in its first bytes.
_SIGNS = {".json": b'"rows":', ".html": b": report</title>"}
_FIRST = 1 << 16


def _refuse_foreign(place: Path, sign: bytes) -> None:
    try:
        with place.open("rb") as file:
            first = file.read(_FIRST)
    except OSError:
        return  # it is not there, or will be refused where it is written
    if first.strip() and sign not in first:
        raise DestinationError(
            f"{place}: is no report of ours and would be replaced; move it, or name another folder with -o"
        )


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say of a place that could not be written to what to do about it."""
    try:
        yield
    except OSError as error:
        said = error.strerror or error
        raise DatasetError(
            f"{place}: cannot be written ({said}); give a place with room that you may write to"
        ) from error


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill one of the templates beside this module; a value that is missing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def _records(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The first rows of a dataset that has texts, as many as can be read in seconds."""
    if "persona" not in columns:
        return []
    return list(islice(chain.from_iterable(map(read_records, dataset_files(path))), _READ))


def _findings(path: Path) -> dict[str, dict[str, int]]:
    """Delivered rows that a rule spoke about, by rule and severity, from the footers of a run's shards."""
    total: Counter[str] = Counter()
    for file in dataset_files(path):
        if info := read_shard(file):
            total.update(info.findings)
    by_rule: dict[str, dict[str, int]] = {}
    for name, rows in sorted(total.items()):
        rule, severity = name.split(":")
        by_rule.setdefault(rule, {})[severity] = rows
    return by_rule
