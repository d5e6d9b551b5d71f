"""Config files: read a run's configuration from YAML, overrides and options, and report faults in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from census_personas.census_priors.priors import locales
from census_personas.foundation.plugins import installed
from census_personas.foundation.printable import NO_TEXT
from census_personas.foundation.yaml_file import YamlError, parse_yaml, read_yaml
from census_personas.generator.config.input_config import InputConfig, file_alone
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.config.selection import TABLES

_SECTIONS = frozenset(
    name
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
)
_DEEPEST = 4
_SHOWN = 80
_ENDPOINT = re.compile(r"^llm\.endpoints\.\d+\.")


def load(path: Path, overrides: tuple[str, ...] = (), given: Mapping[str, Any] | None = None) -> Config:
    """Read a YAML file, apply `a.b=value` overrides (values are YAML), then the options in `given` by key.

    Relative paths in the file start from the file's folder if they exist there, else from the working folder, like
    those of overrides and options.

    Raises:
        ConfigError: unreadable YAML, an unknown key or a bad value; names file, key and remedy.
    """
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise ConfigError(f"{error}; give a YAML config") from error
    if isinstance(values, dict):
        values = with_places(values, path.parent)
    return _config(values, str(path), overrides, given or {})


def from_values(source: Config | Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Config:
    """Return the configuration of a mapping or of another configuration, with some values changed.

    A section in `changes` is merged into the existing section: `{"llm": {"concurrency": 8}}` keeps the model.
    Relative paths start from the working folder.

    Raises:
        ConfigError: an unknown key or a bad value; names the remedy.
    """
    values = source.model_dump(by_alias=True, exclude_unset=True) if isinstance(source, Config) else source
    return _config(_merge(values, changes or {}), "config", (), {})


def _merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with changes, sections merged; neither argument is modified."""
    merged = dict(values)
    for key, value in _with_file(values, changes).items():
        before: Any = merged.get(key)
        is_section = key in _SECTIONS and isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = {**before, **value} if is_section else value
    return merged


