"""Persona search: the people of a frame who meet criteria."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from census_personas.generator.analysis.groups import AnalysisError, numbers, require_columns
from census_personas.generator.sampling.where_clause import RANGE, is_pattern

_TASK = "find_personas"
_OPEN = re.compile(r"\s*(\d{1,9})\s*\+\s*")
_KEYS = ("min", "max", "contains")


def find_personas(frame: pd.DataFrame, **criteria: Any) -> pd.DataFrame:
    """Return the people who meet every criterion, in the frame's order and with its index.

    ```python
    find_personas(people, sex="Female", age="30-39", occupation="*engineer*")
    find_personas(people, age={"min": 65}, persona={"contains": ["choir", "garden"]})
    ```

    Args:
        frame: one row per person.
        criteria: column -> what its cells must be: a value; a list or set of values of which one holds; for numbers a
            range (`"30-39"`, `"65+"`, `"-25"`) or `{"min": 30, "max": 39}`; for text a pattern (`"*engineer*"`) or
            `{"contains": "engineer"}` (or several of which one occurs), letter case ignored; None for a missing cell.

    Raises:
        AnalysisError: a column does not exist (the nearest is named), or a criterion cannot be read.
    """
    require_columns(frame, criteria, _TASK)
    met = pd.Series(True, index=frame.index)
    for column, wanted in criteria.items():
        met &= _matches(frame, column, wanted)
    return frame[met]


def _matches(frame: pd.DataFrame, column: str, wanted: Any) -> pd.Series:
    if isinstance(wanted, Mapping):
        return _by_keys(frame, column, wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        met = pd.Series(False, index=frame.index)
        for one in wanted:
            met |= _matches(frame, column, one)
        return met
    cells = frame[column].astype(object)
    if wanted is None:
        return cells.isna()
    text = str(wanted)
    is_number = pd.api.types.is_numeric_dtype(frame[column])
    if is_number and isinstance(wanted, str) and (bounds := _bounds(text)) is not None:
        return _between(frame, column, *bounds)
    if is_number:
        try:
            return frame[column] == float(wanted)
        except (TypeError, ValueError) as error:
            raise AnalysisError(
                f'{_TASK}: {column}={text!r} is no number; write 30, "30-39", "65+" or "-25"'
            ) from error
    texts = cells.map(str, na_action="ignore")
    met = texts == text
    if is_pattern(text):
        pattern = re.compile(fnmatch.translate(text.casefold()), re.DOTALL)
        met |= texts.map(lambda cell: bool(pattern.match(cell.casefold())), na_action="ignore") == True  # noqa: E712  missing cells stay missing
    return met.astype(bool)


def _by_keys(frame: pd.DataFrame, column: str, wanted: Mapping[str, Any]) -> pd.Series:
    if not wanted or (unknown := [key for key in wanted if key not in _KEYS]):
        shown = unknown[0] if wanted else "nothing"
        raise AnalysisError(f"{_TASK}: {column} has {shown!r}; known keys are {', '.join(_KEYS)}")
    met = pd.Series(True, index=frame.index)
    if "contains" in wanted:
        asked = wanted["contains"]
        parts = [asked] if isinstance(asked, str) else list(asked)
        texts = frame[column].astype(object).map(lambda cell: str(cell).casefold(), na_action="ignore")
        met &= texts.map(lambda cell: any(str(part).casefold() in cell for part in parts)).where(
            texts.notna(), other=False
        )
    if {"min", "max"} & set(wanted):
        met &= _between(frame, column, wanted.get("min"), wanted.get("max"))
    return met.astype(bool)


def _between(frame: pd.DataFrame, column: str, low: Any, high: Any) -> pd.Series:
    values = numbers(frame, column, _TASK)
    try:
        first = float("-inf") if low is None else float(low)
        last = float("inf") if high is None else float(high)
    except (TypeError, ValueError) as error:
        raise AnalysisError(
            f"{_TASK}: {column}: {low!r} to {high!r} is no range; min and max are numbers"
        ) from error
    if first > last:
        raise AnalysisError(f"{_TASK}: {column}: the range {low} to {high} is reversed; write {high}-{low}")
    return values.between(first, last)


def _bounds(text: str) -> tuple[int | None, int | None] | None:
    """Read `30-39`, `65-`, `-25` or `65+`; None for any other text."""
    if plus := _OPEN.fullmatch(text):
        return int(plus[1]), None
    span = RANGE.fullmatch(text)
    if span is None or not any(span.groups()):
        return None
    low, high = (None if part is None else int(part) for part in span.groups())
    return low, high
