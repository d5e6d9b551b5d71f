"""The files of a grammar: their folder, their content, and their digest."""

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
"""The file of a grammar without symbols: it declares which facts of a person the grammar uses."""


class GrammarError(PersonasError, ValueError):
    """A grammar that cannot be used; the message names the file, the symbol and the remedy."""


def read_symbols(folder: Path) -> dict[str, Mapping[str, Iterable[str]]]:
    """Read every `*.yaml` of a folder except `portrait.yaml`: symbol -> condition -> texts.

    Raises:
        GrammarError: a file is not a YAML mapping, or two files define one symbol.
    """
    symbols: dict[str, Mapping[str, Iterable[str]]] = {}
    for file in _files(folder):
        if file.name == PORTRAIT:
            continue
        content = _content(file)
        twice = sorted(content.keys() & symbols.keys())
        if twice:
            raise GrammarError(f"{file}: {twice[0]!r} is also defined in another file; keep one of them.")
        symbols.update(content)
    if not symbols:
        raise GrammarError(f"{folder}: no *.yaml defines a symbol; add one.")
    return symbols


def digest(locale_or_folder: str | Path) -> str:
    """Compute the SHA-256 of the grammar that `Grammar.load` reads; it changes with every text."""
    hasher = hashlib.sha256()
    for file in _files(folder_of(locale_or_folder)):
        try:
            check_input(file)
            content = file.read_bytes()
        except OSError as error:
            raise GrammarError(f"{file}: cannot be read ({error.strerror})") from error
        hasher.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return hasher.hexdigest()


def folder_of(locale_or_folder: str | Path) -> Path:
    """Return the folder itself, or `prompts/<locale>/offline`.

    Raises:
        GrammarError: neither exists.
    """
    folder = Path(locale_or_folder)
    if not folder.is_dir():
        folder = Path(str(files("census_personas.prompts"))) / str(locale_or_folder) / "offline"
    if not folder.is_dir() and isinstance(locale_or_folder, Path):
        raise GrammarError(
            f"{locale_or_folder}: no such folder, but the offline narrator needs its grammar; copy one, such as "
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
        raise GrammarError(f"{file}: the symbol {odd!r} is not a string; quote it.")
    return {
        symbol: groups if isinstance(groups, dict) else {"any": groups} for symbol, groups in content.items()
    }
