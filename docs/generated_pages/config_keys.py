"""Config keys: every key of a run's configuration with its type, default, bounds and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from census_personas.generator.config import config_file
from census_personas.generator.config.run_config import Config

BY_CONTENT = ("input", "locale", "plugins", "prompts.set")
"""Keys that name files: a manifest has the digests of what is in them."""

_SERVED: Mapping[str, Any] = {"llm": {"backend": "openai", "model": "first"}}
_KINDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
_OTHER_TEXTS = ("second", "http://second", "SECOND")
_OTHERS: Mapping[str, tuple[Any, ...]] = {
    "array": (["second"],),
    "boolean": (True, False),
    "object": ({"sex": "uniform"}, {"sex": "Male"}, {"echo": "flag"}),
}


@dataclass(frozen=True)
class Key:
    """A key of the configuration.

    Attributes:
        path: as in `--set`, such as `llm.model`.
        schema: its JSON schema.
        section: whether it holds keys of its own.
    """

    path: str
    schema: Mapping[str, Any]
    section: bool

    @property
    def description(self) -> str:
        """What it means; empty where the code does not say."""
        return str(self.schema.get("description", ""))


def keys() -> list[Key]:
    """Every key, a section before the keys in it."""
    schema = json.loads(json.dumps(Config.model_json_schema(by_alias=True)), object_hook=_in_words_of_json)
    return list(_keys(schema, schema.get("$defs", {}), ""))


def _keys(schema: Mapping[str, Any], sections: Mapping[str, Any], prefix: str) -> Iterator[Key]:
    for name, described in schema["properties"].items():
        path = f"{prefix}{name}"
        named = _section(described)
        yield Key(path, described, "$ref" in described)
        if named:
            yield from _keys(sections[named], sections, f"{path}.")


def _in_words_of_json(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with JSON's names of bounds: pydantic leaves its own where a value is looked at before they are."""
    names = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    return {names.get(key, key): value for key, value in schema.items()}


def _section(described: Mapping[str, Any]) -> str:
    """The section that a key's value may be, else nothing."""
    for part in (described, *described.get("anyOf", ())):
        if "$ref" in part:
            return str(part["$ref"]).rpartition("/")[2]
    return ""


def markdown() -> str:
    """The reference of all keys: those of the top level first, then section by section."""
    every = keys()
    top = [key for key in every if not key.section and "." not in key.path]
    lines = ["## Top level", *map(_entry, top)]
    for section in (key for key in every if key.section):
        inner = [key for key in every if key.path.startswith(f"{section.path}.")]
        lines += [f"## `{section.path}`", section.description, *map(_entry, inner)]
    return "\n\n".join(lines)


def _entry(key: Key) -> str:
    default = key.schema.get("default")
    shown = "no default" if default in (None, "") else f"default `{json.dumps(default)}`"
    return f"### `{key.path}`\n\n{key.description}\n\n*{_kind(key.schema)}; {shown}; {fingerprinted(key)}*"


def fingerprinted(key: Key) -> str:
    """Whether a run with another value of the key is another run."""
    if key.path in BY_CONTENT:
        return "in the fingerprint by its contents"
    first = config_file.from_values(_SERVED, {}).fingerprint()
    fingerprints = {_with(key.path, other) for other in _others(key)} - {None}
    if not fingerprints:
        raise ValueError(f"{key.path}: no second value is known for it; add one to {__name__}")
    return "in the fingerprint" if fingerprints != {first} else "not in the fingerprint"


def _with(path: str, value: Any) -> str | None:
    """The fingerprint with a value of a key; None where the value is not allowed."""
    section, _, name = path.rpartition(".")
    values = {**_SERVED, **({} if section else {name: value})}
    if section:
        values[section] = {**_SERVED.get(section, {}), name: value}
    try:
        return config_file.from_values(values, {}).fingerprint()
    except (ValidationError, ValueError):
        return None


def _others(key: Key) -> Iterator[Any]:
    """Values that differ from the default, whether they are allowed or not."""
    for part in (key.schema, *key.schema.get("anyOf", ())):
        if "enum" in part:
            yield from part["enum"]
        elif "const" in part:
            yield part["const"]
        elif part.get("type") in ("integer", "number"):
            yield from (part.get("minimum", 1), part.get("minimum", 1) + 1, 1, 0.5)
        elif part.get("type") == "string":
            yield from _OTHER_TEXTS
        else:
            yield from _OTHERS.get(str(part.get("type")), ())


def _kind(schema: Mapping[str, Any]) -> str:
    """A JSON schema in words."""
    if "enum" in schema:
        return " or ".join(
            [", ".join(f"`{value}`" for value in schema["enum"][:-1]), f"`{schema['enum'][-1]}`"]
        )
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "$ref" in schema:
        return "section"
    said = _KINDS[schema["type"]]
    if schema["type"] == "array":
        said = f"list of at most {schema['maxItems']} texts" if "maxItems" in schema else "list of texts"
    values = schema.get("additionalProperties")
    if isinstance(values, Mapping) and "enum" in values:
        said = f"mapping to {_kind(values)}"
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
