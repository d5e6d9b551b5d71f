"""Render steps: a bound on the work of a template, the same on every machine.

A step is one evaluation of a template node, or `CHARS_PER_STEP` characters that a filter, a comparison or a `~`
reads or writes. Work outside loops is bounded by the size of the text; the rest is counted at run time: a loop counts
all its rounds when it is entered, and operations on texts count their lengths.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterator, Sized
from itertools import islice
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context

from census_personas.foundation.errors import PersonasError

MAX_STEPS = 100_000
MAX_GUIDE_STEPS = 10_000
"""Most steps of a message, and of the guidance of a narrative."""

MAX_OUTPUT_CHARS = 64_000
CHARS_PER_STEP = 64
MAX_SEPARATOR = 64
# Key of the step counter among the facts; it has spaces, so that no template can read it.
STEPS = "steps taken"
# Filters for rewritten templates; they have spaces for the same reason.
_ENTER, _CONCAT, _COMPARE = "enter a loop", "join with ~", "compare by "
# A comparison with texts up to this length, or with a few of them, counts as one node.
_SHORT, _FEW = 64, 32
_LISTS = (list, tuple)
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda part, whole: part in whole,
    "notin": lambda part, whole: part not in whole,
}


class WorkError(PersonasError, ValueError):
    """A rendering with too many steps or too much output; the message names the bound and the remedy."""


class Steps:
    """Steps of a rendering: `left` of the `most` for the current text, `taken` by earlier texts."""

    __slots__ = ("left", "most", "taken")

    def __init__(self) -> None:
        """Start with no steps allowed."""
        self.left = self.most = self.taken = 0


def _pay(context: Context, count: int) -> None:
    steps = context.parent[STEPS]
    steps.left -= count
    if steps.left < 0:
        raise WorkError(f"takes more than {steps.most} steps; loop over less, and compare shorter values")


# Pieces of a text between checks of its length; the facts bound the size of a piece.
_PIECES = 64


def gathered(pieces: Iterator[str], steps: Steps, most: int) -> str:
    """Join the pieces of a text, stripped; rendering may take `most` steps.

    Raises:
        WorkError: it is too long, or takes too many steps.
    """
    parts: list[str] = []
    size = 0
    steps.left = steps.most = most
    while some := list(islice(pieces, _PIECES)):
        parts.append("".join(some))
        size += len(parts[-1])
        if size > MAX_OUTPUT_CHARS:
            error = WorkError(f"a message is longer than {MAX_OUTPUT_CHARS} characters; shorten it")
            # Raised inside the template, so that its line is known.
            raise pieces.throw(error) if isinstance(pieces, Generator) else error
    steps.taken += most - steps.left
    return "".join(parts).strip()


@pass_context
def _enter(context: Context, values: Sized, weight: int) -> Sized:
    """Count all rounds of a loop, and return its values."""
    steps = context.parent[STEPS]  # `_pay` inlined, whose call would double the time
    steps.left -= len(values) * weight
    if steps.left < 0:
        _pay(context, 0)
    return values


@pass_context
def _concat(context: Context, values: list[Any]) -> str:
    texts = []
    for value in values:
        texts.append(str(value))
        _pay(context, len(texts[-1]) // CHARS_PER_STEP)
    return "".join(texts)


@pass_context
def _join(context: Context, values: object, separator: str = ", ") -> str:
    # Lists only: Jinja's own filter joins the characters of a string.
    if not isinstance(values, _LISTS):
        raise TypeError(f"join needs a list, got {type(values).__name__}")
    text = separator.join(map(str, values))
    steps = context.parent[STEPS]
    steps.left -= len(values) + len(text) // CHARS_PER_STEP
    if steps.left < 0:
        _pay(context, 0)
    return text


def _paid(plain: Callable[[Any], Any]) -> Callable[[Context, Any], Any]:
    """Make a filter of one text count its length."""

    @pass_context
    def apply(context: Context, value: Any) -> Any:
        text = value if isinstance(value, str) else str(value)
        _pay(context, 1 + len(text) // CHARS_PER_STEP)
        return plain(text)

    return apply


def _comparison(name: str) -> Callable[[Context, Any, Any], bool]:
    @pass_context
    def compare(context: Context, left: Any, right: Any) -> bool:
        size = _size(right)
        # A substring search may read the whole text once per character of the substring.
        size *= min(_size(left), _SHORT) if name in {"in", "notin"} else 1
        _pay(context, 1 + (size + _size(left)) // CHARS_PER_STEP)
        return bool(_OPERATORS[name](left, right))

    return compare


def _size(value: Any) -> int:
    return 1 if value is None or isinstance(value, int | float) else len(str(value))


def filters(plain: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the filters of a prompt, and those that `counted` inserts; `plain` are Jinja's own."""
    of_texts = ("capitalize", "lower", "title", "trim", "upper")
    return {
        **{name: plain[name] for name in ("count", "first", "last", "length")},
        **{name: _paid(plain[name]) for name in of_texts},
        "join": _join,
        _ENTER: _enter,
        _CONCAT: _concat,
        **{f"{_COMPARE}{name}": _comparison(name) for name in _OPERATORS},
    }


def counted(node: nodes.Node) -> nodes.Node:
    """Rewrite a tree so that every possibly slow operation counts its steps."""
    weight = 1 + sum(map(weight_of, (*node.body, *_some(node.test)))) if isinstance(node, nodes.For) else 0
    for name, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, name, counted(value))
        elif isinstance(value, list):
            value[:] = [counted(part) if isinstance(part, nodes.Node) else part for part in value]
    if isinstance(node, nodes.For):
        node.iter = _filter(node.iter, _ENTER, nodes.Const(weight))
    elif isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), _CONCAT)
    elif isinstance(node, nodes.Compare) and not _is_cheap(node):
        return _pairs(node)
    return node


def _some(node: nodes.Node | None) -> tuple[nodes.Node, ...]:
    return () if node is None else (node,)


def _filter(node: nodes.Node, name: str, *args: nodes.Node) -> nodes.Filter:
    for part in args:
        part.lineno = node.lineno
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def weight_of(node: nodes.Node) -> int:
    """Return the steps of one evaluation of a node; loops inside count their rounds when entered."""
    if isinstance(node, nodes.For):
        return 1 + weight_of(node.iter) + sum(map(weight_of, node.else_))
    text = node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else ""
    return 1 + len(text) // CHARS_PER_STEP + sum(map(weight_of, node.iter_child_nodes()))


def _is_cheap(node: nodes.Compare) -> bool:
    """Return whether one side of a comparison is a short constant, which bounds its work."""
    if len(node.ops) != 1:
        return False
    operand = node.ops[0]
    if operand.op in {"in", "notin"}:
        items = operand.expr.items if isinstance(operand.expr, nodes.List | nodes.Tuple) else []
        return 0 < len(items) <= _FEW and all(map(_is_short, items))
    return _is_short(node.expr) or _is_short(operand.expr)


def _is_short(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and len(str(node.value)) <= _SHORT


def _pairs(node: nodes.Compare) -> nodes.Node:
    """Rewrite `a < b < c` as `a < b and b < c`, with each comparison counted."""
    left, pairs = node.expr, []
    for operand in node.ops:
        pairs.append(_filter(left, f"{_COMPARE}{operand.op}", operand.expr))
        left = operand.expr
    whole: nodes.Node = pairs[0]
    for pair in pairs[1:]:
        whole = nodes.And(whole, pair, lineno=node.lineno)
    return whole
