"""Plan: prints how a dataset of people would be read and completed, before anything is paid for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config

_PEOPLE = 3


def print_plan(config: Config, *, as_json: bool, sets_aside: bool = False) -> int:
    """Print the plan of a config's input; the exit code says whether it can be run as it is.

    `sets_aside` says that rows of which a cell cannot be read are no hindrance.

    Raises:
        DatasetError, ConfigError: the file or its mapping allows no plan.
    """
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.input.plan import plan_of
    from census_personas.generator.population.population import Population
    from census_personas.generator.run.input_file import InputFile

    if config.input is None:
        raise ConfigError("input: name the file of people to plan for")
    file = InputFile(
        config.input, Population.load(config.locale), config.seed, plans=True, sets_aside=sets_aside
    )
    plan = plan_of(file.resolution, file.mapping, file.unsaid, file.preview(_PEOPLE))
    print(json.dumps(plan.to_json(), ensure_ascii=False, default=str) if as_json else plan.text())
    return 1 if plan.mapping.faults else 0
