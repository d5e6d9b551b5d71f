"""Dataset comparison: everything that `personas compare` says about two datasets, typed, as JSON and as a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.stats import fisher_exact  # type: ignore[import-untyped]

from census_personas.census_priors.roles import Roles
from census_personas.foundation.arrays import Indices
from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.dataset_reader import columns_of, dataset_files
from census_personas.foundation.record_reader import KNOWN, read_records
from census_personas.foundation.schema import PROSE
from census_personas.generator.comparison.paired_people import PairedPeople, pair_people
from census_personas.generator.comparison.text_comparison import TESTS, TextComparison, compare_field
from census_personas.generator.narration.judge import summary
from census_personas.generator.report import comparison
from census_personas.generator.report.people import people_of
from census_personas.generator.report.run_report import render, writing
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.verdicts import read_verdicts
from census_personas.validators.dataset.diversity import ENTROPIES, nameless, people_diversity
from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.measure import Values
from census_personas.validators.rules import RecordChecker
from census_personas.validators.text.record_view import RecordView

TEXTS = 1_000
"""Rows of each dataset whose texts, names and rule findings are compared."""
NAME = "comparison.html"
_COMMON = 24  # names that are compared one by one
Pair = tuple[float, float]


class People(Values):
    """Whether the people are the same; `paired_people.py` defines the fields."""

    by: str
    same: bool
    pairs: int
    shared: Pair
    facts: dict[str, float]
    all_facts: float | None


class RunSide(Values):
    """What the manifest of a run says."""

    name: str
    seed: int
    model: str
    fingerprint: str
    asked: int
    accepted: int
    rejected: int
    notice: str = ""


class Names(Values):
    """Names of one kind.

    Attributes:
        rows: people with a name.
        distinct: different names for each person.
        tvd, floor, limit, passes: of the commonest names and all others together, as for tables.
        commonest: name -> its share in each dataset, the commonest first.
    """

    rows: tuple[int, int]
    distinct: Pair
    tvd: float
    floor: float
    limit: float
    passes: bool
    commonest: dict[str, Pair]


class RuleShare(Values):
    """Share of the rows that a rule speaks about; p is Fisher's exact test, corrected for all rules."""

    rule: str
    severity: str
    share: Pair
    p: float


class DatasetComparison(Values):
    """Two datasets, compared in full.

    Attributes:
        format: version of this model; within one, fields are added only.
        names_of_datasets: the two paths' names.
        rows, tvd, floor, limit, passes: of each table of facts, by name (`report/comparison.py`).
        people: whether they are the same.
        runs: of each dataset that is a run.
        compared: rows of each whose texts, names and findings are compared; the same people, if they are paired.
        texts: by field.
        names: by kind.
        diversity: attribute -> entropy in bits of each; `age` -> its coefficient of variation.
        rules: every rule with a finding in either; None if rules were not run.
        judge: score -> its mean in each; None where a dataset has none.
        tests: tests of texts that share a probability of a false mark of `FAMILY`.
    """

    format: Literal[1] = 1
    names_of_datasets: tuple[str, str]
    rows: tuple[int, int]
    tvd: dict[str, float]
    floor: dict[str, float]
    limit: dict[str, float]
    passes: dict[str, bool]
    people: People
    runs: tuple[RunSide | None, RunSide | None]
    compared: tuple[int, int]
    texts: tuple[TextComparison, ...]
    names: dict[str, Names]
    diversity: dict[str, tuple[float | None, float | None]]
    rules: tuple[RuleShare, ...] | None
    judge: dict[str, tuple[float | None, float | None]]
    tests: int


def compare_datasets(
    one: Path,
    other: Path,
    roles: Roles,
    *,
    checker: RecordChecker | None = None,
    recipe: Sequence[str],
    texts: int = TEXTS,
) -> DatasetComparison:
    """Compare two datasets; the same two give the same figures.

    Args:
        one: a file or run folder.
        other: another.
        roles: of the locale.
        checker: runs the record rules; None leaves them out.
        recipe: roles that make a full name, in order.
        texts: most rows of each whose texts, names and findings are compared.

    Raises:
        DatasetError: a dataset cannot be read or is empty, or the two have no common column.
    """
    rng = np.random.default_rng(0)
    tables = comparison.compare(one, other, rng, roles)
    paired = pair_people(one, other, roles)
    records = _records(one, other, paired, texts, roles, rng)
    is_paired = paired.by != "none" and len(records[0]) == len(records[1])
    views = [[RecordView(record, roles.columns, recipe) for record in rows] for rows in records]
    compared, tests = _texts(views, rng, paired=is_paired)
    return DatasetComparison(
        names_of_datasets=(one.name, other.name),
        **tables.as_dict(),
        people=People(
            by=paired.by,
            same=paired.are_same,
            pairs=len(paired.one),
            shared=paired.shared,
            facts=paired.facts,
            all_facts=paired.all_facts,
        ),
        runs=(_run(one), _run(other)),
        compared=(len(records[0]), len(records[1])),
        texts=compared,
        names=_names(views, rng),
        diversity=_diversity(one, other, roles),
        rules=None if checker is None else _rules(checker, records),
        judge=_judge(one, other),
        tests=tests,
    )


