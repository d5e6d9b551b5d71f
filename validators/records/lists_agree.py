"""The lists of skills and hobbies say what the prose about them says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from persona_engine.validators.finding import Finding, Policy, Rule, Scope, Severity
from persona_engine.validators.prose import letters, plain_each
from persona_engine.validators.reading import Reading

if TYPE_CHECKING:
    from persona_engine.validators.reference import Reference

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
STEM = 5  # letters by which two words count as the same
FEW = 0.35  # share of items found in the prose below which a finding is a warning
PAIRS = (
    ("skills_and_expertise", "skills_and_expertise_list"),
    ("hobbies_and_interests", "hobbies_and_interests_list"),
)
_EMPTY = frozenset(
    "and or the of for with in to a an on at by from new local community general basic advanced".split()
)


def check(record: Mapping[str, Any], _reference: Reference) -> Iterator[Finding]:
    """Look for each item's words in the prose of the same name; none found is an error, few a warning."""
    reading = Reading.of(record)
    for prose, listed in PAIRS:
        items = reading.list_of(listed)
        if items is None:
            if listed in record and record[listed] not in (None, ""):
                yield RULE.error(listed, "not a list of strings", str(record[listed])[:80])
            continue
        if not items:
            continue
        if prose not in reading.prose:
            yield RULE.not_judged(listed, f"the record has no {prose} to compare with")
            continue
        stems = {word[:STEM] for word in reading.vocabulary[prose]}
        missing = [
            item
            for item, known in zip(items, letters("\n".join(plain_each(items))).split("\n"), strict=True)
            if not _mentioned(known.split(), stems)
        ]
        share = 1 - len(missing) / len(items)
        if share == 0:
            yield RULE.error(
                listed, f"no item of the list is in {prose}; list what it tells", ", ".join(items)[:120]
            )
        elif share < FEW:
            yield RULE.warning(listed, f"few items are in {prose}", ", ".join(missing)[:120])


def _mentioned(item: list[str], stems: set[str]) -> bool:
    wanted = {word[:STEM] for word in item if word not in _EMPTY}
    return not wanted or not wanted.isdisjoint(stems)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "skills_and_expertise": "Ana bakes bread, manages budgets and writes Python.",
        "skills_and_expertise_list": "['Bread baking', \"Budget management\", 'Python']",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "hobbies_and_interests": "Ana paints and hikes.",
        "hobbies_and_interests_list": ["Chess", "Stamp collecting"],
    },
    {"skills_and_expertise": "Ana bakes.", "skills_and_expertise_list": "baking"},
)
