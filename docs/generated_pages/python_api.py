"""Python API: every public name with its signature and docstring."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import Any

import griffe

import census_personas

# Types stand in the signature, never in a docstring; griffe warns about each that it misses there.
logging.getLogger("griffe").setLevel(logging.ERROR)

_WIDE = 70  # characters of parameters that no longer go on one line
_HEADINGS = {"parameters": "Arguments", "attributes": "Attributes", "returns": "Returns", "yields": "Yields"}


def names() -> list[str]:
    """Public names: classes first, then functions; twins for async code behind the calls that they are twins of."""
    public = [name for name in census_personas.__all__ if not name.startswith("__")]
    return sorted(public, key=lambda name: (not inspect.isclass(_value(name)), _plain(name), name))


def markdown() -> str:
    """The reference of all names."""
    return "\n\n".join(block for name in names() for block in _entry(name, _value(name)))


def _value(name: str) -> Any:
    return getattr(census_personas, name)


def _plain(name: str) -> str:
    """The name of the call that an async twin belongs to."""
    return name[1:] if name.startswith("a") and name[1:] in census_personas.__all__ else name


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"## `{name}`"
    if name == "Config":
        yield "A run's configuration: frozen, checked, with the keys of [the configuration](config.md) as attributes."
        return
    if not inspect.isclass(value):
        yield from (_signature(name, value), _described(value))
        return
    if not issubclass(value, Exception):
        yield _signature(name, value)
    yield _described(value)
    for inner, member in vars(value).items():
        if inner.startswith("_") or not inspect.getdoc(member):
            continue
        yield from _member(name, inner, member)


def _member(owner: str, name: str, member: Any) -> Iterator[str]:
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    if inspect.isfunction(function):
        yield f"### `{owner}.{name}`"
        yield _signature(f"{owner}.{name}", function)
        yield _described(function)
    elif isinstance(member, property) or (
        hasattr(member, "__get__") and not inspect.ismemberdescriptor(member)
    ):
        yield f"### `{owner}.{name}`"
        yield _described(member)


def _signature(name: str, function: Any) -> str:
    parameters = inspect.signature(function).parameters.values()
    lines = list(_parameters([one for one in parameters if one.name not in {"self", "cls"}]))
    inside = ", ".join(lines)
    if len(inside) >= _WIDE:
        inside = "\n" + "".join(f"    {line},\n" for line in lines)
    waits = "await " if inspect.iscoroutinefunction(function) else ""
    returned = "" if inspect.isclass(function) else getattr(function, "__annotations__", {}).get("return", "")
    arrow = f" -> {returned}" if returned else ""
    return f"```python\n{waits}{name}({inside}){arrow}\n```"


def _parameters(parameters: list[inspect.Parameter]) -> Iterator[str]:
    by_name = False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name:
            yield "*"
            by_name = True
        yield _parameter(parameter)


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    typed = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
    if parameter.default is parameter.empty:
        return f"{stars}{parameter.name}{typed}"
    default = repr(parameter.default)
    return f"{stars}{parameter.name}{typed} = {'...' if default.startswith('<') else default}"


def _described(value: Any) -> str:
    """A docstring as Markdown."""
    docstring = griffe.Docstring(inspect.getdoc(value) or "", lineno=1)
    return "\n\n".join(_section(section) for section in docstring.parse("google"))


def _section(section: Any) -> str:
    kind = section.kind.value
    if kind == "text":
        return str(section.value)
    if kind == "raises":
        lines = [f"- `{item.annotation}`: {_line(item.description)}" for item in section.value]
        return "\n".join(["Raises:", "", *lines])
    if kind in ("returns", "yields"):
        return f"{_HEADINGS[kind]}: {' '.join(_line(item.description) for item in section.value)}"
    lines = [f"- `{item.name}`: {_line(item.description)}" for item in section.value]
    return "\n".join([f"{_HEADINGS[kind]}:", "", *lines])


def _line(text: str) -> str:
    return " ".join(text.split())
