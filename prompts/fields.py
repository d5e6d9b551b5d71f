"""Fields: the fields in a template's front matter, and their JSON schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from census_personas.foundation.errors import PersonasError

Kind = Literal["text", "list", "score"]
MAX_FIELDS = 64
"""Most fields of a template, and of the two calls of a record together."""
MAX_OF: Mapping[Kind, int] = {"text": 16_000, "list": 256, "score": 100}
"""Most characters of a text, items of a list, and end of a scale."""
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,62}")
_DESCRIPTION = 2_000
_SHOWN = 80
_KEYS = ("name", "kind", "description", "min", "max")


class TemplateError(PersonasError, ValueError):
    """A template that cannot be used; the message names file, line, value and remedy."""

    def __init__(self, message: str) -> None:
        """Escape non-printable characters in the message, because it quotes untrusted text."""
        lines = (
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in message.split("\n")
        )
        super().__init__("\n".join(lines))


class RenderError(TemplateError):
    """A message that cannot be rendered for one row; other rows are not affected."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a template; its bounds are characters of a text, items of a list, or ends of a scale."""

    name: str
    kind: Kind
    description: str
    minimum: int
    maximum: int

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the field."""
        if self.kind == "text":
            bounds = {"minLength": self.minimum, "maxLength": self.maximum}
            return {"type": "string", "description": self.description, **bounds}
        if self.kind == "score":
            # An enumeration, because some servers ignore bounds on numbers.
            scale = list(range(self.minimum, self.maximum + 1))
            return {"type": "integer", "description": self.description, "enum": scale}
        item = {"type": "string", "minLength": 2, "maxLength": 120}
        bounds = {"minItems": self.minimum, "maxItems": self.maximum}
        return {"type": "array", "description": self.description, "items": item, **bounds}


def object_schema(fields: Iterable[FieldSpec]) -> dict[str, Any]:
    """Return the JSON schema of an object with exactly these fields, in this order."""
    properties = {field.name: field.schema() for field in fields}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def field_spec(value: object, place: str) -> FieldSpec:
    """Read a field of front matter: `{name, kind: text|list|score, description, min, max}`.

    Raises:
        TemplateError: it is not valid; the message names `place`, the key and the expected value.
    """
    if not isinstance(value, Mapping):
        raise TemplateError(f"{place}: field {shortened(value)} is not a mapping; give it {', '.join(_KEYS)}")
    unknown = set(value) - set(_KEYS)
    missing = [key for key in _KEYS if key not in value]
    if unknown or missing:
        wrong = [f"unknown key {shortened(key)}" for key in sorted(map(str, unknown))]
        wrong += [f"missing key {key!r}" for key in missing]
        raise TemplateError(f"{place}: field {shortened(value.get('name', '?'))}: {'; '.join(wrong)}")
    name, kind, low, high = value["name"], value["kind"], value["min"], value["max"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TemplateError(
            f"{place}: field name {shortened(name)} is not a column name; use at most 63 letters (A to Z), digits "
            "and _, a letter first"
        )
    if kind not in get_args(Kind):
        known = ", ".join(get_args(Kind))
        raise TemplateError(f"{place}: field {name}: kind {shortened(kind)} is unknown; known: {known}")
    most = MAX_OF[kind]
    if not all(type(bound) is int for bound in (low, high)) or not 0 <= low <= high <= most or not high:
        raise TemplateError(
            f"{place}: field {name}: min {shortened(low)} and max {shortened(high)} must be 0 <= min <= max <= {most} "
            f"and max > 0 for a {kind}"
        )
    description = value["description"]
    if not isinstance(description, str) or len(description) > _DESCRIPTION:
        raise TemplateError(
            f"{place}: field {name}: description is a text of at most {_DESCRIPTION} characters, not "
            f"{shortened(description)}"
        )
    return FieldSpec(name, kind, " ".join(description.split()), low, high)


def shortened(value: object) -> str:
    """Return the repr of a value, shortened if it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
