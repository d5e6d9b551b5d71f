"""Files: what a run folder holds, and the columns and keys of the files in it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import griffe
from pydantic import BaseModel

from census_personas.census_priors.priors import Priors
from census_personas.foundation.run_layout import COPIES, RunLayout
from census_personas.foundation.schema import PROVENANCE, public_columns
from census_personas.generator.report.report_types import Report
from census_personas.generator.report.validation_report import ValidationReport
from census_personas.generator.run import findings
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.shard_store import ShardInfo

logging.getLogger("griffe").setLevel(logging.ERROR)  # see python_api.py

_FOLDER = Path("RUN")
_SHARD = 0


def run_folder_markdown() -> str:
    """Every file of a run folder, from the module that everybody asks for its place."""
    layout = RunLayout(_FOLDER)
    rows = [
        (place.relative_to(_FOLDER).as_posix(), _noun_first(_first_line(member)))
        for name, member in vars(RunLayout).items()
        if not name.startswith("_")
        for place in _places(layout, name, member)
    ]
    return _table(("file or folder", "what it holds"), [(f"`{place}`", text) for place, text in sorted(rows)])


def _places(layout: RunLayout, name: str, member: Any) -> list[Path]:
    """The paths that a member of the layout stands for: one, one of the first shard, or one for each other format."""
    if isinstance(member, property):
        value = getattr(layout, name)
        return [value] if isinstance(value, Path) else []
    if not inspect.isfunction(member):
        return []
    match list(inspect.signature(member).parameters):
        case ["self", "shard"]:
            return [member(layout, _SHARD)]
        case ["self", "suffix"]:
            return [member(layout, suffix) for suffix in COPIES]
        case ["self", "shard", "suffix"]:
            return [member(layout, _SHARD, suffix) for suffix in COPIES]
    return []


def columns_markdown() -> str:
    """The columns of every schema for the shipped locale, and those of the files of findings."""
    priors = Priors.load("en_US")
    people = priors.context_columns
    lines = [f"- `{name}`: {_names(public_columns(name, people))}" for name in ("nemotron", "nemotron-1.1")]
    lines += [
        f"- `full`: those of `nemotron-1.1`, then {_names((*people.full, *PROVENANCE))} and the personality traits",
        f"- `findings/part-XXXXX.parquet`: {_names(findings.SCHEMA.names)}",
    ]
    return "\n".join(lines)


def manifest_markdown() -> str:
    """The keys of a manifest."""
    return _keys(Manifest)


def report_markdown() -> str:
    """The keys of a report, and those of the values that stand in it."""
    return _keys(Report)


def validation_markdown() -> str:
    """The keys of the report on a file."""
    return _keys(ValidationReport)


def footer_markdown() -> str:
    """The keys that the footer of a part has."""
    return f"{_names(field.name for field in fields(ShardInfo))}."


def _keys(model: type[BaseModel]) -> str:
    said = dict(_attributes(model))
    schema = model.model_json_schema(mode="serialization")
    rows = [
        (
            f"`{name}`",
            _kind(described, schema.get("$defs", {})),
            said.get(name, described.get("description", "")),
        )
        for name, described in schema["properties"].items()
    ]
    return _table(("key", "value", "meaning"), rows)


def _attributes(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for section in griffe.Docstring(inspect.getdoc(model) or "", lineno=1).parse("google"):
        if section.kind.value == "attributes":
            yield from ((item.name, " ".join(item.description.split())) for item in section.value)


def _kind(schema: Mapping[str, Any], defined: Mapping[str, Any]) -> str:
    """A JSON schema in words."""
    kind = str(schema.get("type", "any"))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(part, defined) for part in schema["anyOf"]))
    if "$ref" in schema:
        inner = defined[schema["$ref"].rpartition("/")[2]].get("properties", {})
        kind = f"object: {_names(inner)}" if inner else "object"
    elif kind == "array":
        kind = f"list of {_kind(schema.get('items', {}), defined)}"
    elif isinstance(values := schema.get("additionalProperties"), Mapping):
        kind = f"object of {_kind(values, defined)}"
    return kind


def _first_line(member: Any) -> str:
    return " ".join((inspect.getdoc(member) or "").partition("\n\n")[0].split())


def _noun_first(text: str) -> str:
    """A method's first line without its verb."""
    text = text.removeprefix("Return the ")
    return text[:1].upper() + text[1:]


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
