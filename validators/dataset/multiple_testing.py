"""Multiple testing: Bonferroni correction over all tests of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

Item = TypeVar("Item", bound="Tested")

FAMILY = 0.01
"""Probability that the report of a faithful dataset has at least one mark."""


class Tested(Protocol):
    """A test of a report: a frozen dataclass with a p value."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def p(self) -> float:
        """Probability of the observed deviation, or a larger one, in a faithful dataset; uncorrected."""
        ...

    @property
    def tests(self) -> int:
        """Number of tests that share the probability `FAMILY`."""
        ...


def significant(item: Tested) -> bool:
    """Return whether an item is marked: its p is below `FAMILY` divided by the number of tests (Bonferroni)."""
    return item.p * item.tests < FAMILY


def counted_together(items: Sequence[Item], tests: int) -> list[Item]:
    """Return the items with their number of tests set.

    The correction is Bonferroni's: it holds for dependent tests, such as tables of one sample, and the limit of each
    test does not depend on the results of others.
    """
    return [replace(item, tests=max(tests, 1)) for item in items]
