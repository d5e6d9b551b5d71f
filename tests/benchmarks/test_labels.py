"""Precision and recall of errors against what readers said of them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from census_personas.validators.finding import Finding

pytestmark = pytest.mark.quick

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "labels.py"
ROWS: list[dict[str, Any]] = [{"uuid_prefix8": f"{number:08x}"} for number in range(40)]


@pytest.fixture(scope="module")
def labels() -> ModuleType:
    spec = importlib.util.spec_from_file_location("labels", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["labels"] = module
    spec.loader.exec_module(module)
    return module


def _error(rule: str, field: str = "persona") -> Finding:
    return Finding(rule, "error", field, "wrong", "these words")


def _file(path: Path, *entries: tuple[int, str, str]) -> Path:
    lines = [
        json.dumps(
            {"uuid_prefix8": ROWS[at]["uuid_prefix8"], "rule": rule, "field": "persona", "label": label}
        )
        for at, rule, label in entries
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_precision_counts_true_and_false_and_recall_the_true(
    labels: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = labels.read_labels(
        _file(
            tmp_path / "labels.jsonl",
            (0, "place", "true"), (1, "place", "true"), (2, "place", "false"), (3, "place", "debatable"),
        )
    )  # fmt: skip
    found: list[list[Finding]] = [[] for _ in ROWS]
    found[0], found[2], found[3], found[4] = ([_error("place")] for _ in range(4))
    judged = labels.print_judged(ROWS, found, known, "unseen rows", 3)
    by_rule = judged["by_rule"]["place"]
    assert {key: by_rule[key] for key in ("true", "false", "debatable", "unread")} == {
        "true": 1, "false": 1, "debatable": 1, "unread": 1,
    }  # fmt: skip
    assert judged["share_true_found"] == 0.5
    assert judged["share_rows_wrongly_rejected"] == 1 / 40
    assert judged["interval_true_found"] == pytest.approx((0.0945, 0.9055), abs=1e-4)
    printed = capsys.readouterr().out
    assert "(unseen rows)" in printed
    assert "missed: 00000001 place" in printed
    assert "to read: 00000004 place: persona: wrong | these words" in printed


def test_a_rule_that_finds_nothing_has_a_recall_and_no_precision(labels: ModuleType, tmp_path: Path) -> None:
    known = labels.read_labels(_file(tmp_path / "labels.jsonl", (0, "place", "true")))
    judged = labels.print_judged(ROWS, [[] for _ in ROWS], known, "part", 0)
    assert judged["by_rule"]["place"]["precision"] is None
    assert judged["by_rule"]["place"]["recall"][0] == 0.0


def test_a_row_with_one_right_error_is_not_wrongly_rejected(labels: ModuleType, tmp_path: Path) -> None:
    known = labels.read_labels(_file(tmp_path / "labels.jsonl", (0, "place", "true"), (0, "age", "false")))
    found: list[list[Finding]] = [[] for _ in ROWS]
    found[0] = [_error("place"), _error("age")]
    judged = labels.print_judged(ROWS, found, known, "part", 0)
    assert judged["share_rows_wrongly_rejected"] == 0.0


def test_folds_hold_each_row_once_in_whatever_order(labels: ModuleType, tmp_path: Path) -> None:
    known = labels.read_labels(
        _file(tmp_path / "labels.jsonl", *((at, "place", "true" if at % 3 else "false") for at in range(40)))
    )
    found = [[_error("place")] if at % 2 else [] for at in range(40)]
    folds = labels.print_judged(ROWS, found, known, "part", 0)["folds"]
    turned = labels.print_judged(ROWS[::-1], found[::-1], known, "part", 0)["folds"]
    assert folds == turned
    assert folds["folds"] == len(folds["wrong"]["shares"]) == 5
    assert folds["recall"]["lowest"] <= folds["recall"]["highest"]


def test_the_interval_of_no_rows_is_none_and_of_all_ends_at_one(labels: ModuleType) -> None:
    assert labels.interval(0, 0) is None
    assert labels.interval(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
