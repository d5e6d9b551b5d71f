"""Remarks: what a plan asks about values that can be read, but may not mean what they seem to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from census_personas.generator.input.mapping import MappedColumn, shown
from census_personas.generator.input.resolution import Resolution

# Codes of surveys for `don't know`, `refused` and `missing` that are ages of living people too.
_CODE = re.compile(r"9[789]")


def remarks_on(resolution: Resolution, column: MappedColumn) -> Iterator[str]:
    """Yield what a user should know about a column's values, a line each, with the remedy."""
    place = f"input.values.{column.target}"
    if column.left and resolution.sets_aside:
        yield f"rows with these are set aside; say what they mean under {place} (null: not known)"
    if column.readings is None or column.target != resolution.priors.roles.get("age"):
        return
    ages = [int(state) for state in resolution.priors.domain[column.target]]
    youngest, oldest = min(ages), max(ages)
    read = {
        text: str(reading.value) for text, reading in column.readings.items() if reading.value is not None
    }
    outside = [text for text, age in read.items() if _is_outside(age, youngest, oldest)]
    if outside:
        yield (
            f"outside {youngest} to {oldest}: {shown(Counter({text: column.counts[text] for text in outside}))}; "
            f"rejected unless {place} says what they mean (null: not known)"
        )
    said = {text for name in (column.source, column.target) for text in resolution.said.values.get(name, {})}
    if codes := {text: column.counts[text] for text in read if _CODE.fullmatch(text) and text not in said}:
        yield f"{shown(Counter(codes))}: an age, or a code for not known? then {place}: {{{min(codes)!r}: null}}"


def _is_outside(age: str, youngest: int, oldest: int) -> bool:
    """Return whether the locale has nobody of an age, or of any age in a range; several ages are left alone."""
    first, _, last = age.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        return False
    return int(first) > oldest or int(last or first) < youngest
