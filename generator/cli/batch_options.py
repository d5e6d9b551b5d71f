"""What the batch commands share: options, the run that they are about, and answers that nobody can read."""

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
    bool, typer.Option(help="Keep bounds on lengths in the schemas; vLLM takes them, OpenAI not always.")
]


def run_of(run: Path, overrides: list[str] | None, rows: int | None) -> tuple[Config, Path]:
    """The configuration and the folder that a run folder, or a configuration, stands for."""
    from census_personas.foundation.run_layout import RunLayout

    if run.is_dir():
        return config_of(RunLayout(run).config, overrides, rows=rows), run
    settings = config_of(run, overrides, rows=rows)
    return settings, Path("runs") / settings.name


def refuse_unreadable(model: BatchResults) -> None:
    """End with exit code 1 where no answer could be read, with the remedy."""
    from census_personas.generator.llm.answer import remedy

    if model.unreadable == model.answered > 1:
        advice = remedy(model.fault)
        print(
            f"personas: none of {model.answered} answers could be read: {model.fault}{'; ' if advice else ''}{advice}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
