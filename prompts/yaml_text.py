"""YAML of a prompt set: a mapping whose keys stand once, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from persona_engine.prompts.fields import TemplateError

# What PyYAML raises from a scalar that is not what it looks like, such as 2024-13-45, or from what is nested deeply.
_FAULTS = (ValueError, ArithmeticError, AttributeError, LookupError, TypeError, RecursionError)


class _Loader(yaml.SafeLoader):
    """Plain values, and no key twice: YAML forbids it, PyYAML keeps the last in silence."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [(key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                line = node.value[number][0].start_mark.line + 1
                raise yaml.YAMLError(f"key {key[1]!r} is given twice, the second time in line {line}")
        return node


def mapping(text: str, place: str) -> Mapping[Any, Any]:
    """What a text says; nothing where it is empty. `place` names it in errors.

    Raises:
        TemplateError: it is not YAML, says a thing twice, or is no mapping.
    """
    try:
        values = yaml.load(text, _Loader) or {}  # noqa: S506  a safe loader, and a stricter one
    except (yaml.YAMLError, *_FAULTS) as error:
        raise TemplateError(f"{place}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, Mapping):
        raise TemplateError(f"{place}: give a mapping of keys to values, not a {type(values).__name__}")
    return values
