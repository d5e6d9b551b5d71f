"""How many contradictions rules find in passages that were written for this purpose, and how many others they reject.

    python benchmarks/wordings.py PASSAGES.jsonl [--show 10] [--json]

A line of PASSAGES is a JSON object:

    {"text": "Ana Wu works part-time at a bank.", "field": "persona", "facts": {"occupation": "not_in_workforce"},
     "label": "contradiction", "kind": "working_life"}

`text` is put into `field` of a row that is otherwise without a fault, and `facts` replace the row's (name, sex, age,
education, occupation, place). `label` is "contradiction" or "fine", `kind` any word to count by. A text that lacks
the name, or is too short for its field, gets a neutral sentence after it, unless its kind is about names or
length. A passage counts as rejected if the row has an error that the same row with a neutral text does not have;
where facts alone contradict each other (`FACTS`), any error counts. Passages test wordings one by one; how
often a wording occurs is known from real rows only (`validators.py`).
`wordings.jsonl` beside this script was written with the rules in view: it guards what was mended, and
measures nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from labels import interval

from census_personas.census_priors.priors import Priors
from census_personas.validators.finding import Finding
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

FACTS = frozenset({"occupation_education", "demographic_consistency"})
AS_WRITTEN = frozenset({"name_present", "sentence_count_length"})
SHORTEST = 60  # characters from which a passage stands alone
NEUTRAL = {
    "persona": "{0} {1} keeps lists of everything, laughs easily with anxious people, and mislays only the lists.",
    "professional_persona": "{0} {1} likes a plan on paper before anything is begun, and a second one for rainy days.",
    "sports_persona": "{0} {1} walks fast, swims slowly, and watches any match that is on with the sound turned off.",
    "arts_persona": "{0} {1} hums old songs, sketches teapots, and reads the last page of a mystery before the first.",
    "travel_persona": "{0} {1} packs a week ahead, forgets the toothbrush, and sends one postcard from each stop.",
    "culinary_persona": "{0} {1} salts late, stirs with a wooden spoon, and will not share the recipe for plum cake.",
    "cultural_background": "{0} grew up in a house with a loud radio and a quiet cat. Both are remembered with love.",
    "career_goals_and_ambitions": "{0} hopes to learn bookbinding. The first volume will hold letters of two aunts.",
}
AFTER = "The list for the day is as long as ever."
FULL_NAME = frozenset(field for field, text in NEUTRAL.items() if "{1}" in text)
PERSON: Mapping[str, Any] = {
    "first_name": "Ana",
    "last_name": "Wu",
    "sex": "Female",
    "age": 44,
    "marital_status": "divorced",
    "education_level": "high_school",
    "occupation": "not_in_workforce",
    "city": "Peoria",
    "state": "IL",
    "zipcode": "61602",
    "country": "USA",
}
VERDICTS = {"contradiction": True, "fine": False}


def main() -> None:
    """Print recall by kind, and the share of innocent passages that are rejected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("passages", type=Path)
    parser.add_argument("--show", type=int, default=10, help="mistakes to print")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    passages = read_passages(options.passages)
    checker = RecordChecker(RuleContext(Priors.load("en_US")))
    rejected = [tuple(new_errors(checker, passage)) for passage in passages]
    for passage, errors in zip(passages, rejected, strict=True):
        if VERDICTS[passage["label"]] != bool(errors) and options.show > 0:
            options.show -= 1
            said = "; ".join(f"{error.code}: {error.evidence}" for error in errors) or "not found"
            print(f"    {passage['kind']}, {passage['facts']}: {passage['text']} | {said}")
    result = count(passages, rejected)
    for kind, entry in result.items():
        print(f"{kind:28}found {_share(*entry['found'])}   wrongly rejected {_share(*entry['wrong'])}")
    if options.json:
        print(json.dumps(result))


def read_passages(path: Path) -> list[dict[str, Any]]:
    """Read the passages of a file.

    Raises:
        ValueError: a line lacks a key or has an unknown label; the message names the line.
    """
    passages = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        passage = json.loads(line)
        missing = {"text", "field", "facts", "label", "kind"} - passage.keys()
        if missing or passage["label"] not in VERDICTS:
            wrong = ", ".join(sorted(missing)) or f"label {passage['label']!r}"
            raise ValueError(f"{path}: line {number}: {wrong}; see benchmarks/wordings.py for the format")
        passages.append(passage)
    return passages


def new_errors(checker: RecordChecker, passage: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the errors that a row has by a passage."""
    facts = {**PERSON, **passage["facts"]}
    first, last = facts["first_name"], facts["last_name"]
    neutral = {field: text.format(first, last) for field, text in NEUTRAL.items()}
    field, text, kind = passage["field"], passage["text"], passage["kind"]
    row = {**facts, **neutral}
    known = {(error.code, error.field) for error in _errors(checker, row)} if kind not in FACTS else set()
    if kind not in AS_WRITTEN:
        if (f"{first} {last}" if field in FULL_NAME else first) not in text:
            text = f"{text} {neutral[field]}"
        elif len(text) < SHORTEST:
            text = f"{text} {AFTER}"
    for error in _errors(checker, {**row, field: text}):
        if (error.code, error.field) not in known:
            yield error


def _errors(checker: RecordChecker, row: Mapping[str, Any]) -> Iterator[Finding]:
    return (finding for finding in checker.check(row) if finding.severity == "error")


def count(
    passages: Sequence[Mapping[str, Any]], rejected: Sequence[Sequence[Finding]]
) -> dict[str, dict[str, tuple[int, int]]]:
    """Count by kind, and in all, the contradictions found and the innocent passages rejected, each of how many."""
    found, wrong, total, innocent = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for passage, errors in zip(passages, rejected, strict=True):
        for kind in (passage["kind"], "all"):
            if VERDICTS[passage["label"]]:
                total[kind] += 1
                found[kind] += bool(errors)
            else:
                innocent[kind] += 1
                wrong[kind] += bool(errors)
    kinds = [*sorted((total.keys() | innocent.keys()) - {"all"}), "all"]
    return {
        kind: {"found": (found[kind], total[kind]), "wrong": (wrong[kind], innocent[kind])} for kind in kinds
    }


def _share(part: int, whole: int) -> str:
    ends = interval(part, whole)
    return "-" if ends is None else f"{part}/{whole} {part / whole:.1%} ({ends[0]:.1%}-{ends[1]:.1%})"


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"wordings.py: {error}")
