"""Options that several commands share, and functions that read their values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config

_NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"
_TIME = re.compile(rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?")
_SHOWN = 40

ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file that describes the run.")]
MaybeConfigFile = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help="YAML file; defaults are used without one.")
]
Dataset = Annotated[
    Path, typer.Argument(metavar="DATASET", help="A .parquet, .csv or .jsonl file, or a run folder.")
]
Rows = Annotated[int | None, typer.Option("-n", "--rows", min=1, help="Rows; default: the config's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed; default: the config's.")]
Where = Annotated[
    str | None,
    typer.Option(metavar="JSON", help='Condition, such as \'{"state": ["CA", "OR"], "age": "30-45"}\'.'),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="JSON", help='Wanted marginals, such as \'{"sex": "uniform", "age": ["18-44", "45-"]}\'.'
    ),
]
Quota = Annotated[
    str | None,
    typer.Option(
        metavar="JSON",
        help='One marginal to meet exactly: shares, or counts that sum to --rows; or \'{"sex": "uniform"}\'.',
    ),
]
Stratified = Annotated[
    bool | None, typer.Option("--stratified", help="Spread draws evenly: margins vary less, without bias.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Override a key of the config; repeatable."),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Stop after this time, such as 90m or 2h, and keep all that is paid for; exit code 124.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("-j", "--workers", min=1, help="Worker processes; default: the config's runtime.workers."),
]
Shards = Annotated[
    str | None,
    typer.Option(
        "--shards",
        metavar="JOB/JOBS",
        help="Write one job's share of the shards, such as 3/16; then: personas merge.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
PluginNames = Annotated[
    list[str] | None,
    typer.Option(
        "--plugins",
        metavar="FOLDER|NAME",
        help="Plug-in: a folder, or an installed one. Its code is run; repeatable (personas plugins list).",
    ),
]
Locale = Annotated[str, typer.Option(metavar="LOCALE", help="A shipped locale, or a locale's folder.")]
MaybeLocale = Annotated[str | None, typer.Option(metavar="LOCALE", help="Default: the run's, else en_US.")]


def config_of(
    path: Path | None,
    overrides: list[str] | None,
    *,
    rows: int | None = None,
    seed: int | None = None,
    where: str | None = None,
    target: str | None = None,
    quota: str | None = None,
    stratified: bool | None = None,
    people: str | None = None,
    workers: int | None = None,
    shards: str | None = None,
) -> Config:
    """Return the configuration that a command line describes: file, then --set, then the short options."""
    from census_personas.generator.config.config_file import load, parse

    options = {"rows": rows, "seed": seed, "stratified": stratified, "input": people}
    values: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    for key, text in (("where", where), ("target", target), ("quota", quota)):
        if text is not None:
            values[key] = condition(text, key)
    runtime = {"workers": workers, "shards": shards}
    spread = [f"runtime.{key}={value}" for key, value in runtime.items() if value is not None]
    changes = (*(overrides or ()), *spread)
    return parse("", "defaults", changes, values) if path is None else load(path, changes, values)


def with_deadline(overrides: list[str] | None, deadline: str | None) -> list[str]:
    """Return the overrides with the value of `--deadline`: a number of seconds, or a time such as 1d12h."""
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.config.section import MOST_SECONDS

    if deadline is None:
        return overrides or []
    seconds = 0.0
    text = deadline.strip()
    parts = _TIME.fullmatch(f"{text}s" if re.fullmatch(_NUMBER, text) else text)
    if parts is not None:
        units = (86_400, 3_600, 60, 1)
        seconds = sum(float(part or 0) * unit for part, unit in zip(parts.groups(), units, strict=True))
    if not 0 < seconds <= MOST_SECONDS:
        raise ConfigError(
            f"--deadline {deadline[:_SHOWN]}: write a time such as 90s, 30m, 2h or 1d12h, at most 11d"
        )
    return [*(overrides or []), f"runtime.deadline_s={seconds}"]


def condition(text: str, option: str = "where") -> dict[str, Any]:
    """Return the value of `--where`, or of another option that takes an object of attributes."""
    from census_personas.generator.config.run_config import ConfigError

    remedy = 'write it like \'{"state": "NY"}\''
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--{option}: not valid JSON ({error}); {remedy}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"--{option}: give an object of attribute and condition; {remedy}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"key {key!r} is given twice")
        values[key] = value
    return values
