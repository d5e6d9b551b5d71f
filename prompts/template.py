"""Templates: a record's facts in, chat messages out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

from jinja2 import UndefinedError
from jinja2.exceptions import TemplateError as JinjaError

from persona_engine.prompts import sandbox
from persona_engine.prompts.fields import FieldSpec, MessageLengthError, TemplateError, object_schema
from persona_engine.prompts.shelf import Guide, Shelf
from persona_engine.prompts.source import Trees, declared_fields, declared_names, front_matter, read_source
from persona_engine.prompts.yaml_text import mapping

__all__ = ["FieldSpec", "MessageLengthError", "PromptSet", "Template", "TemplateError", "lint"]
REQUIRED = ("attributes", "personas", "repair", "judge")
_HOME = Path(__file__).parent
_NARRATIVES = "narratives"
_SAMPLE = "sample"
# Pieces of a message between two looks at its length.
_CHUNKS = 512


@dataclass(frozen=True, slots=True)
class Template:
    """One prompt: the fields that it asks for and the messages that ask for them.

    Its text stands between `{% block system %}` and `{% block user %}`, and sees the facts and `fields`: the
    name, kind, description, min, max and guidance of every field asked for.
    """

    name: str
    place: Path
    fields: tuple[FieldSpec, ...]
    schema: Mapping[str, Any]
    _shelf: Shelf
    _shown: tuple[Mapping[str, Any], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Word the fields once: nothing in them but the guidance depends on the facts."""
        object.__setattr__(self, "_shown", tuple(_shown(field) for field in self.fields))

    def asking(self, fields: Sequence[FieldSpec]) -> Template:
        """The same text asking for other fields, as a repair does."""
        return Template(self.name, self.place, tuple(fields), object_schema(fields), self._shelf)

    def render(self, facts: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
        """Chat messages, system first.

        Raises:
            TemplateError: naming every missing variable at once, or a size above the bounds.
        """
        try:
            messages = tuple(self._messages(facts))
        except UndefinedError as error:
            raise TemplateError(self.missing(facts) or f"{self.place}: {error.message}") from error
        except (JinjaError, TypeError) as error:
            raise TemplateError(f"{self.place}: {error}") from error
        if not any(message["role"] == "user" for message in messages):
            raise TemplateError(f"{self.place}: the user message is empty; a model needs something to answer")
        return messages

    def missing(self, facts: Mapping[str, Any]) -> str:
        """Every variable that the text reads and the facts lack, with its line; empty when there is none."""
        guides = self._shelf.guides
        names = [self.place.name, *(guides[field.name].file for field in self.fields if field.name in guides)]
        lacking: dict[str, str] = {}
        for name in names:
            for file, line, path in self._shelf.trees.paths(name):
                if path[0] != "fields" and not _has(facts, path):
                    lacking.setdefault(".".join(path), f"{file.name}:{line}")
        if not lacking:
            return ""
        listed = ", ".join(f"{name} ({where})" for name, where in lacking.items())
        return f"{self.place}: unknown variables: {listed}; known: {', '.join(sorted(facts))}"

    def _messages(self, facts: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
        name, trees = self.place.name, self._shelf.trees
        text = trees.compiled(name)
        context = text.new_context({**facts, "fields": self._described(facts)}, shared=True)
        for role in sandbox.SECTIONS:
            if role not in text.blocks:
                continue
            said = self._shelf.constants.get((name, role))
            if said is None:
                said = self._bounded(text.blocks[role](context))
                if trees.is_constant(name, role):
                    self._shelf.constants[name, role] = said
            if said:
                yield {"role": role, "content": said}

    def _described(self, facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The fields as the text sees them, each with the guidance of the file that declares it."""
        guides = self._shelf.guides
        return [
            {**shown, "guidance": self._guidance(guides[field.name], facts)}
            if field.name in guides
            else shown
            for field, shown in zip(self.fields, self._shown, strict=True)
        ]

    def _guidance(self, guide: Guide, facts: Mapping[str, Any]) -> str:
        said = guide.known(facts)
        if said is None:
            said = self._bounded(
                guide.text.root_render_func(guide.text.new_context(dict(facts), shared=True))
            )
            guide.learn(facts, said)
        return said

    def _bounded(self, chunks: Iterator[str]) -> str:
        parts, size = [], 0
        while chunk := list(islice(chunks, _CHUNKS)):
            parts.append("".join(chunk))
            size += len(parts[-1])
            if size > sandbox.MAX_OUTPUT_CHARS:
                limit = sandbox.MAX_OUTPUT_CHARS
                raise MessageLengthError(
                    f"{self.place}: a message is longer than {limit} characters; shorten it"
                )
        return "".join(parts).strip()


def _shown(field: FieldSpec) -> Mapping[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "description": field.description,
        "min": field.minimum,
        "max": field.maximum,
        "guidance": "",
    }


def _has(facts: Mapping[str, Any], path: Sequence[str]) -> bool:
    value: Any = facts
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A folder of templates (`*.j2`), narratives (`narratives/*.j2`) and wording (`*.yaml`).

    `angles` are the phrases, by field, of which one is drawn for each row to make rows differ. `digest` is
    the SHA-256 of every text that can reach a prompt; another digest is another dataset.
    """

    name: str
    folder: Path
    templates: Mapping[str, Template]
    wording: Mapping[str, Any]
    angles: Mapping[str, tuple[str, ...]]
    digest: str

    @classmethod
    def load(cls, name_or_folder: str | Path, narratives: Sequence[str] = ()) -> Self:
        """Load a set by folder name under `prompts/` or by path, with further narratives by file name.

        Raises:
            TemplateError: naming file, line and remedy, for an unknown set, a missing or faulty file.
        """
        folder = _folder(name_or_folder)
        texts = {place.name: place for place in sorted(folder.glob("*.j2"))}
        lacking = [f"{name}.j2" for name in REQUIRED if f"{name}.j2" not in texts]
        if lacking:
            raise TemplateError(f"{folder}: a prompt set needs {', '.join(lacking)}")
        heads = {name: front_matter(place) for name, place in texts.items()}
        base = declared_names(texts["personas.j2"], heads["personas.j2"][0], _NARRATIVES)
        for name in dict.fromkeys((*base, *narratives)):
            texts[f"{_NARRATIVES}/{name}.j2"] = place = _narrative(folder, name)
            heads[f"{_NARRATIVES}/{name}.j2"] = front_matter(place)
        environment = sandbox.Environment({name: text for name, (_, text) in heads.items()})
        fields = {name: declared_fields(texts[name], head) for name, (head, _) in heads.items()}
        guides = {spec.name: name for name, specs in fields.items() if "/" in name for spec in specs}
        shelf = Shelf.of(Trees(environment, texts), guides)
        asked = [spec for name in heads if "/" in name for spec in fields[name]]
        own = [spec.name for spec in (*fields["attributes.j2"], *fields["personas.j2"], *asked)]
        if twice := [name for name in own if own.count(name) > 1]:
            raise TemplateError(f"{folder}: two templates write {twice[0]!r}; give each field another name")
        templates = {}
        for name, place in texts.items():
            if "/" not in name and not name.startswith("_"):
                specs = (*fields[name], *(asked if name == "personas.j2" else ()))
                templates[place.stem] = Template(place.stem, place, specs, object_schema(specs), shelf)
        wording = {place.stem: _wording(place) for place in sorted(folder.glob("*.yaml"))}
        angles = {
            spec.name: declared_names(texts[name], heads[name][0], "angles")
            for name in guides.values()
            for spec in fields[name]
        }
        return cls(folder.name, folder, templates, wording, angles, _digest(folder, texts.values()))

    def words(self, *path: str) -> Any:
        """A piece of the set's wording, by file name and keys.

        Raises:
            TemplateError: naming the file and the key that is not there, with the known ones.
        """
        value: Any = self.wording
        for depth, step in enumerate(path):
            if not isinstance(value, Mapping) or step not in value:
                known = ", ".join(map(str, value)) if isinstance(value, Mapping) else "none"
                file = self.folder / f"{path[0]}.yaml"
                raise TemplateError(f"{file}: no {'.'.join(path[1 : depth + 1]) or step!r}; known: {known}")
            value = value[step]
        return value


def lint(name_or_folder: str | Path) -> tuple[str, ...]:
    """Everything that is wrong with a prompt set, one line each; empty when it is sound.

    Every narrative is loaded, and every variable of every template is looked up in the set's `sample.yaml`,
    an example of the facts, so that a misspelt one is found in branches too that few rows take. Angles are those
    that the narratives declare.

    Raises:
        TemplateError: there is no such prompt set.
    """
    folder = _folder(name_or_folder)
    try:
        every = [place.stem for place in sorted((folder / _NARRATIVES).glob("*.j2"))]
        prompts = PromptSet.load(folder, every)
        sample = _with_angles(prompts.words(_SAMPLE), prompts)
    except TemplateError as error:
        return tuple(str(error).splitlines())
    wrong = [fault for template in prompts.templates.values() if (fault := template.missing(sample))]
    if not wrong:
        for template in prompts.templates.values():
            # One field at a time: the sample has as much of everything as a row needs, not as all narratives together.
            for asked in [[field] for field in template.fields] or [[]]:
                try:
                    template.asking(asked).render(sample)
                except TemplateError as error:
                    wrong.append(str(error))
    return tuple(dict.fromkeys(wrong))


def _with_angles(sample: Mapping[str, Any], prompts: PromptSet) -> Mapping[str, Any]:
    """The sample with an angle for each field whose file declares some, as every row has."""
    grounding = sample.get("grounding")
    angles = {name: declared[0] for name, declared in prompts.angles.items() if declared}
    return {
        **sample,
        "grounding": {**(grounding if isinstance(grounding, Mapping) else {}), "angles": angles},
    }


def _folder(name_or_folder: str | Path) -> Path:
    named = _HOME / name_or_folder
    if isinstance(name_or_folder, str) and name_or_folder.isidentifier() and named.is_dir():
        return named
    if (folder := Path(name_or_folder)).is_dir():
        return folder
    known = ", ".join(sorted(place.parent.name for place in _HOME.glob("*/attributes.j2")))
    raise TemplateError(f"unknown prompt set {str(name_or_folder)!r}; known: {known}, or a folder's path")


def _narrative(folder: Path, name: str) -> Path:
    known = sorted(place.stem for place in (folder / _NARRATIVES).glob("*.j2"))
    if name not in known:
        place = folder / _NARRATIVES
        raise TemplateError(f"{place}: unknown narrative {name!r}; known: {', '.join(known) or 'none'}")
    return folder / _NARRATIVES / f"{name}.j2"


def _wording(place: Path) -> Mapping[str, Any]:
    return mapping(read_source(place), str(place))


def _digest(folder: Path, texts: Iterable[Path]) -> str:
    # The sample serves the linter alone and reaches no prompt.
    wording = (place for place in folder.glob("*.yaml") if place.stem != _SAMPLE)
    digest = hashlib.sha256()
    for place in sorted((*texts, *wording)):
        content = place.read_bytes()
        digest.update(f"{place.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
