"""Commands `personas priors …`."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from persona_engine.generator.cli_options import AsJson, Locale, Where, condition

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
    """Show a locale's attributes, its tables, and what is modelled rather than counted."""
    from persona_engine.census_priors.priors import Priors

    priors = Priors.load(locale)
    declared = priors.declaration
    tables = [{"source": source, "attributes": list(attributes)} for source, attributes in priors.tables]
    states = {name: len(priors.domain[name]) for name in priors.domain}
    modelled = {area: list(attributes) for area, attributes in declared.modelled.items()}
    if as_json:
        shown = {"locale": priors.locale, "digest": priors.digest, "states": states}
        print(json.dumps({**shown, "tables": tables, "modelled": modelled}))
        return
    print(f"{priors.locale}: {declared.title}; vintage {declared.vintage}")
    print(f"digest {priors.digest}")
    print("attributes:", *(f"  {name}: {count} states" for name, count in states.items()), sep="\n")
    print("tables:", *(f"  {t['source']}: {' x '.join(t['attributes'])}" for t in tables), sep="\n")
    print("modelled, not counted:", *(f"  {area}: {', '.join(a)}" for area, a in modelled.items()), sep="\n")
    print("assumed independences:", *(f"  {text}" for text in declared.independences), sep="\n")


@app.command()
def check(locale: LocaleArgument = "en_US", as_json: AsJson = False) -> None:
    """Read every table and compare what several of them tell; exit 1 when one is unsound or two disagree."""
    from persona_engine.census_priors.priors import Priors
    from persona_engine.generator.agreement import agreement

    found = agreement(Priors.load(locale))
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        print(*found.faults, f"{found.tables} tables read, {found.margins} margins compared", sep="\n")
    if found.faults:
        print(f"personas: {locale}: {len(found.faults)} faults", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def build(
    pums: Annotated[Path, typer.Option(help="Folder or file of ACS person records.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Locale folder with its priors.yaml.")],
    sources: Annotated[
        Path | None, typer.Option(help="Folder of the other official files; default: the one above --pums.")
    ] = None,
) -> None:
    """Compute a locale's look-ups and tables from official files."""
    from persona_engine.census_priors.build.locale_en_us import build as build_locale

    logging.getLogger("persona_engine").setLevel(logging.INFO)
    records, modelled = build_locale(pums, sources or pums.resolve().parent, output)
    print(f"{output}: from {len(records)} person records; modelled areas: {', '.join(modelled) or 'none'}")


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Person records as `priors build` reads them.")],
    locale: Locale = "en_US",
    as_json: AsJson = False,
) -> None:
    """Score person records under the model: nats a person, lower is better."""
    from persona_engine.generator.population import Population
    from persona_engine.generator.scoring import score_file

    found = score_file(Population.load(locale), file)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    print(f"{found.nats_per_person:.4f} nats a person, {found.adults} adults of {found.areas} areas")
    for name, nats in found.by_attribute.items():
        print(f"  {nats:8.4f}  {name}")


@app.command()
def query(
    attributes: Annotated[list[str], typer.Argument(help="One attribute, or several for their joint table.")],
    where: Where = None,
    locale: Locale = "en_US",
    top: Annotated[int, typer.Option(min=1, help="Most probable cells to print.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Ask the model for the distribution of attributes, of everyone or of those who meet a condition."""
    from persona_engine.generator.figures import likeliest
    from persona_engine.generator.population import Population

    population = Population.load(locale)
    condition_ = condition(where) if where is not None else None
    cells = likeliest(population.marginal(attributes, where=condition_), None if as_json else top)
    share = population.probability(condition_) if condition_ else 1.0
    if as_json:
        print(json.dumps({"probability": share, "attributes": attributes, "cells": cells}))
        return
    print(f"{share:.6g} of the population")
    for *states, probability in cells:
        print(f"  {probability:.6f}  {', '.join(map(str, states))}")
