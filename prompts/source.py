"""Source: reads and checks the files of a prompt set before rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes

from census_personas.prompts import sandbox
from census_personas.prompts.fields import MAX_FIELDS, FieldSpec, TemplateError, field_spec, shortened
from census_personas.prompts.render_steps import counted, weight_of
from census_personas.prompts.reserved_names import refuse_twice
from census_personas.prompts.scan import MAX_TOKENS, scan
from census_personas.prompts.text_file import read_text
from census_personas.prompts.yaml_text import mapping

MAX_NODES = 6_000
MAX_CHARS = 256_000
"""Most nodes and characters of all templates and narratives of a set, with partials expanded."""

OF_THE_SET = frozenset({"calls"})
"""Variables of the set, the same for everybody."""

_FENCE = "---"
_FAULTS_SHOWN = 20
# Line numbers of a partial start at multiples of this, so that faults in it can be located.
_LINES = 1_000_000
_HEAD = ("angles", "description", "fields", "narratives")


class Trees:
    """The parsed, checked and compiled texts of a set: its templates and its partials."""

    def __init__(self, environment: sandbox.Environment, places: Mapping[str, Path]) -> None:
        """Parse, check and compile the files in `places`, by name.

        Raises:
            TemplateError: one line for every fault, with file, line and reason.
        """
        self._places = places
        self._numbers = {name: number for number, name in enumerate(places)}
        sources = {name: _source(environment, name) for name in places}
        _refuse_tokens(environment, sources, places)
        self._trees = {name: _parse(environment, name, place) for name, place in places.items()}
        wrong = [line for name in places for line in islice(self._faults(name), _FAULTS_SHOWN)]
        if wrong:
            raise TemplateError("\n".join(wrong))
        self._refuse_size(sources)
        # Only now, because the checked text cannot take long to compile.
        whole = {name: self._whole(environment, name) for name in places}
        self._weights = {name: weight_of(tree) for name, tree in whole.items()}
        self._constant = {
            (name, block.name)
            for name, tree in whole.items()
            for block in tree.find_all(nodes.Block)
            if all(path[0] in OF_THE_SET for _, path in sandbox.paths(block))
        }
        self._compiled = {name: _compiled(environment, name, places[name], whole[name]) for name in places}

    def compiled(self, name: str) -> Template:
        """Return a text with its partials, ready to render."""
        return self._compiled[name]

    def weight(self, name: str) -> int:
        """Return the steps of a text outside its loops."""
        return self._weights[name]

    def is_constant(self, name: str, block: str) -> bool:
        """Return whether a block reads no fact, so that it is the same for everybody."""
        return (name, block) in self._constant

    def reads(self, name: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the paths of all facts that a text depends on; None if a loop introduces other names."""
        parts = (name, *sandbox.partials(self._trees[name]))
        if any(self._trees[part].find(nodes.For) for part in parts):
            return None
        return tuple(sorted({path for _, _, path in self.paths(name)}))

    def where(self, error: BaseException) -> str:
        """Return file and line where rendering failed; empty if no template was being rendered."""
        trace: TracebackType | None = error.__traceback__
        place = ""
        while trace is not None:
            text = trace.tb_frame.f_globals.get("__jinja_template__")
            if isinstance(text, Template) and text.name:
                number, line = divmod(text.get_corresponding_lineno(trace.tb_lineno), _LINES)
                place = f"{self._places[list(self._places)[number - 1] if number else text.name]}:{line}"
            trace = trace.tb_next
        return place

    def _faults(self, name: str) -> Iterator[str]:
        place, tree = self._places[name], self._trees[name]
        yield from (f"{place}:{line}: {reason}" for line, reason in sandbox.faults(tree))
        for partial in sandbox.partials(tree):
            if partial not in self._trees:
                known = ", ".join(sorted(n for n in self._trees if n.startswith("_"))) or "none"
                yield f"{place}: includes {partial!r}, which does not exist; partials: {known}"
            elif name.startswith("_"):
                yield f"{place}: a partial may not include another ({partial!r})"
        is_prompt = not name.startswith("_") and "/" not in name
        yield from (f"{place}:{line}: {reason}" for line, reason in _misplaced(tree, is_prompt=is_prompt))

    def _refuse_size(self, sources: Mapping[str, str]) -> None:
        """Refuse a set that is too large with its partials expanded, which count at every include."""
        sizes = {name: sum(1 for _ in tree.find_all(nodes.Node)) for name, tree in self._trees.items()}
        parts = {name: (name, *sandbox.partials(tree)) for name, tree in self._trees.items()}
        for what, size, limit in (
            ("parts of tags and expressions", sizes, MAX_NODES),
            ("characters", {name: len(text) for name, text in sources.items()}, MAX_CHARS),
        ):
            whole = {name: sum(size[part] for part in parts[name]) for name in parts}
            if (total := sum(whole.values())) > limit:
                largest = self._places[max(whole, key=lambda name: whole[name])]
                raise TemplateError(
                    f"{largest}: the templates of this set have {total} {what} with partials expanded, this one "
                    f"the most; a set may have {limit}; include less"
                )

    def paths(self, name: str) -> Iterator[tuple[Path, int, tuple[str, ...]]]:
        """Yield file, line and path of every fact that a template and its partials read."""
        for part in (name, *sandbox.partials(self._trees[name])):
            for line, path in sandbox.paths(self._trees[part]):
                yield self._places[part], line, path

    def _whole(self, environment: sandbox.Environment, name: str) -> nodes.Template:
        """Return the tree of a text with its partials inserted and its steps counted."""
        tree = _parse(environment, name, self._places[name])

        def instead_of(node: nodes.Node) -> list[nodes.Node]:
            if not (isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const)):
                splice(node)
                return [node]
            partial = _parse(environment, node.template.value, self._places[node.template.value])
            offset = _LINES * (self._numbers[node.template.value] + 1)
            for part in partial.find_all(nodes.Node):
                part.lineno = (part.lineno or 0) + offset
            return list(partial.body)

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
        counted(tree)
        return tree


