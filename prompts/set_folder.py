"""Set folder: the folder of a prompt set, its files and their digest."""

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
"""Most templates, narratives and YAML files of a set, each."""
SAMPLE = "sample"
PEOPLE = "people"
"""Folder of a set with files of people for the evaluation of its prompts."""
_HOME = Path(__file__).parent
_NO_OTHERS: Mapping[str, Path] = MappingProxyType({})


def shipped_sets() -> tuple[str, ...]:
    """Return the names of the shipped sets."""
    return tuple(sorted(place.parent.name for place in _HOME.glob("*/attributes.j2")))


def folder_of(name_or_folder: str | Path, others: Mapping[str, Path] = _NO_OTHERS) -> Path:
    """Return the folder of a set: a shipped one, a folder with this path, or one of `others`.

    Raises:
        TemplateError: there is none.
    """
    named, folder = _HOME / name_or_folder, Path(name_or_folder)
    try:
        if isinstance(name_or_folder, str) and name_or_folder.isidentifier() and named.is_dir():
            return named
        if str(name_or_folder) and folder.is_dir():
            return folder
    except OSError:  # for example, a name too long for the file system
        pass
    if str(name_or_folder) in others:
        return others[str(name_or_folder)]
    known = ", ".join((*shipped_sets(), *others))
    shown = shortened(str(name_or_folder))
    raise TemplateError(f"unknown prompt set {shown}; known: {known}, or a folder's path")


def files_of(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a prompt set, sorted by name.

    Raises:
        TemplateError: there are too many.
    """
    places = sorted(folder.glob(pattern))
    if len(places) > MAX_FILES:
        raise TemplateError(f"{folder}: {len(places)} files {pattern}; a prompt set may have {MAX_FILES}")
    return places


def people_of(name_or_folder: str | Path, name: str) -> Path:
    """Return a set's file of people with this name, such as `evaluation`.

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
    """Read a YAML file of a set.

    Raises:
        TemplateError: it is not a YAML mapping, or too large.
    """
    return mapping(read_text(place, LONGEST), str(place))


def digest_of(folder: Path, texts: Iterable[Path]) -> str:
    """Compute the SHA-256 of the used templates and all wording."""
    # Only the linter uses the sample; it reaches no prompt.
    wording = (place for place in folder.glob("*.yaml") if place.stem != SAMPLE)
    digest = hashlib.sha256()
    for place in sorted((*texts, *wording)):
        content = place.read_bytes()
        digest.update(f"{place.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
