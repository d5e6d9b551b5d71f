"""Schema: the ordered columns of a dataset, and the conversion of records to columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.traits import TRAITS

Schema = Literal["nemotron", "nemotron-1.1", "full"]
Kind = Literal["text", "integer", "list"]

NARRATIVES = (
    "persona",
    "professional_persona",
    "sports_persona",
    "arts_persona",
    "travel_persona",
    "culinary_persona",
)
"""The six persona narratives."""
LISTS = ("skills_and_expertise_list", "hobbies_and_interests_list")
BACKGROUND = (
    "cultural_background",
    "skills_and_expertise",
    "hobbies_and_interests",
    "career_goals_and_ambitions",
)
"""Prose fields of the attributes call."""
PROSE = NARRATIVES + BACKGROUND
"""Every prose field."""
_ATTRIBUTES = (
    "skills_and_expertise",
    "skills_and_expertise_list",
    "hobbies_and_interests",
    "hobbies_and_interests_list",
    "career_goals_and_ambitions",
)
OF_INPUT = ("drawn", "key")
"""What `full` says of people who were read from a file: the facts that were drawn, and the file's key of the row."""
PROVENANCE = ("row", "model", "prompt_digest", "attempts", "flags")

_TRAIT_COLUMNS = tuple(column for trait in TRAITS for column in (trait, f"{trait}_label"))
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("birth_year", "row", "attempts", *TRAITS), "integer"),
    **dict.fromkeys((*LISTS, "flags", *OF_INPUT[:1]), "list"),
}
_WRITTEN = frozenset({*PROSE, *LISTS})
_TYPES: Mapping[Kind, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "list": pa.list_(pa.field("element", pa.string())),
}


RESERVED = frozenset(
    {
        "uuid",
        "country",
        "birth_year",
        *PROVENANCE,
        *OF_INPUT,
        *PROSE,
        *LISTS,
        *TRAITS,
        *(f"{trait}_label" for trait in TRAITS),
    }
)
"""Columns that the engine computes or a narrator writes; no attribute of a locale may have such a name."""


class SchemaError(PersonasError, ValueError):
    """A field that cannot become a column of a dataset; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class ContextColumns:
    """The columns of a locale's facts in its datasets.

    Attributes:
        public: columns of the public schemas, in order.
        full: first columns that the full schema adds, in order; other attributes follow.
        integers: columns of whole numbers, such as the age.
    """

    public: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    integers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and the kind of its cells."""

    name: str
    kind: Kind

    @property
    def missing(self) -> Any:
        """The cell of a record without this value."""
        return {"text": "", "integer": None, "list": []}[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """The ordered columns of one file.

    Attributes:
        columns: in file order.
        lists: `native` writes Parquet lists, `string` a Python list's text as the released dataset does.
    """

    columns: tuple[Column, ...]
    lists: Literal["native", "string"] = "native"

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in file order."""
        return tuple(column.name for column in self.columns)

    @property
    def arrow(self) -> pa.Schema:
        """The same columns for pyarrow."""
        text = self.lists == "string"
        kinds: list[Kind] = ["text" if text and c.kind == "list" else c.kind for c in self.columns]
        return pa.schema([(name, _TYPES[kind]) for name, kind in zip(self.names, kinds, strict=True)])

    def values(self, records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Convert records to this table's columns, and no others."""
        values = {}
        for column in self.columns:
            name, missing = column.name, column.missing
            cells = [record.get(name, missing) for record in records]
            text = self.lists == "string" and column.kind == "list"
            values[name] = [repr(list(cell)) for cell in cells] if text else cells
        return values


def table_of(
    schema: Schema,
    context: Mapping[str, Kind],
    locale: ContextColumns,
    *,
    written: Mapping[str, Kind] | None = None,
    lists: Literal["native", "string"] = "native",
) -> Table:
    """Return the columns of a narrated dataset.

    Args:
        schema: which public schema.
        context: columns of the population and their kinds; `full` has them all.
        locale: the columns that the locale publishes.
        written: fields that the prompts write, and their kinds; those unknown to the schemas come last, in every
            schema. `full` leaves out known texts that are not written. None stands for all known texts.
        lists: how list columns are written.
    """
    names = [*public_columns(schema, locale)]
    if schema == "full":
        names = [name for name in names if written is None or name not in _WRITTEN or name in written]
        names += [*_engine(context, locale), *PROVENANCE]
    kinds = written or {}
    names += [name for name in kinds if name not in {*names, *_WRITTEN}]
    return Table(_columns(names, {**context, **kinds}, locale), lists)


def refuse_written(
    schema: Schema, context: Iterable[str], locale: ContextColumns, written: Mapping[str, Kind]
) -> None:
    """Refuse fields that clash with other columns, and a public schema with texts that the prompts do not write.

    Raises:
        SchemaError: the message names the field or column and the remedy.
    """
    taken = {name.casefold(): name for name in (*context, *PROVENANCE)}
    for name, kind in written.items():
        if name.casefold() in taken:
            raise SchemaError(
                f"prompts: field {name}: the people already have {taken[name.casefold()]!r}, which the text would "
                "overwrite; give the field another name"
            )
        if name in _WRITTEN and kind != (known := _KINDS.get(name, "text")):
            raise SchemaError(f"prompts: field {name}: the column of this name holds a {known}, not a {kind}")
    public = public_columns(schema, locale)
    lacking = [name for name in public if name in _WRITTEN and name not in written]
    if lacking and schema != "full":
        raise SchemaError(
            f"output.schema={schema}: its {len(public)} columns have {', '.join(lacking)}, which these "
            "prompts do not write; write them, or set output.schema=full, which leaves such columns out"
        )


def context_table(schema: Schema, context: Mapping[str, Kind], locale: ContextColumns) -> Table:
    """Return the columns of a sample without texts: those of the schema that the population has."""
    names = [name for name in public_columns(schema, locale) if name not in _WRITTEN and name in context]
    if schema == "full":
        names += [*_engine(context, locale), *(["row"] if "row" in context else [])]
    return Table(_columns(names, context, locale))


def public_columns(schema: Schema, locale: ContextColumns) -> tuple[str, ...]:
    """Return the columns of a public schema for a locale; the full schema begins with those of `nemotron-1.1`.

    The texts are those of the first release of Nemotron-Personas, in its order; the second also has
    `cultural_background`. The locale declares the columns of facts.
    """
    background = () if schema == "nemotron" else ("cultural_background",)
    return ("uuid", *NARRATIVES, *background, *_ATTRIBUTES, *locale.public)


def _engine(context: Mapping[str, Kind], locale: ContextColumns) -> list[str]:
    known = [name for name in (*locale.full, *_TRAIT_COLUMNS) if name in context]
    public = public_columns("nemotron-1.1", locale)
    return known + [name for name in context if name not in {*known, *public, *PROVENANCE}]


def _columns(names: Iterable[str], context: Mapping[str, Kind], locale: ContextColumns) -> tuple[Column, ...]:
    integers: Mapping[str, Kind] = dict.fromkeys(locale.integers, "integer")
    kinds = {**context, **_KINDS, **integers}
    return tuple(Column(name, kinds.get(name, "text")) for name in names)
