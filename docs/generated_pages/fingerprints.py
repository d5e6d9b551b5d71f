"""Fingerprints: whether a key of the configuration is part of what a run is, found out by changing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from census_personas.generator.config import config_file

Values = Mapping[str, Any]

_SERVED: Values = {"llm": {"backend": "openai", "model": "first"}}
_TEXTS = ("second", "http://second", "SECOND", "1/2")
_MAPPINGS = (
    *({"sex": "uniform"}, {"sex": "Male"}, {"echo": "flag"}),
    *({"second": "text"}, {"second": True}, {"X-Second": "text"}),
)


def in_fingerprint(path: str, schema: Values) -> bool:
    """Whether some other value of the key at `path` changes the fingerprint.

    A value that is allowed beside another key alone, such as the key of a certificate, is tried beside each.

    Raises:
        ValueError: no other value is allowed.
    """
    beside: tuple[dict[str, Any], ...] = ({}, *_siblings(path, schema))
    others = list(_samples(_part(path, schema), schema))
    for further in beside:
        first = _fingerprint(further)
        changed = {_fingerprint(_with(further, path, other)) for other in others} - {None}
        if first is not None and changed:
            return changed != {first}
    raise ValueError(f"{path}: no other value is known that it may have; add one to {__name__}")


def _siblings(path: str, schema: Values) -> Iterator[dict[str, Any]]:
    """Configurations with one other key of the section set."""
    section, _, name = path.rpartition(".")
    prefix = f"{section}." if section else ""
    for other in _properties(section, schema):
        if other != name:
            for value in _samples(_part(f"{prefix}{other}", schema), schema):
                yield _with({}, f"{prefix}{other}", value)


def _part(path: str, schema: Values) -> Values:
    section, _, name = path.rpartition(".")
    part: Values = _properties(section, schema)[name]
    return part


def _properties(section: str, schema: Values) -> Values:
    found = schema
    for name in filter(None, section.split(".")):
        found = _defined(found["properties"][name], schema)
    properties: Values = found["properties"]
    return properties


def _defined(part: Values, schema: Values) -> Values:
    defined: Values = schema["$defs"][str(part["$ref"]).rpartition("/")[2]]
    return defined


def _with(values: Values, path: str, value: Any) -> dict[str, Any]:
    section, _, name = path.rpartition(".")
    if not section:
        return {**values, name: value}
    return {**values, section: {**values.get(section, {}), name: value}}


def _fingerprint(values: Values) -> str | None:
    """The fingerprint with some values set; None where they are not allowed."""
    llm = {**_SERVED["llm"], **values.get("llm", {})}
    try:
        return config_file.from_values({**_SERVED, **values, "llm": llm}, {}).fingerprint()
    except (ValidationError, ValueError):
        return None


def _samples(part: Values, schema: Values) -> Iterator[Any]:
    """Values of a JSON schema; which of them are allowed is for the configuration to say."""
    kind = part.get("type")
    if "enum" in part or "const" in part:
        yield from part.get("enum", [part.get("const")])
    elif "anyOf" in part:
        for one in part["anyOf"]:
            yield from _samples(one, schema)
    elif "$ref" in part:
        yield from _sections(part, schema)
    elif kind == "array":
        yield from ([item] for item in _samples(part.get("items", {}), schema))
    elif kind in {"integer", "number"}:
        least = part.get("minimum", part.get("exclusiveMinimum", 1))
        yield from (least, least + 1, 1, 0.5)
    else:
        yield from {"string": _TEXTS, "boolean": (True, False), "object": _MAPPINGS}.get(str(kind), ())


def _sections(part: Values, schema: Values) -> Iterator[dict[str, Any]]:
    """Sections with the keys that they must have."""
    section = _defined(part, schema)
    needed = {name: section["properties"][name] for name in section.get("required", ())}
    values = {name: list(_samples(inner, schema)) for name, inner in needed.items()}
    for number in range(max(map(len, values.values()), default=1)):
        yield {name: one[number % len(one)] for name, one in values.items()}
