"""Cells: the runs of an experiment, each with its configuration and its run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from census_personas.generator.config import config_file
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.experiment.declaration import MOST_CELLS, Experiment, ExperimentError

FOLDERS = "cells"
"""Folder of the run folders, which all experiments with the same output share."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Values of keys of the config; `label` names it in tables, `number` is its place."""

    number: int
    values: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Return its values in words: `temperature=0.7, set=en_US`."""
        return ", ".join(f"{key.rpartition('.')[2]}={_shown(value)}" for key, value in self.values.items())


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: a condition with one seed.

    Attributes:
        condition: its condition.
        seed: its seed.
        config: its configuration; None if the base config refuses the values, and `fault` says why.
        folder: its run folder, named after the config's fingerprint.
        fault: why it cannot be run; empty otherwise.
    """

    condition: Condition
    seed: int
    config: Config | None
    folder: Path
    fault: str = ""


def conditions(experiment: Experiment) -> tuple[Condition, ...]:
    """Return the conditions in order: combinations of the matrix, then those included, each once.

    Raises:
        ExperimentError: there are none, or too many.
    """
    keys = list(experiment.matrix)
    count = 1
    for key in keys:
        count *= len(experiment.matrix[key])
    if count > MOST_CELLS:
        raise ExperimentError(f"matrix: {count:,} combinations; give at most {MOST_CELLS:,}")
    found: list[Mapping[str, Any]] = []
    if keys:
        combined = (dict(zip(keys, values, strict=True)) for values in product(*experiment.matrix.values()))
        found = [values for values in combined if not _is_excluded(values, experiment)]
    found += [dict(values) for values in experiment.include]
    once = {json.dumps(values, sort_keys=True, default=str): values for values in found}
    if not once:
        raise ExperimentError("exclude: leaves no condition; remove an entry")
    return tuple(Condition(number, values) for number, values in enumerate(once.values()))


def baseline(experiment: Experiment, known: tuple[Condition, ...]) -> Condition:
    """Return the condition that the others are compared with.

    Raises:
        ExperimentError: no condition has the values of `baseline`, or several have.
    """
    if not experiment.baseline:
        return known[0]
    wanted = experiment.baseline.items()
    fitting = [one for one in known if all(one.values.get(key) == value for key, value in wanted)]
    if len(fitting) != 1:
        raise ExperimentError(
            f"baseline: {len(fitting)} conditions have these values; give values of exactly one"
        )
    return fitting[0]


def cells(experiment: Experiment, known: tuple[Condition, ...]) -> tuple[Cell, ...]:
    """Return the cells, seed by seed.

    A cell that its config refuses has a fault, and the others remain. A key that no config has is refused at once.

    Raises:
        ExperimentError: a key of a condition is unknown, or the base config cannot be read.
    """
    base = Path(experiment.base)
    rows = () if experiment.rows is None else (f"rows={experiment.rows}",)
    config_file.load(base, rows)
    found = tuple(
        _cell(experiment, base, condition, seed, rows) for seed in experiment.seeds for condition in known
    )
    unknown = next((cell.fault for cell in found if ": unknown key " in cell.fault), "")
    if unknown:
        raise ExperimentError(unknown.replace("--set: ", "matrix: "))
    return found


def _cell(experiment: Experiment, base: Path, condition: Condition, seed: int, rows: tuple[str, ...]) -> Cell:
    home = Path(experiment.output) / FOLDERS
    try:
        config = config_file.load(base, (*overrides(condition.values), *rows, f"seed={seed}"))
    except ConfigError as error:
        return Cell(condition, seed, None, home, str(error))
    return Cell(condition, seed, config, home / config.fingerprint()[:16])


def overrides(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return `key=value` for the config loader; values are JSON, which is YAML."""
    return tuple(
        f"{key}={json.dumps(value, ensure_ascii=False, default=str)}" for key, value in values.items()
    )


def _is_excluded(values: Mapping[str, Any], experiment: Experiment) -> bool:
    def has_all(entry: Mapping[str, Any]) -> Iterator[bool]:
        return (key in values and values[key] == value for key, value in entry.items())

    return any(entry and all(has_all(entry)) for entry in experiment.exclude)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and "/" in value:  # a path, of which the last part tells enough
        text = Path(value).name or value
    return text if len(text) <= 40 else f"{text[:39]}…"
