"""The files of a grammar: where they lie, what they say, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import check_input
from census_personas.foundation.yaml_file import YamlError, read_yaml

PORTRAIT = "portrait.yaml"
"""The file of a grammar that defines no symbols: it says what the grammar takes from the facts of a person."""


class GrammarError(PersonasError, ValueError):
    """A grammar that cannot be used; the message names the file, the symbol and the remedy."""


def read_symbols(folder: Path) -> dict[str, Mapping[str, Iterable[str]]]:
    """What every `*.yaml` of a folder but its `portrait.yaml` says: symbol -> condition -> texts.

    Raises:
        GrammarError: a file that is no YAML mapping, or a symbol that two files define.
    """
    symbols: dict[str, Mapping[str, Iterable[str]]] = {}
    for file in _files(folder):
        if file.name == PORTRAIT:
            continue
        content = _content(file)
        twice = sorted(content.keys() & symbols.keys())
        if twice:
            raise GrammarError(f"{file}: {twice[0]!r} is defined in another file too; keep one of them.")
        symbols.update(content)
    if not symbols:
        raise GrammarError(f"{folder}: no *.yaml that defines a symbol; a grammar needs some.")
    return symbols


def digest(locale_or_folder: str | Path) -> str:
    """SHA-256 of the grammar that `Grammar.load` reads; another digest is another set of texts."""
    found = hashlib.sha256()
    for file in _files(folder_of(locale_or_folder)):
        try:
            check_input(file)
            content = file.read_bytes()
        except OSError as error:
            raise GrammarError(f"{file}: cannot be read ({error.strerror})") from error
        found.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def folder_of(locale_or_folder: str | Path) -> Path:
    """The folder itself, or `prompts/<locale>/offline`.

    Raises:
        GrammarError: there is neither.
    """
    folder = Path(locale_or_folder)
    if not folder.is_dir():
        folder = Path(str(files("census_personas.prompts"))) / str(locale_or_folder) / "offline"
    if not folder.is_dir() and isinstance(locale_or_folder, Path):
        raise GrammarError(
            f"{locale_or_folder}: is not there, and the offline narrator writes in it; copy one, such as "
            "prompts/en_US/offline, or set llm.backend=openai"
        )
    if not folder.is_dir():
        raise GrammarError(
            f"{locale_or_folder!r}: no folder of that name and no prompts/{locale_or_folder}/offline; "
            "name a prompt set that has an offline grammar, such as 'en_US'."
        )
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def _content(file: Path) -> dict[str, Mapping[str, Iterable[str]]]:
    try:
        content: Any = read_yaml(file)
    except YamlError as error:
        raise GrammarError(str(error)) from error
    if not isinstance(content, dict):
        raise GrammarError(f"{file}: holds {type(content).__name__}; it must map symbols to alternatives.")
    odd = next((symbol for symbol in content if not isinstance(symbol, str)), None)
    if odd is not None:
        raise GrammarError(f"{file}: the symbol {odd!r} is no text; quote it.")
    return {
        symbol: groups if isinstance(groups, dict) else {"any": groups} for symbol, groups in content.items()
    }
