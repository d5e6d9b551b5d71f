"""Picture: draws the model's graph and main marginals as one SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from census_personas.generator.population.population import Population

_HERE = Path(__file__).parent
_BOX, _GAP, _LAYER = (150, 26), 14, 230
_CHART = (285, 190)
_BARS = 10
_ACROSS = 4
_APART = 28
"""Space between the core and other attributes without parents."""


@dataclass(frozen=True, slots=True)
class Box:
    """One attribute of the graph: its name and the position of its corner."""

    name: str
    layer: int
    x: float
    y: float


def draw(population: Population) -> str:
    """Draw an SVG document: boxes and arrows for the graph, bars for the marginals of its attributes."""
    parents = _parents(population)
    boxes = _boxes(parents, population.network.core_attributes)
    core = [boxes[name] for name in population.network.core_attributes]
    alone = [box for name, box in boxes.items() if not parents[name] and box not in core]
    bottom = max(box.y for box in boxes.values()) + _BOX[1] + 60
    charts = list(_charts(population, bottom))
    width = max(max(box.x for box in boxes.values()) + _BOX[0], _ACROSS * _CHART[0]) + 40
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("picture.svg.j2").render(
        title=f"{population.priors.declaration.title}: the model",
        width=round(width),
        height=round(bottom + (len(charts) + _ACROSS - 1) // _ACROSS * _CHART[1] + 20),
        box=_BOX,
        boxes=list(boxes.values()),
        frame=(core[0].x - 10, core[0].y - 10, _BOX[0] + 20, core[-1].y + _BOX[1] + 20 - core[0].y),
        alone=alone[0] if alone else None,
        edges=[(boxes[parent], boxes[child]) for child, found in parents.items() for parent in found],
        charts=charts,
    )


def _parents(population: Population) -> dict[str, list[str]]:
    """Map each attribute to its parents; views count as their finer attributes."""
    network, hierarchy = population.network, population.network.hierarchy
    found: dict[str, list[str]] = {name: [] for name in network.core_attributes}

    def known(name: str) -> str:
        return next(fine for fine in hierarchy.chain(name) if fine in found)

    for node in network.nodes:
        names = (*node.parents, *([node.refines] if node.refines else []))
        found[node.child] = list(dict.fromkeys(known(name) for name in names))
    for leaf in population.leaves:
        found[leaf.child] = list(dict.fromkeys(known(name) for name in leaf.parents))
    return found


def _boxes(parents: dict[str, list[str]], core: Sequence[str]) -> dict[str, Box]:
    layers: dict[str, int] = {}
    filled: dict[int, int] = {}
    boxes = {}
    for name, above in parents.items():
        layers[name] = 1 + max((layers[parent] for parent in above), default=-1)
        place = filled.get(layers[name], 0)
        filled[layers[name]] = place + 1
        boxes[name] = Box(
            name,
            layers[name],
            30 + layers[name] * _LAYER,
            70
            + place * (_BOX[1] + _GAP)
            + 12 * (layers[name] % 2)
            + (0 if above or name in core else _APART),
        )
    return boxes


def _charts(population: Population, top: float) -> Iterator[dict[str, Any]]:
    """Yield charts of the core's attributes and their children, with labels of states."""
    network, priors = population.network, population.priors
    names = (*network.core_attributes, *(node.child for node in network.nodes))
    for number, name in enumerate(names):
        shares = population.marginal([name]).weights
        states = priors.domain[name]
        declared = priors.declaration.attributes[name]
        ordered = declared.range is not None or declared.edges is not None
        order = list(range(len(states)))
        if not ordered and len(states) > _BARS:
            order = sorted(order, key=lambda code: -shares[code])[:_BARS]
        yield {
            "x": 20 + number % _ACROSS * _CHART[0],
            "y": top + number // _ACROSS * _CHART[1],
            "title": declared.label,
            "ordered": ordered,
            "first": states[0],
            "last": states[-1],
            "left_out": len(states) - len(order),
            "largest": float(max(shares[code] for code in order)),
            "bars": [(_short(priors.label(name, states[code])), float(shares[code])) for code in order],
        }


def _short(text: str, most: int = 32) -> str:
    text = text.replace("_", " ")
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
