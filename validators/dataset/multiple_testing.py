"""Multiple testing: Bonferroni correction over all tests of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

Item = TypeVar("Item", bound="Tested")

FAMILY = 0.01
"""Chance that a dataset that is what it should be has any mark, of all that its report tests."""


class Tested(Protocol):
    """What a report tests: a frozen dataclass with the probability of what it shows."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def p(self) -> float:
        """Probability of what was observed, or more, in a faithful dataset; of this test alone."""
        ...

    @property
    def tests(self) -> int:
        """How many tests share the chance `FAMILY`."""
        ...


def significant(item: Tested) -> bool:
    """Whether an item is marked: its share of `FAMILY` is exceeded (Bonferroni)."""
    return item.p * item.tests < FAMILY


def counted_together(items: Sequence[Item], tests: int) -> list[Item]:
    """The items, each one of so many tests.

    The correction is Bonferroni's: valid however the tests depend on one another, as tables of one sample do, and
    with a limit for each test that no other test moves.
    """
    return [replace(item, tests=max(tests, 1)) for item in items]
