"""Outline: the contents of a locale, as plain values and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.table_file import table_path

FEW = 12


def outline(priors: Priors, attribute: str | None = None) -> dict[str, Any]:
    """Return attributes with states, tables with source, universe and areas, model graph and assumptions.

    Args:
        priors: the locale.
        attribute: show only this one, and the tables and parts of the graph that have it.

    Raises:
        DomainError: there is no such attribute.
    """
    declared = priors.declaration
    if attribute is not None and attribute not in priors.domain:
        raise DomainError(f"unknown attribute {attribute!r}; known: {', '.join(priors.domain)}")
    related = priors.hierarchy.related
    wanted = [name for name in priors.domain if attribute is None or name == attribute]
    tables = [
        _table(priors, source, names)
        for source, names in priors.tables
        if attribute is None or any(related(attribute, name) for name in names)
    ]
    graph = [{"child": "core", "parents": list(declared.model.core)}]
    graph += [{"child": node.child, "parents": list(node.parents)} for node in declared.model.conditionals]
    return {
        "locale": priors.locale,
        "title": declared.title,
        "vintage": declared.vintage,
        "digest": priors.digest,
        "attributes": [_attribute(priors, name) for name in wanted],
        "sources": {name: source.model_dump() for name, source in declared.sources.items()},
        "tables": tables,
        "graph": [
            part for part in graph if attribute is None or attribute in (part["child"], *part["parents"])
        ],
        "modelled": {area: list(names) for area, names in declared.modelled.items()},
        "independences": list(declared.independences),
    }


def _attribute(priors: Priors, name: str) -> dict[str, Any]:
    item = priors.declaration.attributes[name]
    return {
        "name": name,
        "label": item.label,
        "universe": item.universe or "everybody",
        "view_of": item.of,
        "states": {str(state): priors.label(name, state) for state in priors.domain[name]},
    }


def _table(priors: Priors, source: str, names: Sequence[str]) -> dict[str, Any]:
    path = table_path(priors.folder, tuple(names))
    region = priors.roles.get("region")
    areas = [str(state) for state in priors.domain[region]] if region and region in priors.domain else []
    return {
        "attributes": list(names),
        "file": path.relative_to(priors.folder).as_posix(),
        "source": source,
        "universe": priors.universe(names),
        "modelled_areas": [area for area in areas if priors.basis(names, area) == "modelled"],
    }


def lines(shown: Mapping[str, Any]) -> Iterator[str]:
    """Format the outline as lines of text."""
    yield f"{shown['locale']}: {shown['title']}; vintage {shown['vintage']}"
    yield f"digest {shown['digest']}"
    yield "\nAttributes"
    for item in shown["attributes"]:
        yield f"  {item['name']}: {item['label']}{_aside(item)}"
        yield f"    {_states(item['states'], whole=len(shown['attributes']) == 1)}"
    yield "\nSources"
    for name, source in shown["sources"].items():
        yield f"  {name}: {source['publisher']}, {source['title']} ({source['licence']})"
    yield "\nTables (source; universe; areas where the table is modelled, not counted)"
    for table in shown["tables"]:
        modelled = ", ".join(table["modelled_areas"]) or "none"
        yield f"  {' x '.join(table['attributes'])}: {table['source']}; {table['universe']}; {modelled}"
    yield "\nModel (each given its parents)"
    for part in shown["graph"]:
        yield f"  {part['child']} <- {', '.join(part['parents'])}"
    yield "\nModelled, not counted"
    yield from (f"  {area}: {', '.join(names)}" for area, names in shown["modelled"].items())
    yield "\nAssumed"
    yield from (f"  {text}" for text in shown["independences"])


def _aside(item: Mapping[str, Any]) -> str:
    notes = [f"view of {item['view_of']}"] if item["view_of"] else []
    notes += [item["universe"]] if item["universe"] != "everybody" else []
    return f" ({'; '.join(notes)})" if notes else ""


def _states(states: Mapping[str, str], *, whole: bool) -> str:
    shown = [name if name == label else f"{name} = {label}" for name, label in states.items()]
    if whole or len(shown) <= FEW:
        return "; ".join(shown)
    return f"{'; '.join(list(states)[:FEW])}; … {len(shown)} in all"
