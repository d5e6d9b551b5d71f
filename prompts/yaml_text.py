"""YAML of a prompt set: a mapping whose keys stand once, or one line that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from persona_engine.prompts.fields import TemplateError

# Digits after a zero are a code, such as the ZIP code 01002, and not the octal number that YAML 1.1 takes them for.
_CODE = re.compile("0[0-9]+")
# What PyYAML raises from a scalar that is not what it looks like, such as 2024-13-45, or from what is nested deeply.
_FAULTS = (ValueError, ArithmeticError, AttributeError, LookupError, TypeError, RecursionError)


class _Loader(yaml.SafeLoader):
    """Plain values, and no key twice: YAML forbids it, PyYAML keeps the last in silence."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and _CODE.fullmatch(node.value):
            return node.value
        value = super().construct_object(node, deep)
        if isinstance(value, str):  # JSON writes what lies beyond 16 bits as two halves
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        return value

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    line = key.start_mark.line + 1
                    raise yaml.YAMLError(f"key {key.value!r} is given twice, the second time in line {line}")
                seen.add((key.tag, key.value))
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
