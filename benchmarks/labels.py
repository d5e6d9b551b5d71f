"""Labels: readers' judgements of the errors that rules reported, and the share of errors that are right.

A label file has a line of JSON for each error that was read: `{uuid_prefix8, rule, field, label, why}`, where the label
is true, debatable or false. An error is right where the row's label for its rule (and field, if there is one) is true;
debatable ones count for neither side, and those without a label are listed for reading.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import stdev
from typing import Any
from zlib import crc32

from census_personas.validators.finding import Finding

Key = tuple[str, str]  # row and rule
Labels = Mapping[Key, Mapping[str, str]]  # -> field -> label
VERDICTS = ("true", "debatable", "false", "unread")
FOLDS = 5
Z = 1.96  # standard deviations on either side of a 95 % interval


def read_labels(path: Path) -> Labels:
    """The labels of a file by row and rule."""
    labels: dict[Key, dict[str, str]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        labels[entry["uuid_prefix8"], entry["rule"]][entry["field"]] = str(entry["label"]).lower()
    return labels


def print_judged(
    rows: Sequence[Mapping[str, Any]],
    findings: Sequence[Sequence[Finding]],
    labels: Labels,
    part: str,
    shown: int,
) -> dict[str, Any]:
    """Print precision and recall by rule, and return them."""
    errors = {
        (row_name(row), code): [
            finding for finding in found if finding.code == code and finding.severity == "error"
        ]
        for row, found in zip(rows, findings, strict=True)
        for code in {finding.code for finding in found if finding.severity == "error"}
    }
    verdicts = {key: _verdict(found, labels.get(key, {})) for key, found in errors.items()}
    names = set(map(row_name, rows))
    truths = [key for key, fields in labels.items() if key[0] in names and "true" in fields.values()]
    found = Counter(key[1] for key in truths if key in errors)
    real = Counter(rule for _, rule in truths)
    counts = {rule: Counter(v for (_, other), v in verdicts.items() if other == rule) for _, rule in verdicts}
    print(f"\nErrors against labels, {len(rows)} rows ({part}); 95% intervals by Wilson")
    print(
        f"{'rule':26}"
        + "".join(f"{verdict:>11}" for verdict in VERDICTS)
        + f"{'precision':>28}{'recall':>28}"
    )
    for rule in sorted(counts.keys() | real.keys()):
        count = counts.get(rule, Counter())
        right, judged = count["true"], count["true"] + count["false"]
        print(
            f"{rule:26}"
            + "".join(f"{count[verdict]:>11}" for verdict in VERDICTS)
            + f"{_share(right, judged):>28}{_share(found[rule], real[rule]):>28}"
        )
    wrong = _wrong_rows(verdicts)
    folds = cross_validate(rows, verdicts, truths)
    print(
        f"{'all':26}recall {_share(found.total(), real.total())}; rows wrongly rejected {_share(len(wrong), len(rows))}"
    )
    print(
        f"{'':26}by {FOLDS} folds of rows: recall {folds['recall']['lowest']:.1%} to {folds['recall']['highest']:.1%},"
        f" deviation {folds['recall']['deviation']:.1%}; wrongly rejected {folds['wrong']['lowest']:.2%} to"
        f" {folds['wrong']['highest']:.2%}, deviation {folds['wrong']['deviation']:.2%}"
    )
    for key in [key for key in truths if key not in errors][:shown]:
        print(f"    missed: {' '.join(key)}")
    for key in [key for key, verdict in verdicts.items() if verdict == "unread"][:shown]:
        said = "; ".join(
            f"{finding.field}: {finding.message} | {finding.evidence}" for finding in errors[key]
        )
        print(f"    to read: {' '.join(key)}: {said}"[:300])
    return {
        "part": part,
        "by_rule": {
            rule: {
                **counts.get(rule, Counter()),
                "precision": interval(counts[rule]["true"], counts[rule]["true"] + counts[rule]["false"])
                if rule in counts
                else None,
                "recall": interval(found[rule], real[rule]),
            }
            for rule in sorted(counts.keys() | real.keys())
        },
        "share_true_found": found.total() / max(real.total(), 1),
        "interval_true_found": interval(found.total(), real.total()),
        "share_rows_wrongly_rejected": len(wrong) / len(rows),
        "interval_rows_wrongly_rejected": interval(len(wrong), len(rows)),
        "folds": folds,
    }


def cross_validate(
    rows: Sequence[Mapping[str, Any]], verdicts: Mapping[Key, str], truths: Sequence[Key]
) -> dict[str, Any]:
    """Compute recall and the share of rows wrongly rejected in each fold of rows, and the spread over folds.

    Nothing is fitted to labels: people chose the rules' words. So the folds show how much the figures depend on the
    choice of rows, not the figures for unread rows; for those, use rows of the part `unseen`. A row's name decides its
    fold, so the order of the file does not matter.
    """
    wrong = _wrong_rows(verdicts)
    recall, share = [], []
    for number in range(FOLDS):
        names = {name for name in map(row_name, rows) if crc32(name.encode()) % FOLDS == number}
        real = [key for key in truths if key[0] in names]
        if real:
            recall.append(sum(key in verdicts for key in real) / len(real))
        if names:
            share.append(len(wrong & names) / len(names))
    return {"folds": FOLDS, "recall": _spread(recall), "wrong": _spread(share)}


def _spread(shares: Sequence[float]) -> dict[str, Any]:
    """Shares of folds, rounded, with their ends and their standard deviation."""
    return {
        "shares": [round(share, 4) for share in shares],
        "lowest": min(shares, default=math.nan),
        "highest": max(shares, default=math.nan),
        "deviation": stdev(shares) if len(shares) > 1 else math.nan,
    }


def interval(part: int, whole: int) -> tuple[float, float] | None:
    """Compute the 95 % interval of a share (Wilson 1927); None without observations."""
    if not whole:
        return None
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return max(0.0, middle - half), min(1.0, middle + half)


def row_name(row: Mapping[str, Any]) -> str:
    """Return the name of a row in label files."""
    return str(row.get("uuid_prefix8") or row.get("uuid", ""))[:8]


def _verdict(found: Sequence[Finding], fields: Mapping[str, str]) -> str:
    labels = {fields[finding.field] for finding in found if finding.field in fields} or set(fields.values())
    return next((verdict for verdict in VERDICTS if verdict in labels), "unread")


def _wrong_rows(verdicts: Mapping[Key, str]) -> set[str]:
    """Rows all of whose errors are false."""
    by_row: dict[str, set[str]] = defaultdict(set)
    for (row, _), verdict in verdicts.items():
        by_row[row].add(verdict)
    return {row for row, said in by_row.items() if said == {"false"}}


def _share(part: int, whole: int) -> str:
    """A share with its interval."""
    ends = interval(part, whole)
    return "-" if ends is None else f"{part}/{whole} {part / whole:.1%} ({ends[0]:.1%}-{ends[1]:.1%})"