def _source(environment: sandbox.Environment, name: str) -> str:
    return environment.loader.get_source(environment, name)[0] if environment.loader else ""


def _refuse_tokens(
    environment: sandbox.Environment, sources: Mapping[str, str], places: Mapping[str, Path]
) -> None:
    """Refuse templates that are too deep or too long to parse, alone or together."""
    wrong, left = [], MAX_TOKENS
    for name, text in sources.items():
        try:
            reasons, used = scan(environment.lex(text), left)
        except TemplateSyntaxError as error:
            reasons, used = [(error.lineno, str(error.message))], 0
        wrong += [f"{places[name]}:{line}: {reason}" for line, reason in reasons]
        left -= used
        if left <= 0:
            break
    if wrong:
        raise TemplateError("\n".join(wrong))


def _misplaced(tree: nodes.Template, *, is_prompt: bool) -> Iterator[tuple[int, str]]:
    blocks = list(tree.find_all(nodes.Block))
    if not is_prompt:
        yield from (
            (block.lineno, "a block belongs in a prompt, not in a partial or narrative") for block in blocks
        )
        return
    if "user" not in {block.name for block in blocks}:
        yield 1, "no {% block user %}; a prompt needs a user message"
    for block in blocks:
        yield from (
            (inner.lineno, "a block may not be inside another") for inner in block.find_all(nodes.Block)
        )
    for node in tree.body:
        parts = node.nodes if isinstance(node, nodes.Output) else [node]
        for part in parts:
            blank = isinstance(part, nodes.TemplateData) and not part.data.strip()
            if not isinstance(part, nodes.Block) and not blank:
                yield part.lineno, "is outside {% block system %} and {% block user %}, so it is never sent"


def _parse(environment: sandbox.Environment, name: str, place: Path) -> nodes.Template:
    try:
        return environment.parse(_source(environment, name), name)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{place}:{error.lineno}: {error.message}") from error


def _compiled(environment: sandbox.Environment, name: str, place: Path, tree: nodes.Template) -> Template:
    try:
        code = environment.compile(tree, name, name)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{place}:{error.lineno}: {error.message}") from error
    return Template.from_code(environment, code, {})


def front_matter(place: Path) -> tuple[Mapping[str, Any], str]:
    """Return the front matter of a file, and the text below it with the same line numbers.

    Raises:
        TemplateError: the file cannot be read, is too long, or its front matter is not YAML.
    """
    text = read_text(place, sandbox.MAX_TEMPLATE_CHARS)
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        return {}, text
    end = next((i for i, line in enumerate(lines[1:], start=1) if line.strip() == _FENCE), None)
    if end is None:
        raise TemplateError(f"{place}:1: front matter is not closed; end it with a line of {_FENCE}")
    values = mapping("\n".join(["", *lines[1:end]]), f"{place}: front matter")
    return values, "\n".join([""] * (end + 1) + lines[end + 1 :])


def declared_fields(place: Path, values: Mapping[str, Any]) -> tuple[FieldSpec, ...]:
    """Return the fields of a file's front matter, without repeated names."""
    unknown = set(values) - set(_HEAD)
    if unknown:
        wrong, known = ", ".join(sorted(map(shortened, unknown))), ", ".join(_HEAD)
        raise TemplateError(f"{place}:1: unknown front matter {wrong}; known: {known}")
    listed = values.get("fields") or []
    if not isinstance(listed, list):
        raise TemplateError(f"{place}:1: fields is a list, not a {type(listed).__name__}")
    if len(listed) > MAX_FIELDS:
        raise TemplateError(f"{place}: {len(listed)} fields; a template may ask for {MAX_FIELDS}")
    specs = tuple(field_spec(value, str(place)) for value in listed)
    refuse_twice({place: specs})
    return specs


def declared_names(place: Path, values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts in front matter: `narratives`, or `angles`, of which one is drawn per row."""
    listed = values.get(key) or []
    if not isinstance(listed, list) or not all(isinstance(text, str) and text for text in listed):
        raise TemplateError(f"{place}:1: {key} is a list of texts, got {shortened(listed)}")
    return tuple(listed)
