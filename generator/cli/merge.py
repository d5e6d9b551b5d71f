"""Command `personas merge`: the shares of a run as one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import AsJson
from census_personas.generator.cli.run import headline, run_folder

Runs = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Run folders that `generate --shards` wrote.")
]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="RUN", help="Folder of the merged run.")]


def merge(runs: Runs, output: Output, *, as_json: AsJson = False) -> None:
    """Join the shares of one run, written by several jobs, into a run folder, with its report and card."""
    from census_personas.generator.merge import merge as merged

    folder = run_folder(output)
    manifest = merged(runs, folder)
    print(manifest.model_dump_json() if as_json else f"{folder}: {manifest.accepted} rows")
    headline(manifest, folder)
