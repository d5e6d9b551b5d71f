"""Command `personas push`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from census_personas.foundation.printable import printable


def push(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    repository: Annotated[str, typer.Argument(metavar="ORG/NAME", help="Dataset repository of the hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="Create it for everybody; default: private.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option("--license", help="Licence of the card, such as cc-by-4.0.")
    ] = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="Also publish keys.parquet, the keys of the input.")
    ] = False,
    allow_shortfall: Annotated[
        bool, typer.Option("--allow-shortfall", help="Publish a run that lacks rows.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what else the repository has.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print every file and the card, and send nothing.")
    ] = False,
) -> None:
    """Publish a run on the Hugging Face hub: parts, card, report, public manifest and citation, nothing else."""
    from census_personas.generator.publication.contents import public_files
    from census_personas.generator.publication.hub import push as publish
    from census_personas.generator.publication.hub import refuse_leaks

    files = public_files(run, licence=licence, keys=keys, shortfall=allow_shortfall)
    if dry_run:
        refuse_leaks(files)
        for file in files:
            print(f"{printable(file.path)}: {file.size:,} bytes")
        (card,) = (file.content for file in files if file.path == "README.md")
        print(card.decode() if isinstance(card, bytes) else "")
        return
    print(publish(files, repository, public=public, replace=replace))
