"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from persona_engine.generator.config import Config

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file that says what the run is.")]
MaybeConfigFile = Annotated[
    Path | None, typer.Argument(metavar="[CONFIG]", help="YAML file; defaults are used without one.")
]
Dataset = Annotated[Path, typer.Argument(help="A .parquet, .csv or .jsonl file, or a run folder.")]
Rows = Annotated[int | None, typer.Option("-n", "--rows", min=1, help="Rows; default: the config's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed; default: the config's.")]
Where = Annotated[
    str | None,
    typer.Option(metavar="JSON", help='Condition, such as \'{"state": ["CA", "OR"], "age": "30-45"}\'.'),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Override a key of the config; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Locale = Annotated[str, typer.Option(help="A locale of census_priors, or a folder.")]


def config_of(
    path: Path | None,
    overrides: list[str] | None,
    *,
    rows: int | None = None,
    seed: int | None = None,
    where: str | None = None,
) -> Config:
    """The configuration that a command line describes: file, then --set, then the short options."""
    from persona_engine.generator.config import load, parse

    changes = list(overrides or ())
    changes += [f"{key}={value}" for key, value in (("rows", rows), ("seed", seed)) if value is not None]
    if where is not None:
        changes.append(f"where={json.dumps(condition(where))}")
    return parse("", "defaults", tuple(changes)) if path is None else load(path, tuple(changes))


def condition(where: str) -> dict[str, Any]:
    """The value of `--where`."""
    from persona_engine.generator.config import ConfigError

    try:
        value = json.loads(where)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f'--where: not valid JSON ({error}); write it like \'{{"state": "NY"}}\''
        ) from error
    if not isinstance(value, dict):
        raise ConfigError(f"--where: give an object of attribute and condition, not {where}")
    return value
