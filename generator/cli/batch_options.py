"""Options of the batch commands, the run of their argument, and the error for unreadable answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from census_personas.generator.cli.options import config_of

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.llm.batch import BatchResults

RunOrConfig = Annotated[
    Path, typer.Argument(metavar="RUN|CONFIG", help="A run folder, or the YAML file of a new run.")
]
NewFolder = Annotated[Path | None, typer.Option("--run", help="Folder of a new run; default: runs/<name>.")]
Bounds = Annotated[
    bool, typer.Option(help="Keep length bounds in the schemas; vLLM accepts them, OpenAI not always.")
]


def run_of(run: Path, overrides: list[str] | None, rows: int | None) -> tuple[Config, Path]:
    """Return the configuration and folder of a run folder or of a config file.

    Raises:
        ConfigError: there is neither, or the configuration is wrong.
    """
    from census_personas.foundation.run_layout import RunLayout
    from census_personas.generator.config.run_config import ConfigError

    if not run.exists():
        raise ConfigError(f"{run}: no such run folder or config; give one that exists")
    if run.is_dir():
        return config_of(RunLayout(run).config, overrides, rows=rows), run
    settings = config_of(run, overrides, rows=rows)
    return settings, Path("runs") / settings.name


def refuse_unreadable(model: BatchResults) -> None:
    """End with exit code 1 and the remedy if no answer could be read."""
    from census_personas.generator.llm.answer import remedy

    if model.unreadable == model.answered > 1:
        advice = remedy(model.fault)
        print(
            f"personas: none of {model.answered} answers could be read: {model.fault}{'; ' if advice else ''}{advice}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
