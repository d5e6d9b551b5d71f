"""Commands `personas priors …`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from persona_engine.generator.cli_options import AsJson

app = typer.Typer(no_args_is_help=True, help="The census tables behind a locale.", rich_markup_mode=None)
LocaleArgument = Annotated[str, typer.Argument(metavar="[LOCALE]", help="A shipped locale, or a folder.")]


@app.command(name="list")
def list_locales(as_json: AsJson = False) -> None:
    """Name the locales that are shipped."""
    from persona_engine.census_priors.priors import Priors, locales

    titles = {name: Priors.load(name).declaration.title for name in locales()}
    if as_json:
        print(json.dumps(titles))
    else:
        print(*(f"{name}: {title}" for name, title in titles.items()), sep="\n")


@app.command()
def show(locale: LocaleArgument = "en_US", as_json: AsJson = False) -> None:
    """Show a locale's attributes and the tables that inform them."""
    from persona_engine.census_priors.priors import Priors

    priors = Priors.load(locale)
    tables = [{"source": source, "attributes": list(attributes)} for source, attributes in priors.tables]
    states = {name: len(priors.domain[name]) for name in priors.domain}
    if as_json:
        print(
            json.dumps({"locale": priors.locale, "digest": priors.digest, "states": states, "tables": tables})
        )
        return
    print(f"{priors.locale}: {priors.declaration.title}; vintage {priors.declaration.vintage}")
    print(f"digest {priors.digest}")
    print("attributes:", *(f"  {name}: {count} states" for name, count in states.items()), sep="\n")
    print("tables:", *(f"  {t['source']}: {' x '.join(t['attributes'])}" for t in tables), sep="\n")
