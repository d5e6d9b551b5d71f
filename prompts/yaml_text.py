"""YAML of a prompt set: parses a mapping without repeated keys, or reports the fault in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from census_personas.foundation.yaml_file import YamlError, parse_yaml
from census_personas.prompts.fields import TemplateError

LARGEST, LONGEST = 5_000, 64_000
"""Most values and characters with aliases expanded; prompts are untrusted and small."""


def mapping(text: str, place: str) -> Mapping[Any, Any]:
    """Parse a mapping; empty for an empty text. Errors name `place`.

    Raises:
        TemplateError: it is not YAML, repeats a key, is too large, or is not a mapping.
    """
    try:
        values = parse_yaml(text, LARGEST, LONGEST)
    except YamlError as error:
        raise TemplateError(f"{place}: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise TemplateError(f"{place}: give a mapping of keys to values, not a {type(values).__name__}")
    return values