def write_comparison(page: Path, result: DatasetComparison) -> None:
    """Write the page, and its numbers as `.json` beside it, both atomically."""
    text = json.dumps(result.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with writing(page):
        write_whole(page.with_suffix(".json"), text)
        write_whole(page, render("comparison.html.j2", dict(result)))


def _records(
    one: Path, other: Path, paired: PairedPeople, most: int, roles: Roles, rng: np.random.Generator
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read some records of each: those of the same people, if there are any."""
    if paired.by == "none":
        chosen = [np.sort(rng.choice(rows, min(rows, most), replace=False)) for rows in paired.rows]
    else:
        some = np.sort(rng.choice(len(paired.one), min(len(paired.one), most), replace=False))
        chosen = [paired.one[some], paired.other[some]]
    first, second = (_at(path, at, roles) for path, at in zip((one, other), chosen, strict=True))
    return first, second


def _at(path: Path, places: Indices, roles: Roles) -> list[dict[str, Any]]:
    """Read the records at these positions, in the order given; none of a dataset whose columns no rule knows."""
    wanted = {int(place) for place in places}
    age = roles.get("age") or "age"
    if {*KNOWN, age}.isdisjoint(columns_of(path)):
        return []
    rows: Iterator[dict[str, Any]] = chain.from_iterable(
        read_records(file, age=age) for file in dataset_files(path)
    )
    last = max(wanted, default=-1)
    found: dict[int, dict[str, Any]] = {}
    for place, record in enumerate(rows):
        if place in wanted:
            found[place] = record
        if place >= last:
            break
    return [found[int(place)] for place in places]


def _texts(
    views: Sequence[Sequence[RecordView]], rng: np.random.Generator, *, paired: bool
) -> tuple[tuple[TextComparison, ...], int]:
    prose = [[nameless(view, PROSE) for view in of_one] for of_one in views]
    fields: dict[str, tuple[list[str], list[str]]] = {}
    for field in PROSE:
        if paired:
            both = [(a[field], b[field]) for a, b in zip(*prose, strict=True) if field in a and field in b]
            first, second = [a for a, _ in both], [b for _, b in both]
        else:
            first, second = ([of[field] for of in of_one if field in of] for of_one in prose)
            number = min(len(first), len(second))  # measures of diversity fall with the number of texts
            first, second = first[:number], second[:number]
        if first:
            fields[field] = (first, second)
    tests = TESTS * len(fields)
    return tuple(
        compare_field(field, first, second, rng, paired=paired, tests=tests)
        for field, (first, second) in fields.items()
    ), tests


def _run(path: Path) -> RunSide | None:
    manifest = Manifest.read(path) if path.is_dir() else None
    if manifest is None:
        return None
    kept = ("name", "seed", "model", "fingerprint", "accepted", "rejected", "notice")
    return RunSide(asked=manifest.rows, **{name: getattr(manifest, name) for name in kept})


def _names(views: Sequence[Sequence[RecordView]], rng: np.random.Generator) -> dict[str, Names]:
    found = {}
    for kind in ("first", "last"):
        counts = [Counter(getattr(view.name, kind) for view in of_one if view.name) for of_one in views]
        rows = (counts[0].total(), counts[1].total())
        if not min(rows):
            continue
        commonest = [name for name, _ in (counts[0] + counts[1]).most_common(_COMMON)]
        cells = np.array([[*(of[name] for name in commonest), 0] for of in counts])
        cells[:, -1] = np.array(rows) - cells.sum(axis=1)
        tvd, floor, limit = comparison.compare_counts(cells[0], cells[1], 2, rng)
        found[f"{kind}_name"] = Names(
            rows=rows,
            distinct=(len(counts[0]) / rows[0], len(counts[1]) / rows[1]),
            tvd=tvd,
            floor=floor,
            limit=limit,
            passes=tvd <= limit,
            commonest={
                name: (counts[0][name] / rows[0], counts[1][name] / rows[1]) for name in commonest[:10]
            },
        )
    return found


def _diversity(one: Path, other: Path, roles: Roles) -> dict[str, tuple[float | None, float | None]]:
    age = roles.get("age") or "age"
    facts = roles.named(("age", *ENTROPIES))
    sides: list[dict[str, float | None]] = []
    for path in (one, other):
        measured = people_diversity(people_of(path, facts), roles.named(ENTROPIES), age)
        sides.append({**measured.entropy, age: measured.age_variation})
    return {
        name: (sides[0].get(name), sides[1].get(name))
        for name in facts
        if any(name in side for side in sides)
    }


def _rules(checker: RecordChecker, records: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[RuleShare, ...]:
    counts: list[Counter[tuple[str, str]]] = [
        Counter(
            pair
            for findings in checker.check_each(of_one)
            for pair in {(f.code, f.severity) for f in findings if f.severity != "not_judged"}
        )
        for of_one in records
    ]
    rows = [max(len(of_one), 1) for of_one in records]
    found = sorted(set(counts[0]) | set(counts[1]))
    shares = []
    for key in found:
        a, b = counts[0][key], counts[1][key]
        p = float(fisher_exact([[a, rows[0] - a], [b, rows[1] - b]])[1])
        shares.append(
            RuleShare(
                rule=key[0], severity=key[1], share=(a / rows[0], b / rows[1]), p=min(1.0, p * len(found))
            )
        )
    return tuple(sorted(shares, key=lambda one: (one.p, one.rule)))


def _judge(one: Path, other: Path) -> dict[str, tuple[float | None, float | None]]:
    sides = [summary(read_verdicts(path))["scores"] if path.is_dir() else {} for path in (one, other)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return {name: (sides[0].get(name, {}).get("mean"), sides[1].get(name, {}).get("mean")) for name in names}


def is_marked(rule: RuleShare) -> bool:
    """Whether a rule's shares differ by more than chance."""
    return rule.p <= FAMILY
