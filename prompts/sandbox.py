"""Sandbox: the part of Jinja that a prompt may use, so that an untrusted one can neither leak nor hang.

A template may print facts, choose with `if`, repeat with `for` and include a partial of its own set. It
may not call, assign, import or reach an attribute of an object: a dot reads an item of a mapping. What is
left cannot grow beyond (size of the text) x (size of the facts) ** (depth of loops), which bounds its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import DictLoader, nodes
from jinja2.runtime import LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE_CHARS = 64_000
MAX_OUTPUT_CHARS = 64_000
MAX_LOOP_DEPTH = 2
SECTIONS = ("system", "user")
_LOOP = frozenset({"index", "index0", "first", "last", "length"})
_TESTS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in", "mapping", "string", "sequence"})
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Block, nodes.If, nodes.For, nodes.Include,
    nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Concat,
)  # fmt: skip


class Environment(ImmutableSandboxedEnvironment):
    """A strict, immutable sandbox in which a dot reads an item of a mapping and nothing else."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """`sources` are the texts that templates and partials may come from, by file name.

        Jinja's optimizer is off: it computes constants such as `9 ** 9 ** 9` before anybody could object.
        """
        super().__init__(
            undefined=StrictUndefined,
            loader=DictLoader(dict(sources)),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            optimized=False,
        )
        filters = ("capitalize", "count", "first", "last", "length", "lower", "title", "trim", "upper")
        self.filters = {name: self.filters[name] for name in filters} | {"join": _join}
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An item of a mapping or a position in a loop; anything else is undefined."""
        if (
            type(obj) is dict and attribute in obj
        ):  # nearly always, and the general way costs four times as much
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item of a mapping or a list; anything else is undefined."""
        try:
            if isinstance(obj, Mapping) or (isinstance(obj, list | tuple) and isinstance(argument, int)):
                return obj[argument]
        except (KeyError, IndexError):
            pass
        return self.undefined(obj=obj, name=argument)


def _join(values: object, separator: str = ", ") -> str:
    # Of lists only: Jinja's own joins a string to itself and so squares its length.
    if not isinstance(values, list | tuple):
        raise TypeError(f"join needs a list, got {type(values).__name__}")
    return separator.join(map(str, values))


def faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Line and reason of everything in a template that the sandbox does not allow."""
    for node in _walk(tree):
        if not isinstance(node, _NODES):
            yield node.lineno, f"{type(node).__name__.lower()} is not allowed in a prompt"
        elif isinstance(node, nodes.Include) and not _is_partial(node):
            yield node.lineno, "include needs the name of a partial of this set, such as '_facts.j2'"
        elif isinstance(node, nodes.For) and node.recursive:
            yield node.lineno, "a recursive loop is not allowed in a prompt"
        elif isinstance(node, nodes.Block) and node.name not in SECTIONS:
            yield node.lineno, f"block {node.name!r} is unknown; known: {', '.join(SECTIONS)}"
    yield from _too_deep(tree, 0)


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _walk(child)


def _is_partial(node: nodes.Include) -> bool:
    name = node.template
    return isinstance(name, nodes.Const) and isinstance(name.value, str) and name.value.startswith("_")


def _too_deep(node: nodes.Node, depth: int) -> Iterator[tuple[int, str]]:
    depth += isinstance(node, nodes.For)
    if depth > MAX_LOOP_DEPTH:
        yield node.lineno, f"loops may be nested {MAX_LOOP_DEPTH} deep, not {depth}"
        return
    for child in node.iter_child_nodes():
        yield from _too_deep(child, depth)


def partials(tree: nodes.Template) -> tuple[str, ...]:
    """Names of the partials that a template includes."""
    names = (node.template for node in tree.find_all(nodes.Include))
    return tuple(str(name.value) for name in names if isinstance(name, nodes.Const))


def paths(tree: nodes.Template) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and dotted path of every fact that a template reads, loop variables left out."""
    local = {name.name for loop in tree.find_all(nodes.For) for name in _targets(loop)} | {"loop"}
    yield from ((line, path) for line, path in _reads(tree) if path[0] not in local)


def _reads(node: nodes.Node) -> Iterator[tuple[int, tuple[str, ...]]]:
    # The whole of `labels.sex` is one path; its parts are not paths of their own.
    if path := _path(node):
        yield node.lineno, path
        return
    for child in node.iter_child_nodes():
        yield from _reads(child)


def _targets(loop: nodes.For) -> Iterator[nodes.Name]:
    yield from (node for node in _walk(loop.target) if isinstance(node, nodes.Name))


def _path(node: nodes.Node) -> tuple[str, ...]:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        return (*_path(node.node), node.attr) if _path(node.node) else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return (*_path(node.node), str(node.arg.value)) if _path(node.node) else ()
    return ()
