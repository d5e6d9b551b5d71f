"""Failure: the line that a user sees for an error, and its exit code."""

from __future__ import annotations

import errno
from typing import Any

import typer

from census_personas.foundation.errors import PersonasError

INTERRUPTED = 130
"""Exit code after Ctrl-C, SIGTERM or the end of the terminal: 128 plus the number of SIGINT, as in shells."""
DEADLINE = 124
"""Exit code of a session that its deadline stopped before the run was complete, as for timeout(1)."""
_STDOUT_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def describe(error: Exception) -> tuple[str, int]:
    """Return the line and the code: 2 for wrong usage or configuration, 1 for faults of data, disk or endpoint."""
    if isinstance(error, typer.TyperException):
        return _usage(error), 2
    if isinstance(error, PersonasError):
        no_room = getattr(error.__cause__, "errno", None) in _NO_ROOM
        return error.message, 1 if no_room else error.exit_code
    line = " ".join(str(error).split())
    if isinstance(error, OSError):
        return _system(error), 1
    if isinstance(error, MemoryError):
        said = f" ({line})" if line else ""
        return f"out of memory{said}; end other processes, or use a machine with more", 1
    return f"internal error, {type(error).__name__}: {line} (--debug shows where; please report it)", 1


def _usage(error: typer.TyperException) -> str:
    """Return the message of the command line's parser, without its four lines of layout."""
    if isinstance(error, typer.BadParameter):
        message = _parameter(error)
    else:
        message = _lowered(" ".join(error.format_message().split())).replace(". Did", "; did")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "personas"
    return f"{message.rstrip('.?')}; {command} --help shows what it takes"


def _parameter(error: typer.BadParameter) -> str:
    """Return the option or argument, its fault and its value."""
    name = error.param_hint or (_name(error.param) if error.param else "")
    if type(error) is not typer.BadParameter:  # the only one that is derived from it
        return f"{name} is missing"
    message = error.message.removeprefix("Value error, ")
    cause: Any = error.__cause__  # a pydantic ValidationError, if the value could not be read
    value = repr(cause.errors()[0]["input"]) if cause is not None else ""
    actual = f", not {value}" if value and value not in message else ""
    return f"{name}: {_lowered(message).rstrip('.')}{actual}" if name else message


def _lowered(message: str) -> str:
    return f"{message[:1].lower()}{message[1:]}"


def _name(parameter: object) -> str:
    """Return an option's longest name, or an argument's name in the help."""
    options = [name for name in getattr(parameter, "opts", ()) if name.startswith("-")]
    return max(options, key=len) if options else str(getattr(parameter, "metavar", None) or "an argument")


def _system(error: OSError) -> str:
    """Return an error of the operating system, without its number."""
    said = error.strerror or type(error).__name__
    if error.errno in _NO_DESCRIPTOR:
        said = f"{said[:1].lower()}{said[1:]}; raise their limit (ulimit -n) or end other processes"
    if error.filename is None and error.errno in _STDOUT_FULL:
        return f"standard output: {said}; make room, or write elsewhere"
    return f"{error.filename}: {said}" if error.filename is not None else said
