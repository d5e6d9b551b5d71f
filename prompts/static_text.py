"""Static text: the passages of a prompt set that are the same for every person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from census_personas.prompts import sandbox
from census_personas.prompts.narratives import FOLDER
from census_personas.prompts.set_folder import files_of
from census_personas.prompts.source import front_matter


def static_texts(folder: Path) -> tuple[str, ...]:
    """Return the passages between the tags of a set's templates and narratives, and the texts of front matter.

    Passages end at variables, so that none holds a fact of a person. Wording, which expresses the facts, is left out.

    Raises:
        TemplateError: a file cannot be read.
    """
    places = (*files_of(folder, "*.j2"), *files_of(folder / FOLDER, "*.j2"))
    environment = sandbox.Environment({})
    passages: list[str] = []
    for place in places:
        head, text = front_matter(place)
        passages += _words_of(head)
        passages += (part for _, kind, part in environment.lex(text) if kind == "data" and not part.isspace())
    return tuple(passages)


def _words_of(head: Any) -> Iterator[str]:
    """Yield the texts in front matter."""
    if isinstance(head, str):
        yield head
    elif isinstance(head, Mapping):
        for value in head.values():
            yield from _words_of(value)
    elif isinstance(head, list | tuple):
        for value in head:
            yield from _words_of(value)
