"""Sources: the files of a prompt set, read and checked before anything is rendered."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes

from persona_engine.prompts import sandbox
from persona_engine.prompts.fields import FieldSpec, TemplateError, field_spec
from persona_engine.prompts.yaml_text import mapping

MOST_BYTES = 2**20
"""Of one file of a prompt set."""
_FENCE = "---"
_HEAD = ("angles", "description", "fields", "narratives")


class Trees:
    """The parsed, checked and compiled texts of a set: its templates and its partials."""

    def __init__(self, environment: sandbox.Environment, places: Mapping[str, Path]) -> None:
        """`places` are the files by name.

        Raises:
            TemplateError: one line for every fault, each with file, line and what is not allowed.
        """
        self._places = places
        self._trees = {name: _parse(environment, name, place) for name, place in places.items()}
        wrong = [line for name in places for line in self._faults(name)]
        if wrong:
            raise TemplateError("\n".join(wrong))
        # Only now, when nothing is left in the text that could take long.
        whole = {name: _whole(environment, name, places) for name in places}
        self._compiled = {name: _compiled(environment, name, places[name], whole[name]) for name in places}
        self._constant = {
            (name, block.name)
            for name, tree in whole.items()
            for block in tree.find_all(nodes.Block)
            if next(block.find_all((nodes.Name, nodes.Include)), None) is None
        }

    def compiled(self, name: str) -> Template:
        """A text with its partials in their places, ready to render."""
        return self._compiled[name]

    def is_constant(self, name: str, block: str) -> bool:
        """Whether this block of a text reads no fact, and so says the same of everybody."""
        return (name, block) in self._constant

    def reads(self, name: str) -> tuple[tuple[str, ...], ...] | None:
        """Paths of all facts that decide what a text says; None where a loop gives names of its own to some of them."""
        parts = (name, *sandbox.partials(self._trees[name]))
        if any(self._trees[part].find(nodes.For) for part in parts):
            return None
        return tuple(sorted({path for _, _, path in self.paths(name)}))

    def _faults(self, name: str) -> Iterator[str]:
        place, tree = self._places[name], self._trees[name]
        try:
            yield from [f"{place}:{line}: {reason}" for line, reason in sandbox.faults(tree)]
        except RecursionError:
            yield f"{place}: expressions are nested too deeply; simplify them"
            return
        for partial in sandbox.partials(tree):
            if partial not in self._trees:
                known = ", ".join(sorted(n for n in self._trees if n.startswith("_"))) or "none"
                yield f"{place}: includes {partial!r}, which is not there; partials: {known}"
            elif name.startswith("_"):
                yield f"{place}: a partial may not include another ({partial!r})"
        if not name.startswith("_") and "/" not in name:
            yield from (f"{place}:{line}: {reason}" for line, reason in _outside(tree))

    def paths(self, name: str) -> Iterator[tuple[Path, int, tuple[str, ...]]]:
        """File, line and path of every fact that a template and its partials read."""
        for part in (name, *sandbox.partials(self._trees[name])):
            for line, path in sandbox.paths(self._trees[part]):
                yield self._places[part], line, path


def _outside(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    blocks = {block.name for block in tree.find_all(nodes.Block)}
    if "user" not in blocks:
        yield 1, "no {% block user %}; a prompt needs a user message"
    for node in tree.body:
        parts = node.nodes if isinstance(node, nodes.Output) else [node]
        for part in parts:
            blank = isinstance(part, nodes.TemplateData) and not part.data.strip()
            if not isinstance(part, nodes.Block) and not blank:
                yield part.lineno, "stands outside {% block system %} and {% block user %}, unseen"


def _parse(environment: sandbox.Environment, name: str, place: Path) -> nodes.Template:
    try:
        text = environment.loader.get_source(environment, name)[0] if environment.loader else ""
        return environment.parse(text, name)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{place}:{error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise TemplateError(f"{place}: expressions are nested too deeply; simplify them") from error


def _whole(environment: sandbox.Environment, name: str, places: Mapping[str, Path]) -> nodes.Template:
    """The tree of a text with its partials in their places: an include costs as much as a template."""
    tree = _parse(environment, name, places[name])

    def instead_of(node: nodes.Node) -> list[nodes.Node]:
        if isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const) and node.with_context:
            partial = _parse(environment, node.template.value, places[node.template.value])
            return [node] if partial.find(nodes.Block) else list(partial.body)
        splice(node)
        return [node]

    def splice(node: nodes.Node) -> None:
        for _, value in node.iter_fields():
            if isinstance(value, nodes.Node):
                splice(value)
            elif isinstance(value, list):
                value[:] = [
                    new
                    for old in value
                    for new in (instead_of(old) if isinstance(old, nodes.Node) else [old])
                ]

    splice(tree)
    return tree


def _compiled(environment: sandbox.Environment, name: str, place: Path, tree: nodes.Template) -> Template:
    try:
        code = environment.compile(tree, name, name)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{place}:{error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise TemplateError(f"{place}: expressions are nested too deeply; simplify them") from error
    return Template.from_code(environment, code, {})


def read_source(place: Path) -> str:
    """The text of a file of a prompt set.

    Raises:
        TemplateError: it cannot be read, is not UTF-8, no regular file (a pipe or a device has no end), or longer than
            any file of a prompt set is.
    """
    try:
        seen = place.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise TemplateError(f"{place}: is not a regular file; a prompt set holds files and folders alone")
        if seen.st_size > MOST_BYTES:
            raise TemplateError(
                f"{place}: {seen.st_size} bytes; a file of a prompt set may have {MOST_BYTES}"
            )
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{place}: cannot be read as UTF-8 text ({error})") from error


def front_matter(place: Path) -> tuple[Mapping[str, Any], str]:
    """Front matter of a file and the text below it, blank lines in its stead so that line numbers hold.

    Raises:
        TemplateError: for a file that cannot be read, is too long, or whose front matter is not YAML.
    """
    text = read_source(place)
    if len(text) > sandbox.MAX_TEMPLATE_CHARS:
        limit = sandbox.MAX_TEMPLATE_CHARS
        raise TemplateError(f"{place}: {len(text)} characters; a template may have {limit}")
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        return {}, text
    end = next((i for i, line in enumerate(lines[1:], start=1) if line.strip() == _FENCE), None)
    if end is None:
        raise TemplateError(f"{place}:1: front matter is not closed; end it with a line of {_FENCE}")
    values = mapping("\n".join(["", *lines[1:end]]), f"{place}: front matter")
    return values, "\n".join([""] * (end + 1) + lines[end + 1 :])


def declared_fields(place: Path, values: Mapping[str, Any]) -> tuple[FieldSpec, ...]:
    """The fields of a file's front matter, each name once."""
    unknown = set(values) - set(_HEAD)
    if unknown:
        wrong, known = ", ".join(sorted(map(str, unknown))), ", ".join(_HEAD)
        raise TemplateError(f"{place}:1: unknown front matter {wrong}; known: {known}")
    listed = values.get("fields") or []
    if not isinstance(listed, list):
        raise TemplateError(f"{place}:1: fields is a list, not a {type(listed).__name__}")
    specs = tuple(field_spec(value, str(place)) for value in listed)
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        raise TemplateError(f"{place}: a field is declared twice: {', '.join(names)}")
    return specs


def declared_names(place: Path, values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts in front matter: `narratives` by file name, `angles` of which one is drawn for each row."""
    listed = values.get(key) or []
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise TemplateError(f"{place}:1: {key} is a list of texts, got {listed!r}")
    return tuple(listed)
