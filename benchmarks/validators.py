"""Precision and recall of rules on real rows and on rows corrupted on purpose.

    python benchmarks/validators.py ROWS.parquet [--half first|second|all] [--samples 3] [--json]
        [--labels LABELS.jsonl] [--part tuned|chosen|reported|unseen] [--no-mutations]

ROWS is a Parquet file of real rows in the Nemotron schema (never part of this repository). The first table gives,
for each rule, the share of rows with an error, a warning, or not judged, and samples to read. The second corrupts
rows, one mutation at a time, and gives the recall: the share of mutated rows with at least one error-severity
finding that the row did not have before, for corruptions, which contradict themselves, and for swaps, some of which
stay true (see `mutations.py`). The third does the same with corruptions that only a run treats as errors, under
its policy and with its prompts known. Rows are checked as `personas validate` checks a file: with the fitted model, in
batches. `--labels` adds a table: precision and recall by rule against readers' labels (see `labels.py`), with
intervals, and the same by folds of rows; `--part` says what the rows were used for, which the table repeats. `--json`
ends with one JSON object.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

sys.path.insert(0, str(Path(__file__).parent))
from labels import print_judged, read_labels
from mutations import MUTATIONS, PROMPTS, RUN_MUTATIONS, Mutation

from census_personas.census_priors.priors import Priors
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.record_reader import read_records
from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.validators.finding import Finding
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import WRITTEN, RecordChecker

Record = Mapping[str, Any]
SEED = 6
WARM = 50  # rows checked before the clock starts: tables are read on first use
PARTS = {
    "tuned": "rows that bounds and words were tuned on",
    "chosen": "rows that variants were chosen by",
    "reported": "rows read once as unseen ones, and used since",
    "unseen": "rows that nothing was tuned on",
}
STRUCTURAL = frozenset(  # facts against facts: defects of the release's own sampler, not of its text
    {"demographic_consistency", "occupation_education", "age_marital", "geographic_validity", "schema_types"}
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path)
    parser.add_argument("--half", choices=("first", "second", "all"), default="all")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--part", choices=tuple(PARTS), default="unseen")
    parser.add_argument("--no-mutations", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = list(_half(read_records(options.rows), options.half))
    priors = Priors.load("en_US")
    checker = RecordChecker(RuleContext(priors, Plausibility.of(Population.load(priors))))
    list(_checked(checker, rows[:WARM]))
    started = time.process_time()
    findings = list(_checked(checker, rows))
    rate = len(rows) / (time.process_time() - started)
    real = _real(rows, findings, options.samples)
    part = PARTS[options.part]
    judged = {}
    if options.labels is not None:
        judged = print_judged(rows, findings, read_labels(options.labels), part, options.samples)
    recalls, in_runs = {}, {}
    if not options.no_mutations:
        recalls = _recalls(rows, findings, checker, options.samples, MUTATIONS)
        written = RecordChecker(RuleContext(priors, prompts=PROMPTS), WRITTEN, only=[*WRITTEN, "echo"])
        corruptions = {name: (mutate, True) for name, mutate in RUN_MUTATIONS.items()}
        in_runs = _recalls(rows, list(_checked(written, rows)), written, options.samples, corruptions)
    worst = min((entry["recall"] for entry in recalls.values() if entry["evident"]), default=float("nan"))
    print(f"\n{rate:,.0f} records a second of CPU time; lowest recall of corruptions {worst:.1%}; {part}")
    if options.json:
        result = {
            "rows": len(rows),
            "part": part,
            "records_per_cpu_second": round(rate),
            **real,
            "labels": judged,
            "recall": recalls,
            "recall_in_runs": in_runs,
            "ratio_lowest_evident_recall": worst,
        }
        print(orjson.dumps(result).decode())


def _checked(checker: RecordChecker, rows: Sequence[Record]) -> Iterator[tuple[Finding, ...]]:
    return checker.check_each(rows)


def _half(rows: Iterator[dict[str, Any]], half: str) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        if half == "all" or (number % 2 == 0) == (half == "first"):
            yield row


def _real(rows: list[dict[str, Any]], findings: list[tuple[Finding, ...]], samples: int) -> dict[str, Any]:
    by_rule: dict[str, Counter[str]] = defaultdict(Counter)
    shown: dict[str, list[str]] = defaultdict(list)
    for row, found in zip(rows, findings, strict=True):
        for code, severity in {(finding.code, finding.severity) for finding in found}:
            by_rule[code][severity] += 1
        for finding in found:
            if finding.severity != "not_judged" and len(shown[finding.code]) < samples:
                said = f"{_who(row)} | {finding.field}: {finding.message} | {finding.evidence}"
                shown[finding.code].append(said[:230])
    print(f"Real rows: {len(rows)}\n{'rule':26}{'error':>9}{'warning':>9}{'not judged':>12}")
    for code in sorted(by_rule):
        count = by_rule[code]
        shares = [count[severity] / len(rows) for severity in ("error", "warning", "not_judged")]
        print(f"{code:26}{shares[0]:>9.2%}{shares[1]:>9.2%}{shares[2]:>12.2%}")
        for line in shown[code]:
            print(f"    {line}")
    rejected = [any(f.severity == "error" for f in found) for found in findings]
    textual = [any(f.severity == "error" and f.code not in STRUCTURAL for f in found) for found in findings]
    print(f"{'rejected in total':26}{np.mean(rejected):>9.2%}   (by text rules alone {np.mean(textual):.2%})")
    return {
        "rejected_share": float(np.mean(rejected)),
        "rejected_by_text_share": float(np.mean(textual)),
        "by_rule": {code: dict(count) for code, count in by_rule.items()},
    }


def _recalls(
    rows: list[dict[str, Any]],
    findings: list[tuple[Finding, ...]],
    checker: RecordChecker,
    samples: int,
    mutations: Mapping[str, tuple[Mutation, bool]],
) -> dict[str, dict[str, Any]]:
    print(f"\n{'mutation':34}{'kind':>11}{'rows':>7}{'recall':>9}{'+warnings':>11}   found by")
    result = {}
    for name, (mutate, evident) in mutations.items():
        rng = np.random.default_rng(SEED)
        caught, warned, total, missed = 0, 0, 0, []
        by: Counter[str] = Counter()
        pairs = [
            (number, mutated)
            for number, row in enumerate(rows)
            if (mutated := mutate(row, rows[int(rng.integers(len(rows)))], rng)) is not None
        ]
        for (number, mutated), found in zip(pairs, _checked(checker, [row for _, row in pairs]), strict=True):
            before = {(f.code, f.severity, f.field) for f in findings[number]}
            new = [f for f in found if (f.code, f.severity, f.field) not in before]
            errors = {f.code for f in new if f.severity == "error"}
            total += 1
            caught += bool(errors)
            warned += bool(errors) or any(f.severity == "warning" for f in new)
            by.update(errors)
            if not errors:
                missed.append(f"{_who(rows[number])} -> {_changes(rows[number], mutated)}"[:260])
        top = ", ".join(f"{code} {count / max(total, 1):.0%}" for code, count in by.most_common(4))
        kind = "corruption" if evident else "swap"
        print(
            f"{name:34}{kind:>11}{total:>7}{caught / max(total, 1):>9.1%}{warned / max(total, 1):>11.1%}   {top}"
        )
        for line in missed[:samples]:
            print(f"      missed: {line}")
        result[name] = {
            "rows": total,
            "recall": caught / max(total, 1),
            "recall_with_warnings": warned / max(total, 1),
            "evident": evident,
        }
    return result


def _who(row: Record) -> str:
    return ", ".join(
        str(row.get(key)) for key in ("sex", "age", "education_level", "occupation", "city", "state")
    )


def _changes(row: Record, mutated: Record) -> str:
    return "; ".join(f"{key}={str(value)[:100]}" for key, value in mutated.items() if row.get(key) != value)


if __name__ == "__main__":
    try:
        main()
    except DatasetError as error:
        sys.exit(f"validators.py: {error}")
