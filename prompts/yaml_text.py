"""YAML of a prompt set: a mapping whose keys stand once, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from census_personas.foundation.yaml_file import YamlError, parse_yaml
from census_personas.prompts.fields import TemplateError

LARGEST, LONGEST = 5_000, 64_000
"""Values, and their characters, with every alias written out: prompts are untrusted text, and small."""


def mapping(text: str, place: str) -> Mapping[Any, Any]:
    """What a text says; nothing where it is empty. `place` names it in errors.

    Raises:
        TemplateError: it is not YAML, says a thing twice, is too large, or is no mapping.
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
