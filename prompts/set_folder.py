"""Set folder: where a prompt set lies, its files and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from census_personas.prompts.fields import TemplateError, shortened
from census_personas.prompts.text_file import read_text
from census_personas.prompts.yaml_text import LONGEST, mapping

MAX_FILES = 50
"""Templates of a set, its narratives, and its YAML files: so many of each."""
SAMPLE = "sample"
PEOPLE = "people"
"""Folder of a set with files of people by whom a change of its prompts is judged."""
_HOME = Path(__file__).parent
_NO_OTHERS: Mapping[str, Path] = MappingProxyType({})


def shipped_sets() -> tuple[str, ...]:
    """The names of the sets that are shipped."""
    return tuple(sorted(place.parent.name for place in _HOME.glob("*/attributes.j2")))


def folder_of(name_or_folder: str | Path, others: Mapping[str, Path] = _NO_OTHERS) -> Path:
    """The folder of a set: a shipped one, a folder of that name, or one of `others`, by name.

    Raises:
        TemplateError: there is none.
    """
    named, folder = _HOME / name_or_folder, Path(name_or_folder)
    try:
        if isinstance(name_or_folder, str) and name_or_folder.isidentifier() and named.is_dir():
            return named
        if str(name_or_folder) and folder.is_dir():
            return folder
    except OSError:  # such as a name that is too long for the file system
        pass
    if str(name_or_folder) in others:
        return others[str(name_or_folder)]
    known = ", ".join((*shipped_sets(), *others))
    said = shortened(str(name_or_folder))
    raise TemplateError(f"unknown prompt set {said}; known: {known}, or a folder's path")


def files_of(folder: Path, pattern: str) -> list[Path]:
    """Files of a prompt set, in the order of their names.

    Raises:
        TemplateError: there are too many.
    """
    places = sorted(folder.glob(pattern))
    if len(places) > MAX_FILES:
        raise TemplateError(f"{folder}: {len(places)} files {pattern}; a prompt set may have {MAX_FILES}")
    return places


def people_of(name_or_folder: str | Path, name: str) -> Path:
    """The file of people that a set has under this name, such as `evaluation`.

    Raises:
        TemplateError: there is none, or no such set.
    """
    folder = folder_of(name_or_folder) / PEOPLE
    known = {place.stem: place for place in sorted(folder.glob("*.jsonl"))}
    if name not in known:
        raise TemplateError(
            f"{folder}: no people {shortened(name)}; known: {', '.join(known) or 'none'}, or a dataset's path"
        )
    return known[name]


def read_wording(place: Path) -> Mapping[str, Any]:
    """What a YAML file of a set says.

    Raises:
        TemplateError: it is no YAML mapping, or too large.
    """
    return mapping(read_text(place, LONGEST), str(place))


def digest_of(folder: Path, texts: Iterable[Path]) -> str:
    """SHA-256 of the templates that are used and of all wording."""
    # The sample serves the linter alone and reaches no prompt.
    wording = (place for place in folder.glob("*.yaml") if place.stem != SAMPLE)
    digest = hashlib.sha256()
    for place in sorted((*texts, *wording)):
        content = place.read_bytes()
        digest.update(f"{place.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
