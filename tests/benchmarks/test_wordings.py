"""Passages written to test rules: read, judged in a row of their own, and counted."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from shipped import united_states

from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

pytestmark = pytest.mark.quick

FOLDER = Path(__file__).parents[2] / "benchmarks"
LINE = {
    "text": "Ana Wu works part-time at a bank.",
    "field": "persona",
    "facts": {"occupation": "not_in_workforce"},
    "label": "contradiction",
    "kind": "working_life",
}


@pytest.fixture(scope="module")
def wordings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wordings", FOLDER / "wordings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wordings"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def checker() -> RecordChecker:
    return RecordChecker(RuleContext(united_states()))


def test_own_wordings_are_judged_right(wordings: ModuleType, checker: RecordChecker) -> None:
    passages = wordings.read_passages(FOLDER / "wordings.jsonl")
    wrong = [
        passage["text"]
        for passage in passages
        if any(wordings.new_errors(checker, passage)) != wordings.VERDICTS[passage["label"]]
    ]
    assert wrong == []


def test_neutral_texts_are_accepted(wordings: ModuleType, checker: RecordChecker) -> None:
    fine = {**LINE, "text": wordings.NEUTRAL["persona"].format("Ana", "Wu"), "label": "fine"}
    assert list(wordings.new_errors(checker, fine)) == []


def test_counts_are_by_kind(wordings: ModuleType, checker: RecordChecker) -> None:
    fine = {**LINE, "text": "Ana Wu volunteers at a bank.", "label": "fine"}
    passages = [LINE, fine]
    counts = wordings.count(passages, [list(wordings.new_errors(checker, passage)) for passage in passages])
    assert counts["working_life"] == counts["all"] == {"found": (1, 1), "wrong": (0, 1)}


def test_unknown_label_is_refused(wordings: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    path.write_text(json.dumps({**LINE, "label": "maybe"}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1: label 'maybe'"):
        wordings.read_passages(path)
