"""Template cache: parts and renderings shared by the templates of one prompt set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from jinja2 import Template

from census_personas.prompts.source import Trees

# Most texts cached per file. The shipped ones read a single fact with eight states.
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class FieldGuidance:
    """A file's guidance for its field, cached by the facts that it reads."""

    file: str
    text: Template
    _reads: tuple[tuple[str, ...], ...] | None
    _known: dict[tuple[str, ...], str] = field(default_factory=dict)

    def known(self, facts: Mapping[str, Any]) -> str | None:
        """Return the cached text for the same facts, if any."""
        read = self._read(facts)
        return None if read is None else self._known.get(read)

    def learn(self, facts: Mapping[str, Any], text: str) -> None:
        """Cache a rendered text."""
        read = self._read(facts)
        if read is not None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[read] = text

    def _read(self, facts: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Return the facts that the text reads; None unless all are strings, because other values may compare equal."""
        if self._reads is None:
            return None
        read = []
        for path in self._reads:
            value: Any = facts
            for step in path:
                if not isinstance(value, dict) or step not in value:
                    return None
                value = value[step]
            if type(value) is not str:
                return None
            read.append(value)
        return tuple(read)


@dataclass(frozen=True, slots=True)
class TemplateCache:
    """The parsed texts of a set, its guides by field, the fields of its calls, and constant blocks."""

    trees: Trees
    guides: Mapping[str, FieldGuidance]
    calls: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    constants: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: Trees, files: Mapping[str, str]) -> Self:
        """Create the cache of a set whose fields are declared in these files."""
        guides = {
            name: FieldGuidance(file, trees.compiled(file), trees.reads(file)) for name, file in files.items()
        }
        return cls(trees, guides)
