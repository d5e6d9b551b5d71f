"""Declaration: an experiment as its YAML file states it, parsed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from census_personas.foundation.yaml_file import YamlError, read_yaml
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.config.section import Name, Number, Section, Whole

MOST_CELLS = 1_000
Values = Annotated[tuple[Any, ...], Field(min_length=1, max_length=MOST_CELLS)]
Choice = Mapping[str, Any]


class ExperimentError(ConfigError):
    """An experiment cannot be planned or run; the message names the file, the key and the remedy."""


class Experiment(Section):
    """An experiment: a base configuration, and the values that its keys take in turn.

    Every combination of the values of `matrix` is a condition; `exclude` removes those that have all the values of one
    of its entries, and `include` adds conditions. Each condition is run once for each of `seeds`, and every such run is
    a cell. Cells of the same seed hold the same people, so that conditions are compared person by person.
    """

    name: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="Name of the experiment; its comparison is written to `OUTPUT/NAME`."
    )
    base: Name = Field(description="Config that all cells start from; relative to the experiment's file.")
    matrix: Mapping[str, Values] = Field(
        default_factory=dict,
        description="Values of keys of the config, such as `llm.temperature: [0.7, 1.0]`; every combination is a "
        "condition.",
    )
    include: tuple[Choice, ...] = Field(
        default=(), description="Further conditions, each a mapping of keys to values."
    )
    exclude: tuple[Choice, ...] = Field(
        default=(), description="Combinations to leave out: those that have all values of an entry."
    )
    seeds: Annotated[tuple[Whole, ...], Field(min_length=1, max_length=MOST_CELLS)] = Field(
        default=(0,), description="Seeds; each condition is run with each, and holds other people."
    )
    rows: Annotated[Whole, Field(ge=1, le=10**9)] | None = Field(
        default=None, description="Rows of every cell; by default those of the base config."
    )
    baseline: Choice = Field(
        default_factory=dict,
        description="Values of the condition that the others are compared with; by default the first one.",
    )
    max_cost: Annotated[Number, Field(ge=0)] | None = Field(
        default=None,
        description="Most that all cells together may cost, at the prices of the config; what is left limits each "
        "cell.",
    )
    output: Name = Field(
        default="runs/experiments", description="Folder of the run folders and of the comparison."
    )

    @model_validator(mode="after")
    def _has_conditions(self) -> Experiment:
        if not self.matrix and not self.include:
            raise ValueError("give a matrix of keys and values, or conditions to include")
        if "seed" in self.matrix or "rows" in self.matrix:
            raise ValueError(
                "seed and rows are keys of the experiment itself (seeds, rows), not of the matrix"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: name each seed once")
        return self


def read_experiment(path: Path) -> Experiment:
    """Read an experiment; a relative `base` starts from its folder if it exists there.

    Raises:
        ExperimentError: the file cannot be read, or a key is unknown or wrong.
    """
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise ExperimentError(f"{error}; give the YAML file of an experiment") from error
    if not isinstance(values, dict):
        raise ExperimentError(f"{path}: an experiment is a mapping of keys to values")
    try:
        read = Experiment.model_validate(values)
    except ValidationError as error:
        raise ExperimentError("; ".join(_explained(path, item) for item in error.errors())) from error
    beside = path.parent / read.base
    return read.model_copy(update={"base": str(beside)}) if beside.is_file() else read


def _explained(path: Path, item: Any) -> str:
    where = ".".join(map(str, item["loc"])) or "experiment"
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key {where!r}; known: {', '.join(Experiment.model_fields)}"
    message = item["msg"].removeprefix("Value error, ")
    return f"{path}: {where}: {message[:1].lower()}{message[1:]}"
