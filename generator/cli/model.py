"""Commands that look into a locale's model: `personas priors explain` and `plot`."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from census_personas.generator.cli.options import AsJson, Locale


def explain(locale: Locale = "en_US", as_json: AsJson = False) -> None:
    """Explain the model: its graph, the distance of each part to its tables, and the independences that it assumes."""
    from census_personas.generator.population.population import Population

    model = Population.load(locale).explain()
    if as_json:
        print(json.dumps(model))
        return
    core = model["core"]
    print(f"{model['locale']}: model {model['digest'][:12]}, {model['parameters']:,} parameters")
    print(
        f"core joint of {core['cells']:,} cells, {model['core_tables']} tables,"
        f" distance {model['distances']['core']:.4f}:"
    )
    print(f"  {', '.join(core['attributes'])}")
    print("children given their parents (cells; tables; largest total variation distance to a table):")
    for node in model["nodes"]:
        print(
            f"  {node['child']} given {', '.join(node['parents'])}"
            f" ({node['cells']:,}; {node['tables']}; {node['distance']:.4f})"
        )
    print("leaves outside the network:")
    for leaf in model["leaves"]:
        print(f"  {leaf['child']}" + (f" given {', '.join(leaf['parents'])}" if leaf["parents"] else ""))
    print("independences assumed:", *(f"  {text}" for text in model["independences"]), sep="\n")


def plot(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="FILE.svg, or FILE.png with the extra [plot] installed.")
    ],
    locale: Locale = "en_US",
) -> None:
    """Draw the model's graph and main marginals."""
    from census_personas.foundation.user_path import output_file

    place = output_file(output, (".svg", ".png"))
    if output.suffix == ".png" and find_spec("cairosvg") is None:
        raise typer.BadParameter(
            f"{output}: PNG needs cairosvg: pip install 'census-personas[plot]', or write to {output.stem}.svg"
        )
    from census_personas.foundation.atomic_file import whole_file
    from census_personas.generator.population.population import Population
    from census_personas.generator.report.picture import draw

    picture = draw(Population.load(locale)).encode()
    if output.suffix == ".png":
        picture = import_module("cairosvg").svg2png(bytestring=picture)
    with whole_file(place) as partial:
        partial.write_bytes(picture)
    print(output)
