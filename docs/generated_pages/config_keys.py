"""Config keys: every key of a run's configuration with its type, default, bounds and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from census_personas.generator.config.run_config import Config
from generated_pages.fingerprints import in_fingerprint

BY_CONTENT = ("input", "locale", "plugins", "prompts.set")
"""Keys that name files: a manifest has the digests of what is in them."""

_KINDS = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "object": "mapping",
    "string": "text",
}


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Attributes:
        path: as in `--set`, such as `llm.model`; `[]` stands for each item of a list.
        schema: its JSON schema.
        section: whether it is nothing but a section with keys of its own.
        within: the path of the key whose value holds it, where that is no section; else nothing.
    """

    path: str
    schema: Mapping[str, Any]
    section: bool
    within: str = ""

    @property
    def description(self) -> str:
        """What it means; empty where the code does not say."""
        return str(self.schema.get("description", ""))


def keys() -> list[Key]:
    """Every key, a section before the keys in it."""
    schema = config_schema()
    return list(_keys(schema, schema.get("$defs", {}), "", ""))


@cache
def config_schema() -> Any:
    """The JSON schema of a configuration."""
    return json.loads(json.dumps(Config.model_json_schema(by_alias=True)), object_hook=_in_words_of_json)


def _in_words_of_json(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with JSON's names of bounds: pydantic leaves its own where a value is looked at before they are."""
    names = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    return {names.get(key, key): value for key, value in schema.items()}


def _keys(schema: Mapping[str, Any], sections: Mapping[str, Any], prefix: str, within: str) -> Iterator[Key]:
    for name, described in schema["properties"].items():
        path = f"{prefix}{name}"
        yield Key(path, described, "$ref" in described, within)
        section, mark = _section(described)
        if section:
            outer = within or ("" if "$ref" in described else path)
            yield from _keys(sections[section], sections, f"{path}{mark}.", outer)


def _section(described: Mapping[str, Any]) -> tuple[str, str]:
    """The section that a key's value, or each of its items, may be, and how a path says so."""
    for part in (described, *described.get("anyOf", ())):
        for inner, mark in ((part, ""), (part.get("items", {}), "[]")):
            if "$ref" in inner:
                return str(inner["$ref"]).rpartition("/")[2], mark
    return "", ""


def markdown() -> str:
    """The reference of all keys: those of the top level first, then section by section."""
    every = keys()
    sections = [key for key in every if key.section and not key.within]
    top = [key for key in every if not key.section and not _of(key, sections)]
    lines = ["## Top level", *map(_entry, top)]
    for section in sections:
        lines += [f"## `{section.path}`", section.description]
        lines += [_entry(key) for key in every if key is not section and _of(key, [section])]
    return "\n\n".join(lines)


def _of(key: Key, sections: list[Key]) -> bool:
    return any(key.path.startswith(f"{section.path}.") for section in sections)


def _entry(key: Key) -> str:
    default = key.schema.get("default")
    shown = "no default" if default in (None, "") else f"default `{json.dumps(default)}`"
    return f"### `{key.path}`\n\n{key.description}\n\n*{_kind(key.schema)}; {shown}; {fingerprinted(key)}*"


def fingerprinted(key: Key) -> str:
    """Whether a run with another value of the key is another run."""
    path = key.within or key.path
    if path in BY_CONTENT:
        return "in the fingerprint by its contents"
    return "in the fingerprint" if in_fingerprint(path, config_schema()) else "not in the fingerprint"


def _kind(schema: Mapping[str, Any]) -> str:
    """A JSON schema in words."""
    if "enum" in schema or "const" in schema:
        values = [f"`{value}`" for value in schema.get("enum", [schema.get("const")])]
        return " or ".join([part for part in (", ".join(values[:-1]), values[-1]) if part])
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "$ref" in schema:
        return "mapping of the keys below"
    kind = str(schema.get("type"))
    said = _KINDS.get(kind, "any value")
    if kind == "array":
        most = f" of at most {schema['maxItems']:,}" if "maxItems" in schema else ""
        said = f"list{most}, each {_kind(schema.get('items', {}))}"
    held = schema.get("additionalProperties")
    if isinstance(held, Mapping) and held:
        said = f"mapping to {_kind(held)}"
    return " ".join([said, *_bounds(schema)])


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    lowest, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    highest, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if above is not None:
        yield f"above {_figure(above)}"
    elif lowest is not None:
        yield f"from {_figure(lowest)}"
    if highest is not None:
        yield f"{'up ' if above is not None else ''}to {_figure(highest)}"
    elif below is not None:
        yield f"to below {_figure(below)}"
    if "maxLength" in schema and schema["maxLength"] <= 1000:
        yield f"of at most {schema['maxLength']} characters"


def _figure(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"
