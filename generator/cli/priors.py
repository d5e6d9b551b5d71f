"""Commands `personas priors …`."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli import model
from census_personas.generator.cli.options import AsJson, Locale, Where, config_of

app = typer.Typer(no_args_is_help=True, help="The census tables behind a locale.", rich_markup_mode=None)


@app.command(name="list")
def list_locales(as_json: AsJson = False) -> None:
    """List the shipped locales."""
    from census_personas.census_priors.priors import Priors, locales

    titles = {name: Priors.load(name).declaration.title for name in locales()}
    if as_json:
        print(json.dumps(titles))
    else:
        print(*(f"{name}: {title}" for name, title in titles.items()), sep="\n")


@app.command()
def show(
    locale: Locale = "en_US",
    attribute: Annotated[
        str | None, typer.Option(help="One attribute: its states, tables and parents.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a locale's attributes, tables and model graph, and which areas are modelled rather than counted."""
    from census_personas.census_priors.outline import lines, outline
    from census_personas.census_priors.priors import Priors

    shown = outline(Priors.load(locale), attribute)
    print(json.dumps(shown) if as_json else "\n".join(lines(shown)))


@app.command()
def check(locale: Locale = "en_US", as_json: AsJson = False) -> None:
    """Check digests, tables, shared margins, zeros, published figures and the fit; exit 1 if a check fails."""
    from census_personas.census_priors.check import TABLES_READ
    from census_personas.census_priors.check import check as verdicts_of
    from census_personas.census_priors.priors import Priors
    from census_personas.generator.model.fit_check import fit_verdict

    priors = Priors.load(locale)
    verdicts = verdicts_of(priors)
    if all(verdict.passed for verdict in verdicts if verdict.name == TABLES_READ):
        verdicts = (*verdicts, fit_verdict(priors))
    wrong = [verdict for verdict in verdicts if not verdict.passed]
    if as_json:
        print(json.dumps({"passed": not wrong, "verdicts": [asdict(verdict) for verdict in verdicts]}))
    else:
        for verdict in verdicts:
            expected = f" (expected {verdict.expected})" if verdict.expected else ""
            print(f"{'ok   ' if verdict.passed else 'WRONG'}  {verdict.name}: {verdict.found}{expected}")
    if wrong:
        print(f"personas: {locale}: {len(wrong)} of {len(verdicts)} checks failed", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def build(
    output: Annotated[Path, typer.Option("-o", "--output", help="Locale folder to write.")],
    locale: Annotated[str, typer.Option(help="Which builder: en_US or es_ES.")] = "en_US",
    pums: Annotated[
        Path | None, typer.Option(help="en_US: ACS person records, a folder, a ZIP, CSV or Parquet file.")
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option(help="Folder of the official files; default for en_US: the parent of --pums."),
    ] = None,
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="en_US: first download the person and housing records from the Census Bureau.",
        ),
    ] = False,
) -> None:
    """Build a locale from official files: look-ups, tables, provenance and lock. The folder appears when complete."""
    logging.getLogger("census_personas.census_priors.build").setLevel(logging.INFO)
    if locale == "en_US":
        _build_united_states(output, pums, sources, download=download)
    elif locale == "es_ES":
        if pums is not None or download:
            raise typer.BadParameter("is for en_US alone; es_ES takes --sources", param_hint="--pums")
        _build_spain(output, sources)
    else:
        raise typer.BadParameter(f"no builder {locale!r}; known: en_US, es_ES", param_hint="--locale")


def _build_united_states(output: Path, pums: Path | None, sources: Path | None, *, download: bool) -> None:
    from census_personas.census_priors.build.atomic_folder import refuse_other_folder
    from census_personas.census_priors.build.en_US.locale import build as build_locale

    if pums is None and not (download and sources):
        raise typer.BadParameter("missing; or give --download with --sources", param_hint="--pums")
    refuse_other_folder(output, inputs=[place for place in (pums, sources) if place is not None])
    if download:
        from census_personas.census_priors.build.en_US.pums_download import fetch_pums

        pums = fetch_pums(pums or (sources or Path()) / "acs_pums_2024_1yr")
    records = (pums or Path()).resolve()
    built = build_locale(records, sources or records.parent, output)
    modelled = ", ".join(built.modelled) or "none"
    print(
        f"{printable(str(output))}: {built.tables} tables from {built.records:,} adults; modelled areas: {modelled}"
    )


def _build_spain(output: Path, sources: Path | None) -> None:
    from census_personas.census_priors.build.atomic_folder import refuse_other_folder
    from census_personas.census_priors.build.es_ES.locale import build as build_locale

    if sources is None:
        raise typer.BadParameter("missing; the folder that has es_ES/", param_hint="--sources")
    refuse_other_folder(output, inputs=[sources])
    built = build_locale(sources, output)
    print(
        f"{printable(str(output))}: {built.tables} tables from {built.persons:,} persons of 16 and over, effective "
        f"sample {built.effective:,.0f}"
    )


@app.command()
def score(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Person records, in the form that `priors build` reads.")
    ],
    locale: Locale = "en_US",
    as_json: AsJson = False,
) -> None:
    """Score person records under the model, in nats per person; lower is better."""
    from census_personas.generator.population.population import Population
    from census_personas.generator.population.scoring import score_file

    result = score_file(Population.load(locale), file)
    if as_json:
        print(json.dumps(asdict(result)))
        return
    print(f"{result.nats_per_person:.4f} nats per person, {result.adults} adults of {result.areas} areas")
    for name, nats in result.by_attribute.items():
        print(f"  {nats:8.4f}  {name}")


@app.command()
def query(
    attributes: Annotated[
        list[str],
        typer.Argument(metavar="ATTRIBUTE...", help="One attribute, or several for their joint table."),
    ],
    where: Where = None,
    locale: Locale = "en_US",
    top: Annotated[int, typer.Option(min=1, help="Most probable cells to print.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the model's distribution of attributes, for everyone or for people who meet a condition."""
    from census_personas.generator.population.population import Population
    from census_personas.generator.report.figures import likeliest

    condition = config_of(None, None, where=where).where
    population = Population.load(locale)
    cells = likeliest(population.marginal(attributes, where=condition), None if as_json else top)
    share = population.probability(condition)
    if as_json:
        print(json.dumps({"probability": share, "attributes": attributes, "cells": cells}))
        return
    print(f"{share:.6g} of the population")
    for *states, probability in cells:
        print(f"  {probability:.6f}  {', '.join(map(str, states))}")


app.command()(model.explain)
app.command()(model.plot)
