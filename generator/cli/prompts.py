"""Commands `personas prompts …`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The prompt sets.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Make this a group, although it has one command so far."""


@app.command()
def check(
    prompts: Annotated[str, typer.Argument(metavar="SET", help="A folder of prompts/, or a path.")] = "en_US",
) -> None:
    """List the faults of a prompt set; exit 1 if there are any."""
    from census_personas.generator.narration.backends import offline_faults
    from census_personas.prompts.lint import lint
    from census_personas.prompts.template import PromptSet

    if faults := lint(prompts) or offline_faults(PromptSet.load(prompts).folder):
        print(*faults, sep="\n")
        print(f"personas: {prompts}: {len(faults)} fault{'s' * (len(faults) > 1)}", file=sys.stderr)
        raise typer.Exit(1)
    loaded = PromptSet.load(prompts)
    print(f"{prompts}: sound; {', '.join(loaded.templates)}; digest {loaded.digest[:12]}")
