"""CheckedBlock: the findings about one block of a file's rows. Blocks are checked independently of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from census_personas.validators.collected_facts import CollectedColumns, CollectedFacts
from census_personas.validators.finding import Finding
from census_personas.validators.rules import RecordChecker

Spread = Callable[[Iterator[Sequence[Mapping[str, Any]]]], Iterator["CheckedBlock"]]
"""Checks blocks of records, in any process and any order, and returns the results in the order of the blocks."""


@dataclass(frozen=True, slots=True)
class CheckedBlock:
    """The results for one block of rows.

    Attributes:
        uuids: of each row, empty where it has none.
        findings: about each row that has any, by its place in the block.
        columns: that at least one row has.
        facts: of each row, for measures; None where nobody asked for them.
    """

    uuids: tuple[str, ...]
    findings: Mapping[int, tuple[Finding, ...]]
    columns: frozenset[str]
    facts: CollectedFacts | None = None

    @property
    def rejected(self) -> int:
        """Number of rows with at least one error."""
        return sum(any(f.severity == "error" for f in findings) for findings in self.findings.values())

    def counts(self) -> Counter[tuple[str, str]]:
        """Count the rows with findings of each rule and severity."""
        return Counter(
            pair
            for findings in self.findings.values()
            for pair in {(finding.code, finding.severity) for finding in findings}
        )


def check_block(
    checker: RecordChecker, records: Sequence[Mapping[str, Any]], collected: CollectedColumns | None = None
) -> CheckedBlock:
    """Check some rows, and collect what measures ask of `collected`; nothing depends on rows of other blocks."""
    facts = None if collected is None else CollectedFacts(collected)
    if facts is not None:
        for record in records:
            facts.add(record)
    findings = {place: found for place, found in enumerate(checker.check_each(records)) if found}
    return CheckedBlock(
        uuids=tuple(str(record.get("uuid") or "") for record in records),
        findings=findings,
        columns=frozenset().union(*records),
        facts=facts,
    )
