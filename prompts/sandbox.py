"""Sandbox: a subset of Jinja in which an untrusted prompt can neither leak data nor hang.

A template may print facts, choose with `if`, repeat with `for` and include a partial of its set. It may not call,
assign, import or read an attribute of an object: a dot reads an item of a mapping. `scan` limits the text before it is
parsed, `faults` checks the parsed tree, and `render_steps` limits the work of rendering.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import DictLoader, nodes
from jinja2.runtime import LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from census_personas.prompts.render_steps import MAX_SEPARATOR, filters

MAX_TEMPLATE_CHARS = 64_000
MAX_LOOP_DEPTH = 2
MAX_DEPTH = 50
MAX_ELIFS = 100
SECTIONS = ("system", "user", "next")
"""Blocks of a template: its messages, and the message that continues a conversation instead."""
_LISTS = (list, tuple)
_LOOP = frozenset({"index", "index0", "first", "last", "length"})
FILTERS = ("capitalize", "count", "first", "join", "last", "length", "lower", "title", "trim", "upper")
TESTS = ("mapping", "sequence", "string")
_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Block, nodes.If, nodes.For, nodes.Include,
    nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Concat,
)  # fmt: skip


class Environment(ImmutableSandboxedEnvironment):
    """A strict, immutable sandbox in which a dot reads only items of mappings."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Take the texts of templates and partials, by file name.

        Jinja's optimizer is off, because it computes constants such as `9 ** 9 ** 9` before they can be checked.
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
        self.filters = filters(self.filters)
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an item of a mapping or a loop variable; anything else is undefined."""
        if type(obj) is dict and attribute in obj:  # the common case, four times faster than the general one
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a mapping or a list; anything else is undefined."""
        try:
            if isinstance(obj, Mapping) or (isinstance(obj, _LISTS) and isinstance(argument, int)):
                return obj[argument]
        except (KeyError, IndexError):
            pass
        if isinstance(obj, StrictUndefined):
            obj._fail_with_undefined_error()  # noqa: SLF001  its own name explains more than the item's
        return self.undefined(obj=obj, name=argument)


def faults(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield line and reason of everything in a template that the sandbox does not allow."""
    for node in _walk(tree):
        if reason := _fault(node):
            yield node.lineno, reason
    yield from _too_deep(tree, 0, 0)


def _fault(node: nodes.Node) -> str:
    for kind, check in _CHECKS:
        if isinstance(node, kind):
            return check(node)
    return "" if isinstance(node, _NODES) else f"{type(node).__name__.lower()} is not allowed in a prompt"


def _misnamed(node: nodes.Filter | nodes.Test) -> str:
    kind, known = ("filter", FILTERS) if isinstance(node, nodes.Filter) else ("test", TESTS)
    if node.name not in known:
        return f"{kind} {node.name[:40]!r} is unknown; known: {', '.join(known)}"
    most = 1 if node.name == "join" else 0
    if len(node.args or ()) > most or node.kwargs or node.dyn_args or node.dyn_kwargs:
        takes = "at most a separator" if most else "nothing"
        return f"{kind} {node.name!r} takes {takes} in brackets; remove the rest"
    if any(not isinstance(arg, nodes.Const) or not _is_separator(arg.value) for arg in node.args or ()):
        return f"join takes a text in quotation marks, of at most {MAX_SEPARATOR} characters"
    return ""


def _is_separator(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_SEPARATOR


def _unwritable(const: nodes.Const) -> str:
    value = const.value
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is too large"
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        return "half a character, which no message can hold; write the whole one"
    return ""


def _odd_loop(loop: nodes.For) -> str:
    if loop.recursive:
        return "a recursive loop is not allowed in a prompt"
    if not isinstance(loop.target, nodes.Name) or loop.target.name == "loop":
        return (
            "a loop has one name of its own, such as `for trait in traits`; read the parts from it with a dot"
        )
    return ""


def _odd_block(block: nodes.Block) -> str:
    if block.name not in SECTIONS:
        return f"block {block.name!r} is unknown; known: {', '.join(SECTIONS)}"
    if block.required:
        return f"block {block.name!r} may not be `required`; remove that word"
    return ""


def _odd_include(node: nodes.Include) -> str:
    if node.with_context and _is_partial(node):
        return ""
    return "include needs the name of a partial of this set alone, such as '_facts.j2'"


def _odd_choice(node: nodes.If) -> str:
    return f"more than {MAX_ELIFS} elif in one choice; simplify it" if len(node.elif_) > MAX_ELIFS else ""


def _odd_name(node: nodes.Name) -> str:
    # Python normalises some letters: a loop's name could hide a fact that looks the same.
    if node.name.isascii():
        return ""
    return f"the name {node.name[:40]!r} has letters other than A to Z; names of facts do not"


_CHECKS: tuple[tuple[type[nodes.Node], Callable[[Any], str]], ...] = (
    (nodes.Filter, _misnamed),
    (nodes.Test, _misnamed),
    (nodes.Const, _unwritable),
    (nodes.For, _odd_loop),
    (nodes.Block, _odd_block),
    (nodes.Include, _odd_include),
    (nodes.If, _odd_choice),
    (nodes.Name, _odd_name),
)


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _walk(child)


def _is_partial(node: nodes.Include) -> bool:
    name = node.template
    return isinstance(name, nodes.Const) and isinstance(name.value, str) and name.value.startswith("_")


def _too_deep(node: nodes.Node, depth: int, loops: int) -> Iterator[tuple[int, str]]:
    loops += isinstance(node, nodes.For)
    if loops > MAX_LOOP_DEPTH:
        yield node.lineno, f"loops may be nested {MAX_LOOP_DEPTH} deep, not {loops}"
    elif depth > MAX_DEPTH:
        yield node.lineno, f"nested more than {MAX_DEPTH} deep; simplify the expression"
    else:
        for child in node.iter_child_nodes():
            yield from _too_deep(child, depth + 1, loops)


def partials(tree: nodes.Template) -> tuple[str, ...]:
    """Return the names of the partials that a template includes."""
    names = (node.template for node in tree.find_all(nodes.Include))
    return tuple(str(name.value) for name in names if isinstance(name, nodes.Const))


def paths(tree: nodes.Node) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield line and dotted path of every fact that a template reads, without loop variables."""
    local = {name.name for loop in tree.find_all(nodes.For) for name in _targets(loop)} | {"loop"}
    yield from ((line, path) for line, path in _reads(tree) if path[0] not in local)


def _reads(node: nodes.Node) -> Iterator[tuple[int, tuple[str, ...]]]:
    # `labels.sex` is one path; its parts are not separate paths.
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
