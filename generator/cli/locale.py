"""Commands `personas locale …`."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Build and check your own locale.", rich_markup_mode=None)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The locale's folder.")]


@app.command()
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Show what a locale has and lacks for sampling, narration, validation, publication; exit 1 if it lacks any."""
    from census_personas.generator.locale_check import check_locale, next_step

    logging.getLogger("census_personas.generator.model").setLevel(logging.WARNING)
    stages = check_locale(folder)
    following = next_step(stages)
    if as_json:
        print(
            json.dumps({"ready": following is None, "next": following, "stages": [asdict(s) for s in stages]})
        )
    else:
        for stage in stages:
            state = (
                "ready" if stage.ready else f"{len(stage.missing)} missing" if stage.reached else "not yet"
            )
            print(f"{stage.name}: {state}")
            for line in (*stage.declared, *(f"- {line}" for line in stage.missing)):
                print(f"  {printable(line)}")
        print(printable(f"next: {following}") if following else "complete")
    if following:
        raise typer.Exit(1)


@app.command()
def new(
    folder: Folder,
    country: Annotated[
        str, typer.Option(help="Name of the country, as written into the dataset.")
    ] = "Country",
    language: Annotated[str, typer.Option(help="Name of its language, for the dataset card.")] = "English",
    code: Annotated[str, typer.Option(help="Code of the language (ISO 639), such as es.")] = "en",
) -> None:
    """Write a skeleton of a locale to fill in; `personas locale check` names the next step."""
    from census_personas.generator.locale_check import check_locale, next_step
    from census_personas.generator.locale_skeleton import write_skeleton

    for file in write_skeleton(folder, country=country, language=language, code=code):
        print(printable(str(file)))
    print(printable(f"next: {next_step(check_locale(folder))}"))
