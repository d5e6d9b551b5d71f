"""Command `personas export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import Dataset, MaybeLocale


def export(
    dataset: Dataset,
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="chat, edsl or tinytroupe.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="A .jsonl (chat) or .json (edsl) file, or a folder (tinytroupe)."
        ),
    ],
    template: Annotated[
        Path | None, typer.Option(help="chat: a Jinja template for the system prompt.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most people to write.")] = None,
    locale: MaybeLocale = None,
) -> None:
    """Write the people of a dataset in the form that another program loads."""
    from census_personas.census_priors.priors import Priors
    from census_personas.generator.cli.validate import locale_of
    from census_personas.generator.export.export_file import export as write
    from census_personas.generator.run.shard_store import check_parts

    check_parts(dataset)
    roles = Priors.load(locale or locale_of(dataset)).roles
    count = write(dataset, to, output, roles, template=template, limit=limit)
    print(f"{printable(str(output))}: {count:,} people")
