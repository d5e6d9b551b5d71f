"""Input section: a user's file of people, and the meaning of its columns and values."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from census_personas.foundation.printable import is_text
from census_personas.generator.config.section import Name, Section

_MOST_COLUMNS = 1_000


def _meaning(value: Any) -> Any:
    parts = value if isinstance(value, list | tuple) else () if value is None else (value,)
    if any(isinstance(part, bool) or not isinstance(part, str | int) for part in parts):
        raise ValueError(f"input.values: {value!r} is not a state, a list of states, a range or null")
    for part in parts:
        if not is_text(str(part)):
            raise ValueError(f"input.values: {part!r} is not UTF-8 text; write it in UTF-8")
    return tuple(parts) if isinstance(value, list) else value


Meaning = Annotated[Any, BeforeValidator(_meaning)]
"""Meaning of a file's value: a state, a list of states of which one is true, a range such as `25-34`, or unknown."""


def as_text(value: Any) -> Any:
    """Return a mapping's key as the file's text: YAML reads a bare 12 as a number and a bare no as a boolean."""
    if isinstance(value, bool) or value is None:
        raise ValueError(
            f"YAML does not read a bare {str(value).lower()!r} as text; put the file's value in quotes"
        )
    return str(value)


def _texts(values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {as_text(key): value for key, value in values.items()}


class InputConfig(Section):
    """People to narrate instead of sampled ones. A bare path is short for `file`.

    Obvious columns and values are matched automatically; `personas narrate FILE --plan` shows how.
    """

    file: Name = Field(
        description="Parquet, CSV, TSV or JSONL file, or run folder; it counts by its contents."
    )
    columns: Annotated[dict[str, Name | None], BeforeValidator(_texts), Field(max_length=_MOST_COLUMNS)] = (
        Field(
            default_factory=dict,
            description="Column of the file: attribute of the locale; null leaves the column out.",
        )
    )
    values: dict[str, Annotated[dict[str, Meaning], BeforeValidator(_texts)]] = Field(
        default_factory=dict,
        description=(
            "Attribute: value of the file: state, list of states, or range; null is not known, and the value '*' "
            "stands for all others."
        ),
    )
    key: Name | None = Field(
        default=None, description="Column that names each row once; kept in `full` and in keys.parquet."
    )
    encoding: str = Field(default="utf-8-sig", description="Encoding of a text file, such as latin-1.")
    separator: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="Between the cells of a text file; found in its first line if left out."
    )

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except (LookupError, ValueError) as error:
            raise ValueError(
                f"input.encoding: unknown encoding {value!r}; name one such as latin-1"
            ) from error
        return value

    @model_validator(mode="after")
    def _one_column_an_attribute(self) -> InputConfig:
        targets = Counter(target for target in self.columns.values() if target is not None)
        for target, times in targets.items():
            if times > 1:
                both = " and ".join(repr(name) for name, said in self.columns.items() if said == target)
                raise ValueError(f"input.columns: {both} are both mapped to {target!r}; keep one of them")
        return self


def file_alone(value: Any) -> Any:
    """Expand a bare path to the section that it is short for."""
    return {"file": value} if isinstance(value, str) else value


People = Annotated[InputConfig | None, BeforeValidator(file_alone)]
"""The config's key `input`."""
