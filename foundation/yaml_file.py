"""YAML files, read strictly: no repeated keys, and every fault is one line with its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import check_input

DEEPEST, LARGEST, LONGEST, HIGHEST = 50, 1_000_000, 8_000_000, 2**64
"""Most levels of nesting (real files have six), values and characters with aliases expanded, and size of numbers."""

# Digits after a zero are a code, such as the postcode 01002, not the octal number of YAML 1.1.
_CODE = re.compile("0[0-9]+")
# PyYAML takes quadratic time in the digits of numbers such as 1:30:00.
_NUMBERS, _DIGITS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"), 10_000
# Exceptions of PyYAML for a malformed scalar, such as 2024-13-45 or !!int x.
_FAULTS = (ValueError, ArithmeticError, AttributeError, LookupError, TypeError)


class YamlError(PersonasError, ValueError):
    """Text that is not YAML or repeats a key; the message names line and remedy."""


class _Loader(yaml.SafeLoader):
    """Loads plain values; refuses repeated keys, of which PyYAML silently keeps the last, and recursive aliases."""

    depth = 0

    def __init__(self, text: str, largest: int, longest: int) -> None:
        super().__init__(text)
        self.largest, self.longest = largest, longest
        self.sizes: dict[yaml.Node, tuple[int, int]] = {}
        self.composed = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        self.composed += 1
        if self.depth > DEEPEST:
            raise YamlError(f"line {self.line + 1}: nested more than {DEEPEST} deep; simplify it")
        if self.composed > self.largest:
            raise YamlError(f"line {self.line + 1}: more than {self.largest} values; simplify it")
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and node not in self.sizes:
            place = f"line {node.start_mark.line + 1}"
            if node.end_mark is None:  # an alias of an enclosing value
                raise YamlError(f"{place}: a value that contains itself; remove its alias")
            sizes = [self.sizes[part] for part in _parts(node)]
            values = 1 + sum(size for size, _ in sizes)
            signs = sum(signs for _, signs in sizes) if sizes else len(node.value)
            self.sizes[node] = values, signs
            if values > self.largest:
                raise YamlError(
                    f"{place}: more than {self.largest} values with aliases expanded; simplify it"
                )
            if signs > self.longest:
                raise YamlError(
                    f"{place}: more than {self.longest} characters with aliases expanded; simplify it"
                )
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and _CODE.fullmatch(node.value):
            return node.value
        is_scalar = isinstance(node, yaml.ScalarNode)
        shown = node.value[:40] if is_scalar else node.tag
        place = f"line {node.start_mark.line + 1}: {shown!r}"
        if is_scalar and node.tag in _NUMBERS and len(node.value) > _DIGITS:
            raise YamlError(f"{place} is a number with too many digits")
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str):  # JSON escapes characters beyond 16 bits as surrogate pairs
                value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except YamlError:
            raise
        except _FAULTS as error:
            raise YamlError(f"{place} is malformed ({error})") from error
        if isinstance(value, int) and abs(value) >= HIGHEST:
            raise YamlError(f"{place} is a number with too many digits")
        return value

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                if (key.tag, key.value) in first:
                    before = first[key.tag, key.value]
                    raise YamlError(
                        f"line {line}: key {key.value!r} is given twice, first in line {before}; keep one"
                    )
                first[key.tag, key.value] = line
        return node


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def parse_yaml(text: str, largest: int = LARGEST, longest: int = LONGEST) -> Any:
    """Parse a YAML text; None if it is empty.

    Args:
        text: YAML.
        largest: most values, with aliases expanded.
        longest: most characters of values, with aliases expanded.

    Raises:
        YamlError: the text is not valid; one line that names the place.
    """
    try:
        return _Loader(text, largest, longest).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise YamlError(f"not valid YAML{place}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise YamlError(f"not valid YAML: {' '.join(str(error).split())}") from error


def read_yaml(path: Path) -> Any:
    """Parse a YAML file with `parse_yaml`.

    Raises:
        YamlError: also for a file that cannot be read, is too long, or is not UTF-8; the message names the file.
    """
    try:
        check_input(path, LONGEST)
        return parse_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise YamlError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise YamlError(f"{path}: cannot be read ({error.strerror})") from error
    except YamlError as error:
        raise YamlError(f"{path}: {error}") from error
