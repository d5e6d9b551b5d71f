"""Commands: every command of `personas` with its arguments and options, from the parser that reads them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import typer

from census_personas.generator.cli.main import app


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name."""
    yield from _commands("personas", typer.main.get_command(app))


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield name, command
    for word, part in inner.items():
        yield from _commands(f"{name} {word}", part)


def markdown() -> str:
    """The reference of all commands."""
    return "\n\n".join(_entry(name, command) for name, command in commands())


def _entry(name: str, command: Any) -> str:
    shown = [part for part in command.params if not getattr(part, "hidden", False) and part.name != "help"]
    arguments = [part for part in shown if not _is_option(part)]
    usage = [name, *(_usage(part) for part in arguments), "[OPTIONS]"]
    blocks = [f"## `{name}`", inspect.cleandoc(command.help or ""), f"```text\n{' '.join(usage)}\n```"]
    rows = [f"| {_term(part)} | {_help(part)} |" for part in shown]
    if rows:
        blocks.append("\n".join(["| argument or option | meaning |", "|---|---|", *rows]))
    return "\n\n".join(blocks)


def _is_option(parameter: Any) -> bool:
    return any(word.startswith("-") for word in parameter.opts)


def _placeholder(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    if not _is_option(parameter):
        return str(parameter.name).upper()
    return "N" if parameter.type_descriptor.annotation in (int, float) else "VALUE"


def _usage(parameter: Any) -> str:
    name = _placeholder(parameter)
    several = "..." if parameter.nargs == -1 or parameter.multiple else ""
    return f"{name}{several}" if parameter.required else f"[{name}{several}]"


def _term(parameter: Any) -> str:
    if not _is_option(parameter):
        return f"`{_usage(parameter)}`"
    words = ", ".join(f"`{word}`" for word in (*parameter.opts, *parameter.secondary_opts))
    name = _placeholder(parameter)
    return f"{words} `{name}`" if name else words


def _help(parameter: Any) -> str:
    said = [" ".join((parameter.help or "").split()).replace("|", r"\|").replace("<", "&lt;")]
    choices = _choices(parameter)
    if choices:
        said.append("One of " + ", ".join(f"`{choice}`" for choice in choices) + ".")
    if parameter.multiple and "repeatable" not in said[0]:
        said.append("May be repeated.")
    return " ".join(part for part in said if part)


def _choices(parameter: Any) -> tuple[Any, ...]:
    kind = parameter.type_descriptor.annotation
    return get_args(kind) if get_origin(kind) is Literal else ()
