"""Template: renders a record's facts to chat messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self

from jinja2 import UndefinedError
from jinja2.exceptions import TemplateError as JinjaError

from census_personas.prompts import sandbox
from census_personas.prompts.fields import FieldSpec, RenderError, TemplateError, object_schema, shortened
from census_personas.prompts.narratives import FOLDER, choose
from census_personas.prompts.render_steps import MAX_GUIDE_STEPS, MAX_STEPS, STEPS, Steps, gathered
from census_personas.prompts.reserved_names import refuse_taken
from census_personas.prompts.set_declaration import SetDeclaration
from census_personas.prompts.set_folder import digest_of, files_of, folder_of, read_wording
from census_personas.prompts.source import OF_THE_SET, Trees, declared_fields, declared_names, front_matter
from census_personas.prompts.template_cache import FieldGuidance, TemplateCache
from census_personas.prompts.wording import refuse_misshapen

__all__ = ["FieldSpec", "PromptSet", "RenderError", "Template", "TemplateError"]
REQUIRED = ("attributes", "personas", "repair", "judge")
# Templates whose fields are written into the dataset, together with those of the narratives.
CALLED = ("attributes.j2", "personas.j2")
_NEXT = "next"
_ALONE = ("system", "user")
# Most unknown variables that an error names.
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Template:
    """One prompt: its fields, and the messages that request them.

    Its text is in `{% block system %}` and `{% block user %}`, and can use the facts, `fields` (name, kind,
    description, min, max and guidance of every requested field) and `calls` (the same for both calls, without
    guidance). A template with `{% block next %}` can continue a conversation: that block follows earlier answers.
    """

    name: str
    place: Path
    fields: tuple[FieldSpec, ...]
    schema: Mapping[str, Any]
    _cache: TemplateCache
    _shown: tuple[Mapping[str, Any], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Describe the fields once: only their guidance depends on the facts."""
        object.__setattr__(self, "_shown", tuple(_shown(field) for field in self.fields))

    def asking(self, fields: Sequence[FieldSpec]) -> Template:
        """Return the template for other fields, as a repair needs it."""
        return Template(self.name, self.place, tuple(fields), object_schema(fields), self._cache)

    @property
    def can_continue(self) -> bool:
        """Whether it can continue a conversation."""
        return _NEXT in self._cache.trees.compiled(self.place.name).blocks

    def render(self, facts: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
        """Render self-contained chat messages, system first.

        Raises:
            TemplateError: variables are missing; the message names all of them.
            RenderError: rendering fails with these facts; the message names file and line.
        """
        return self._render(facts, Steps(), _ALONE)

    def render_next(self, facts: Mapping[str, Any]) -> Mapping[str, str]:
        """Render the user message that continues a conversation; `can_continue` must hold.

        Raises:
            TemplateError: as in `render`.
        """
        (message,) = self._render(facts, Steps(), (_NEXT,))
        return message

    def render_counted(self, facts: Mapping[str, Any]) -> tuple[tuple[Mapping[str, str], ...], int]:
        """Render chat messages and count their steps, without those outside loops and of cached texts.

        Raises:
            TemplateError: as in `render`.
        """
        steps = Steps()
        messages = self._render(facts, steps, _ALONE)
        if self.can_continue:
            messages += self._render(facts, steps, (_NEXT,))
        return messages, steps.taken

    def _render(
        self, facts: Mapping[str, Any], steps: Steps, blocks: Sequence[str]
    ) -> tuple[Mapping[str, str], ...]:
        try:
            messages = tuple(self._messages(facts, steps, blocks))
        except UndefinedError as error:
            raise TemplateError(self.missing(facts) or self._fault(error)) from error
        except (JinjaError, TypeError, ValueError, RecursionError) as error:
            raise RenderError(self._fault(error)) from error
        if not any(message["role"] == "user" for message in messages):
            raise RenderError(f"{self.place}: the user message is empty; add text to its user block")
        return messages

    def _fault(self, error: Exception) -> str:
        # Python's messages, such as "object of type 'int' has no len()", lack a remedy.
        remedy = "; use a value of the kind that the text expects" if type(error) is TypeError else ""
        return f"{self._cache.trees.where(error) or self.place}: {error}{remedy}"

    @property
    def weight(self) -> int:
        """Steps of the text outside its loops."""
        return self._cache.trees.weight(self.place.name)

    def missing(self, facts: Mapping[str, Any]) -> str:
        """Describe every variable missing in the facts, with its line; empty if there is none."""
        guides = self._cache.guides
        names = [self.place.name, *(guides[field.name].file for field in self.fields if field.name in guides)]
        lacking: dict[str, str] = {}
        for name in names:
            for file, line, path in self._cache.trees.paths(name):
                if path[0] != "fields" and path[0] not in OF_THE_SET and not _has(facts, path):
                    lacking.setdefault(".".join(path), f"{file.name}:{line}")
        if not lacking:
            return ""
        listed = ", ".join(
            f"{shortened(name)[1:-1]} ({where})" for name, where in islice(lacking.items(), _LISTED)
        )
        more = f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else ""
        return f"{self.place}: unknown variables: {listed}{more}; known: {', '.join(sorted(map(str, facts)))}"

    def _messages(
        self, facts: Mapping[str, Any], steps: Steps, blocks: Sequence[str]
    ) -> Iterator[Mapping[str, str]]:
        name, trees = self.place.name, self._cache.trees
        text = trees.compiled(name)
        seen = {**facts, "fields": self._described(facts, steps), "calls": self._cache.calls, STEPS: steps}
        context = text.new_context(seen, shared=True)
        for block in blocks:
            if block not in text.blocks:
                continue
            content = self._cache.constants.get((name, block))
            if content is None:
                content = gathered(text.blocks[block](context), steps, MAX_STEPS)
                if trees.is_constant(name, block):
                    self._cache.constants[name, block] = content
            if content:
                yield {"role": "user" if block == _NEXT else block, "content": content}

    def _described(self, facts: Mapping[str, Any], steps: Steps) -> list[Mapping[str, Any]]:
        """Return the fields for the text, each with the guidance of the file that declares it."""
        guides = self._cache.guides
        if guides.keys().isdisjoint(self.schema["properties"]):
            return list(self._shown)
        return [
            {**shown, "guidance": self._guidance(guides[field.name], facts, steps)}
            if field.name in guides
            else shown
            for field, shown in zip(self.fields, self._shown, strict=True)
        ]

    def _guidance(self, guide: FieldGuidance, facts: Mapping[str, Any], steps: Steps) -> str:
        content = guide.known(facts)
        if content is None:
            context = guide.text.new_context({**facts, STEPS: steps}, shared=True)
            content = gathered(guide.text.root_render_func(context), steps, MAX_GUIDE_STEPS)
            guide.learn(facts, content)
        return content


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

    Attributes:
        angles: phrases by field; one is drawn for each row, to make rows differ.
        narratives: fields of each chosen narrative, by file name.
        own: default narratives of the set, by its own names.
        declared: its language and roles.
        digest: SHA-256 of every text that can reach a prompt; it changes with the dataset's texts.
    """

    name: str
    folder: Path
    templates: Mapping[str, Template]
    wording: Mapping[str, Any]
    angles: Mapping[str, tuple[str, ...]]
    narratives: Mapping[str, tuple[FieldSpec, ...]]
    own: tuple[str, ...]
    declared: SetDeclaration
    digest: str

    @classmethod
    def load(
        cls, name_or_folder: str | Path, narratives: Sequence[str] = (), without: Sequence[str] = ()
    ) -> Self:
        """Load a set by name or path, with further narratives, and without some of its own.

        Raises:
            TemplateError: unknown set, or a missing or faulty file; the message names file, line and remedy.
        """
        folder = folder_of(name_or_folder)
        texts = {place.name: place for place in files_of(folder, "*.j2")}
        lacking = [f"{name}.j2" for name in REQUIRED if f"{name}.j2" not in texts]
        if lacking:
            raise TemplateError(f"{folder}: a prompt set needs {', '.join(lacking)}")
        heads = {name: front_matter(place) for name, place in texts.items()}
        own = declared_names(texts["personas.j2"], heads["personas.j2"][0], "narratives")
        asked = {
            f"{FOLDER}/{stem}.j2": place for stem, place in choose(folder, own, narratives, without).items()
        }
        texts |= asked
        heads |= {name: front_matter(place) for name, place in asked.items()}
        environment = sandbox.Environment({name: text for name, (_, text) in heads.items()})
        fields = {name: declared_fields(texts[name], head) for name, (head, _) in heads.items()}
        guides = {spec.name: name for name in asked for spec in fields[name]}
        cache = TemplateCache.of(Trees(environment, texts), guides)
        wording = {place.stem: read_wording(place) for place in files_of(folder, "*.yaml")}
        declared = SetDeclaration.read(folder, wording)
        refuse_taken({texts[name]: fields[name] for name in (*CALLED, *asked)}, declared.names)
        templates = {}
        for name, place in texts.items():
            if name not in asked and not name.startswith("_"):
                further = [spec for guide in asked for spec in fields[guide]] if name == "personas.j2" else []
                specs = (*fields[name], *further)
                templates[place.stem] = Template(place.stem, place, specs, object_schema(specs), cache)
        cache.calls.update(
            {call: [_shown(spec) for spec in templates[call].fields] for call in ("attributes", "personas")}
        )
        refuse_misshapen(folder, wording)
        angles = {
            spec.name: declared_names(texts[name], heads[name][0], "angles")
            for name in asked
            for spec in fields[name]
        }
        return cls(
            folder.name,
            folder,
            templates,
            wording,
            angles,
            {asked[name].stem: fields[name] for name in asked},
            own,
            declared,
            digest_of(folder, texts.values()),
        )

    def words(self, *path: str) -> Any:
        """Return a value of the set's wording, by file name and keys.

        Raises:
            TemplateError: there is no such value; the message names file and key, with the known keys.
        """
        value: Any = self.wording
        for depth, step in enumerate(path):
            if not isinstance(value, Mapping) or step not in value:
                known = ", ".join(map(str, value)) if isinstance(value, Mapping) else "none"
                file = self.folder / f"{path[0]}.yaml"
                raise TemplateError(f"{file}: no {'.'.join(path[1 : depth + 1]) or step!r}; known: {known}")
            value = value[step]
        return value
