"""Templates: a record's facts in, chat messages out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


class TemplateError(ValueError):
    """A template that cannot be used; the message names file, line, value and remedy."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field that a template asks for: its bounds are characters of a text, items of a list."""

    name: str
    kind: Literal["text", "list"]
    description: str
    minimum: int
    maximum: int


class Template:
    """One prompt: `.name`, `.fields`, `.schema` (JSON schema), `.render(facts)`."""

    name: str
    path: Path
    fields: tuple[FieldSpec, ...]
    schema: Mapping[str, Any]

    def render(self, facts: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
        """Chat messages, system first."""
        raise NotImplementedError


class PromptSet:
    """A folder of templates and wording. `templates['attributes'|'personas'|'repair'|'judge']`, `.digest`."""

    name: str
    templates: Mapping[str, Template]
    wording: Mapping[str, Any]
    digest: str

    @classmethod
    def load(cls, name_or_folder: str | Path, narratives: Sequence[str] = ()) -> PromptSet:
        """Load a set by folder name under `prompts/` or by path, with further narratives by file name."""
        raise NotImplementedError


def lint(name_or_folder: str | Path) -> tuple[str, ...]:
    """Everything that is wrong with a prompt set, one line each; empty when it is sound."""
    raise NotImplementedError
