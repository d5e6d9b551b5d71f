"""CheckedBlock: the findings about one block of a file's rows. Blocks are checked independently of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from census_personas.validators.finding import Finding
from census_personas.validators.rules import RecordChecker

Spread = Callable[[Iterator[Sequence[Mapping[str, Any]]]], Iterator["CheckedBlock"]]
"""Checks blocks of records, in any process and any order, and returns the results in the order of the blocks."""


@dataclass(frozen=True, slots=True)
class CheckedBlock:
    """The results for one block of rows.

    Attributes:
        uuids: UUID of each row; empty where a row has none.
        findings: position in the block -> findings, for each row that has any.
        columns: columns that at least one row has.
    """

    uuids: tuple[str, ...]
    findings: Mapping[int, tuple[Finding, ...]]
    columns: frozenset[str]

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


def check_block(checker: RecordChecker, records: Sequence[Mapping[str, Any]]) -> CheckedBlock:
    """Check one block of rows; no finding depends on rows of other blocks."""
    findings = {place: of_row for place, of_row in enumerate(checker.check_each(records)) if of_row}
    return CheckedBlock(
        uuids=tuple(str(record.get("uuid") or "") for record in records),
        findings=findings,
        columns=frozenset().union(*records),
    )
