"""Generation: runs from Python, in scripts, notebooks and servers.

Every function has a twin for async code, whose name begins with `a`. The others also work, and block, where an event
loop runs, as in a notebook.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.user_path import output_file, output_folder
from census_personas.generator import estimate as estimating
from census_personas.generator import session
from census_personas.generator.config import config_file
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.estimate import Estimate
from census_personas.generator.input.source import InputSource
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.sampling.quota import refuse_other_counts
from census_personas.run import Run

if TYPE_CHECKING:
    import pandas as pd

Place = str | PathLike[str]
Source = Config | Mapping[str, Any] | Place
"""A configuration: a `Config`, a mapping of its keys, or the path of its YAML file."""
Observe = Callable[[Tally], None]


def load_config(source: Source = {}, **changes: Any) -> Config:  # noqa: B006  never modified
    """Load a run's configuration from a YAML file, a mapping or another configuration, and change some values.

    ```python
    config = load_config("configs/quickstart.yaml", rows=20, seed=7)
    config = load_config(config, llm={"concurrency": 8})  # the other keys of the section stay
    ```

    Args:
        source: a path, a mapping of keys as in the YAML file, or a `Config`; by default the defaults.
        changes: keys of the configuration, with their new values.

    Raises:
        ConfigError: the configuration is invalid; names file, key and remedy.
    """
    if isinstance(source, Config | Mapping):
        return config_file.from_values(source, changes)
    config = config_file.load(Path(source))
    return config_file.from_values(config, changes) if changes else config


def generate(config: Source, folder: Place, *, observe: Observe | None = None) -> Run:
    """Write a dataset into a run folder, with its report and card. The same call resumes a run; more rows extend it.

    ```python
    run = generate({"rows": 20, "where": {"state": "NY"}}, "runs/new-york")
    run.to_pandas(columns=["age", "occupation", "persona"])
    ```

    An interrupt keeps the finished rows and leaves the run `stopped`.

    Args:
        config: the run's configuration.
        folder: the run folder; new, or that of the same run.
        observe: called with running counts after each row; from another thread if an event loop runs.

    Returns:
        The run. Its `state` says whether rows are missing: rejected ones raise no error.

    Raises:
        ConfigError: the configuration or the folder cannot be used; nothing was written.
        LLMError: the endpoint cannot be used; finished rows are kept.
        KeyboardInterrupt: the run was interrupted.
    """
    settings, place = _prepared(config, folder)
    session.generate(settings, place, observe or _nobody)
    return Run(place)


async def agenerate(config: Source, folder: Place, *, observe: Observe | None = None) -> Run:
    """Do as `generate`, for async code. The work is done in other threads, so that the caller's loop stays free.

    ```python
    run = await agenerate({"rows": 20}, "runs/first")
    ```

    A cancellation drops the rows in flight, keeps the finished ones, leaves the run `stopped`, and is raised again.
    """
    settings, place = await asyncio.to_thread(_prepared, config, folder)
    await session.agenerate(settings, place, observe or _nobody)
    return await asyncio.to_thread(Run, place)


def narrate(
    people: Place | pd.DataFrame,
    config: Source,
    folder: Place,
    *,
    rows: int | None = None,
    observe: Observe | None = None,
) -> Run:
    """Write texts for the people of a dataset, such as a Nemotron file, an earlier run or a sample.

    ```python
    people = Population.load("en_US").sample(20, seed=3)
    run = narrate(people, {}, "runs/narrated")
    ```

    Keeps uuid and context columns and rewrites the texts. The same call resumes the run.

    Args:
        people: a dataset file, a run folder, or a data frame; a frame is kept beside the run as
            `<folder>-people.parquet`, because a resumed run reads it again.
        config: the run's configuration.
        folder: the run folder.
        rows: how many people, from the first on; by default all, even if the configuration sets a number.
        observe: as in `generate`.

    Raises:
        DatasetError: the people cannot be read.
        ConfigError, LLMError, KeyboardInterrupt: as in `generate`.
    """
    return generate(_of_people(people, config, folder, rows), folder, observe=observe)


async def anarrate(
    people: Place | pd.DataFrame,
    config: Source,
    folder: Place,
    *,
    rows: int | None = None,
    observe: Observe | None = None,
) -> Run:
    """Do as `narrate`, for async code; a cancellation works as for `agenerate`."""
    settings = await asyncio.to_thread(_of_people, people, config, folder, rows)
    return await agenerate(settings, folder, observe=observe)


def preview(config: Source, rows: int = 3) -> list[Narrated]:
    """Narrate the first rows of a run and write no file.

    ```python
    rows = preview("configs/quickstart.yaml", rows=2)
    [row.record["persona"] for row in rows if row.accepted]
    ```

    Returns:
        One result per row: `record` (facts and texts), `findings`, whether it was `accepted`, and the `reasons` if not.

    Raises:
        ConfigError: the configuration cannot be run.
        LLMError: the endpoint cannot be used.
    """
    results, _ = session.preview(load_config(config, rows=rows))
    return results


async def apreview(config: Source, rows: int = 3) -> list[Narrated]:
    """Do as `preview`, for async code."""
    results, _ = await session.apreview(await asyncio.to_thread(load_config, config, rows=rows))
    return results


def estimate(config: Source, *, sample: int = 5) -> Estimate:
    """Estimate tokens, time and cost of a whole run by narrating a few of its rows.

    ```python
    estimate("configs/quickstart.yaml").hours
    ```

    If the endpoint fails, logs a warning and assumes tokens from the lengths of prompts; `basis` says so.

    Raises:
        ConfigError: the configuration cannot be run.
    """
    return estimating.estimate(load_config(config), sample)


async def aestimate(config: Source, *, sample: int = 5) -> Estimate:
    """Do as `estimate`, for async code."""
    return await estimating.aestimate(await asyncio.to_thread(load_config, config), sample)


def _nobody(_: Tally) -> None:
    """Ignore the counts."""


def _prepared(config: Source, folder: Place) -> tuple[Config, Path]:
    settings = load_config(config)
    inputs = [Path(settings.input.file)] if settings.input else []
    place = output_folder(Path(folder), inputs=inputs)
    refuse_other_counts(settings.quota, settings.rows)
    return settings, place


def _of_people(people: Place | pd.DataFrame, config: Source, folder: Place, rows: int | None) -> Config:
    """Return the configuration of a run for these people."""
    place = Path(people) if isinstance(people, str | PathLike) else _kept(people, Path(folder))
    settings = load_config(config, input=str(place))
    if rows is None and settings.input is not None:
        rows = InputSource(settings.input).count
    return load_config(settings, rows=rows)


def _kept(people: pd.DataFrame, folder: Path) -> Path:
    """Write people to the file beside a run that keeps them, and return its path.

    Raises:
        ConfigError: the file holds other people.
    """
    place = output_file(folder.absolute().with_name(f"{folder.name}-people.parquet"), (".parquet",))
    content = people.to_parquet(None, index=False)
    if place.exists() and place.read_bytes() != content:
        raise ConfigError(f"{place}: holds other people; give a new folder for the run")
    with whole_file(place) as partial:
        partial.write_bytes(content)
    return place
