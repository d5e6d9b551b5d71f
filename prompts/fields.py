"""Fields: what a template's front matter asks for, and its JSON schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["text", "list", "score"]
_MOST = 1_000_000
_KEYS = ("name", "kind", "description", "min", "max")


class TemplateError(ValueError):
    """A template that cannot be used; the message names file, line, value and remedy."""


class MessageLengthError(TemplateError):
    """A message that became too long with the facts of one row: the row cannot be written, others can."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field that a template asks for: its bounds are characters of a text, items of a list, ends of a scale."""

    name: str
    kind: Kind
    description: str
    minimum: int
    maximum: int

    def schema(self) -> dict[str, Any]:
        """JSON schema of the field alone."""
        if self.kind == "text":
            bounds = {"minLength": self.minimum, "maxLength": self.maximum}
            return {"type": "string", "description": self.description, **bounds}
        if self.kind == "score":
            # Spelled out: an enumeration is understood where bounds on numbers are not.
            scale = list(range(self.minimum, self.maximum + 1))
            return {"type": "integer", "description": self.description, "enum": scale}
        item = {"type": "string", "minLength": 2, "maxLength": 120}
        bounds = {"minItems": self.minimum, "maxItems": self.maximum}
        return {"type": "array", "description": self.description, "items": item, **bounds}


def object_schema(fields: Iterable[FieldSpec]) -> dict[str, Any]:
    """JSON schema of an object that has exactly these fields, in this order."""
    properties = {field.name: field.schema() for field in fields}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def field_spec(value: object, place: str) -> FieldSpec:
    """A field as front matter writes it: `{name, kind: text|list|score, description, min, max}`.

    Raises:
        TemplateError: naming `place`, the key and what it must be.
    """
    if not isinstance(value, Mapping):
        raise TemplateError(f"{place}: field {value!r} is not a mapping; give it {', '.join(_KEYS)}")
    unknown = set(value) - set(_KEYS)
    missing = [key for key in _KEYS if key not in value]
    if unknown or missing:
        wrong = [f"unknown key {key!r}" for key in sorted(map(str, unknown))]
        wrong += [f"missing key {key!r}" for key in missing]
        raise TemplateError(f"{place}: field {value.get('name', '?')}: {'; '.join(wrong)}")
    name, kind, low, high = value["name"], value["kind"], value["min"], value["max"]
    if not isinstance(name, str) or not name.isidentifier():
        raise TemplateError(f"{place}: field name {name!r} is not a column name; use letters, digits and _")
    if kind not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        raise TemplateError(f"{place}: field {name}: kind {kind!r} is unknown; known: {known}")
    if not all(type(bound) is int for bound in (low, high)) or not 0 <= low <= high < _MOST or not high:
        raise TemplateError(
            f"{place}: field {name}: min {low!r} and max {high!r} must be 0 <= min <= max < {_MOST}"
        )
    return FieldSpec(name, kind, " ".join(str(value["description"]).split()), low, high)