def _with_file(values: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the changes, with a bare input path put into the existing section about how the file is read."""
    before, named = values.get("input"), changes.get("input")
    if isinstance(before, InputConfig):
        before = before.model_dump(exclude_unset=True)
    if isinstance(before, Mapping) and isinstance(named, str):
        return {**changes, "input": {**before, "file": named}}
    return changes


def with_places(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a config's values with absolute paths in place of relative ones that exist in this folder.

    Names of shipped locales and prompt sets, of installed plug-ins, and paths that do not exist stay unchanged.
    """
    placed = partial(_placed, folder)
    changed: dict[str, Callable[[Any], Any]] = {
        "input": partial(_placed_at, folder, ("file",)),
        "llm": partial(_placed_at, folder, ("client_cert", "client_key")),
        "target": partial(_placed_tables, folder),
        "quota": partial(_placed_tables, folder),
    }
    if values.get("locale") not in locales():
        changed["locale"] = placed
    if isinstance(values.get("plugins"), list | tuple):
        packages = list(installed())
        changed["plugins"] = lambda named: [name if name in packages else placed(name) for name in named]
    prompts = values.get("prompts")
    if isinstance(prompts, dict) and not _is_shipped(prompts.get("set")):
        changed["prompts"] = partial(_placed_at, folder, ("set",))
    return values | {key: change(values[key]) for key, change in changed.items() if key in values}


def _placed(folder: Path, value: Any) -> Any:
    if not isinstance(value, str) or not value or "\0" in value or Path(value).is_absolute():
        return value
    place = folder.absolute() / value
    return os.path.normpath(place) if os.path.lexists(place) else value


def _placed_at(folder: Path, keys: tuple[str, ...], section: Any) -> Any:
    """Return a section with these keys made absolute; a bare value is itself a path."""
    if not isinstance(section, dict):
        return _placed(folder, section)
    return section | {key: _placed(folder, section[key]) for key in keys if key in section}


def _placed_tables(folder: Path, wanted: Any) -> Any:
    if not isinstance(wanted, dict):
        return wanted
    named = {name: said for name, said in wanted.items() if isinstance(said, str) and said.endswith(TABLES)}
    return wanted | {name: _placed(folder, said) for name, said in named.items()}


def _is_shipped(prompt_set: Any) -> bool:
    """Return whether a value names a shipped prompt set, which takes precedence over a folder of that name."""
    home = Path(str(files("census_personas.prompts")))
    return isinstance(prompt_set, str) and prompt_set.isidentifier() and (home / prompt_set).is_dir()


def parse(
    text: str, place: str, overrides: tuple[str, ...] = (), given: Mapping[str, Any] | None = None
) -> Config:
    """Do as `load` for a text; `place` names it in errors."""
    try:
        values = parse_yaml(text)
    except YamlError as error:
        raise ConfigError(f"{place}: {error}") from error
    return _config(values, place, overrides, given or {})


def _config(values: Any, place: str, overrides: tuple[str, ...], given: Mapping[str, Any]) -> Config:
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise ConfigError(f"{place}: a config is a mapping of keys to values, not a {type(values).__name__}")
    values = {**values, "input": file_alone(values["input"])} if "input" in values else values
    for override in overrides:
        _apply(values, override)
    values |= _with_file(values, given)
    options = {override.partition("=")[0]: "--set" for override in overrides} | {
        key: f"--{key}" for key in given
    }
    values = {key: value for key, value in values.items() if value is not None or key not in _SECTIONS}
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(
            "; ".join(_explain(_place(item, options) or place, item) for item in error.errors())
        ) from error


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if key == "llm" or key.startswith(_SECRETIVE):
        override = f"{key}=…"
    *sections, last = key.split(".")
    if not equals or not all((*sections, last)) or len(sections) > _DEEPEST:
        raise ConfigError(f"--set {_cut(override)}: write it as section.key=value")
    for section in sections:
        if values.get(section) is None:
            values[section] = {}
        values = values[section]
        if not isinstance(values, dict):
            raise ConfigError(f"--set {_cut(override)}: {section!r} is a value, not a section")
    try:
        values[last] = parse_yaml(text)
    except YamlError as error:
        raise ConfigError(f"--set {_cut(override)}: {error}") from error


def _place(item: Any, options: Mapping[str, str]) -> str | None:
    """Return the option that the value came from; None if it came from the file."""
    keys = [".".join(map(str, item["loc"][:end])) for end in range(len(item["loc"]), 0, -1)]
    return next((options[key] for key in keys if key in options), None)


# Sections whose values may be secrets.
_SECRETIVE = ("llm.headers", "llm.endpoints")
# These may hold a secret put in the wrong place, so their errors do not repeat the value.
_REMEDIES = {
    "llm.seed": "is on or off: whether requests carry a seed; the seed of the run is the key seed",
    "llm.base_url": "must be an http(s) URL without user name or password, such as http://localhost:8000/v1",
    "llm.api_key_env": "must be the name of an environment variable; the key itself must not be in a config",
}
_PATTERNS = {
    "name": "takes letters, digits, dots, hyphens and underscores, and begins with a letter or digit"
}


def _explain(place: str, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "config"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "string_unicode":
        message = NO_TEXT
    if item["type"] == "value_error":
        return f"{place}: {message}"
    if item["type"] == "extra_forbidden":
        return f"{place}: unknown key {where!r}; known there: {', '.join(_known(item['loc'][:-1]))}"
    if item["type"] == "plain":  # names the part of the value itself
        return f"{place}: {where}.{message}"
    named = place if place == f"--{where}" else f"{place}: {where}"
    return f"{named}: {_fault(where, message, item)}"


def _fault(where: str, message: str, item: Any) -> str:
    """Describe what is wrong with a value."""
    if said := _hidden_fault(where, message, item):
        return said
    if item["type"] == "model_type":  # without the value, which may be a key pasted here
        return f"is a section of keys, not a {type(item['input']).__name__}"
    if item["input"] is None:
        return "has no value; give one, or leave the key out"
    if item["type"] == "tuple_type":
        return f"is a list; write [{_cut(str(item['input']))}], not {_cut(repr(item['input']))}"
    if item["type"] == "string_pattern_mismatch":
        return f"{_PATTERNS.get(where, 'holds a character that a name cannot have')}, not {_cut(repr(item['input']))}"
    value = _cut(repr(item["input"]))
    return f"{value} {message}" if message == NO_TEXT else f"{message[:1].lower()}{message[1:]}, not {value}"


def _hidden_fault(where: str, message: str, item: Any) -> str:
    """Describe what is wrong with a value that may be a secret, without showing it; empty for other keys."""
    if (known := _ENDPOINT.sub("llm.", where)) in _REMEDIES:
        return _REMEDIES[known]
    if not where.startswith(_SECRETIVE) or item["type"] == "header":
        return message if item["type"] == "header" else ""
    return f"{message[:1].lower()}{message[1:]} (the value is not shown, as it may be a secret)"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _known(sections: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for section in sections:
        if isinstance(section, int):  # a position in a list, whose section type is known already
            continue
        field = model.model_fields.get(section) or next(
            field for field in model.model_fields.values() if field.alias == section
        )
        kinds = (field.annotation, *get_args(field.annotation))
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return sorted(field.alias or name for name, field in model.model_fields.items())
