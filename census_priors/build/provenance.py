"""Provenance: the sources of every table and look-up of a locale, as data and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from census_personas.census_priors.build.source import Source, sha256
from census_personas.census_priors.priors import PROVENANCE, Priors
from census_personas.census_priors.table_file import table_path

PAGE = "SOURCES.md"
MARGINS = (
    "The Census Bureau publishes no margins of error for tables made from PUMS. Each table has the persons behind "
    "every cell (`samples`); with the design effect of its source in priors.yaml they give its standard error."
)
_MODELLED = re.compile(r"^modelled:.*\n(?:(?:[ \t#].*)?\n)*?(?=^\S|\Z)", re.MULTILINE)
"""The `modelled:` block of a priors.yaml, up to the next key."""


def write_provenance(
    out: Path,
    records: int,
    inputs: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, Mapping[str, Any]],
    lookups: Mapping[str, Mapping[str, Any]],
    margins: str = MARGINS,
) -> None:
    """Write `provenance.yaml` and the page derived from it.

    Args:
        out: locale folder with look-ups and tables in place.
        records: number of adults among the person records.
        inputs: facts of each source, as `source_facts` returns them.
        tables: facts of each table, as `table_facts` returns them.
        lookups: facts of each look-up, as `lookup_facts` returns them.
        margins: what is known of the tables' margins of error.
    """
    priors = Priors.load(out)
    facts: dict[str, Any] = {
        "locale": priors.locale,
        "code": f"census-personas {version('census-personas')}",
        "adult_records": records,
        "margins_of_error": margins,
        "sources": dict(inputs),
        "tables": dict(tables),
        "lookups": dict(lookups),
    }
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)
    (out / PROVENANCE).write_text(text, encoding="utf-8")
    (out / PAGE).write_text(page(priors, facts), encoding="utf-8")


def source_facts(source: Source, files: Iterable[Path]) -> dict[str, Any]:
    """Describe a source, with the digest of every file of it."""
    facts = {
        "publisher": source.publisher,
        "title": source.title,
        "vintage": source.vintage,
        "universe": source.universe,
        "url": source.url,
        "licence": source.licence,
    }
    if source.released:
        facts["released"] = source.released
    return {**facts, "sha256": {path.name: sha256(path) for path in files}}


def table_facts(priors: Priors, names: Sequence[str], used: Sequence[str], code: str) -> dict[str, Any]:
    """Describe a table: file, universe, size, areas where it is modelled, sources, and the module that counts it."""
    marginal = priors.table(names)
    region = priors.roles.get("region")
    areas = () if region is None else tuple(str(state) for state in priors.domain[region])
    modelled = [area for area in areas if priors.basis(names, area) == "modelled"]
    return {
        "file": table_path(priors.folder, tuple(names)).relative_to(priors.folder).as_posix(),
        "universe": f"residents 18 and over, {priors.universe(names)}",
        "persons": round(marginal.total),
        "records": 0 if marginal.samples is None else round(float(marginal.samples.sum())),
        "modelled_areas": " ".join(modelled),
        "sources": list(used),
        "code": code,
    }


def lookup_facts(path: Path, used: Sequence[str], code: str) -> dict[str, Any]:
    """Describe a look-up: file, rows, sources, and the module that writes it."""
    return {
        "file": f"lookups/{path.name}",
        "rows": pq.read_metadata(path).num_rows,
        "sources": list(used),
        "code": code,
    }


def page(priors: Priors, facts: Mapping[str, Any]) -> str:
    """The page: sources with their digests, tables with universe and size, look-ups."""
    lines = [
        f"# Where the numbers of {priors.locale} come from",
        "",
        f"Written by `personas priors build` ({facts['code']}) together with `{PROVENANCE}`, which says the same to "
        "programs. `tables.lock` has the digests of what was written; `personas priors check` compares them.",
        "",
        "How areas without records are modelled, and how far that is from the truth: [METHODS.md](METHODS.md).",
        "",
        f"{facts['adult_records']:,} records of adults. {facts['margins_of_error']}",
        "",
        "## Sources",
        "",
    ]
    for name, source in facts["sources"].items():
        released = f"; released {source['released']}" if "released" in source else ""
        lines += [
            f"### {name}",
            "",
            f"{source['publisher']}: [{source['title']}]({source['url']}). Vintage {source['vintage']}{released}. "
            f"Universe: {source['universe']}. Licence: {source['licence']}.",
            "",
            *_digests(source["sha256"]),
        ]
    lines += [
        "## Tables",
        "",
        "| table | universe | persons | records | modelled in |",
        "|---|---|---:|---:|---|",
    ]
    lines += [
        f"| {name.replace('-', ' × ')} | {table['universe']} | {table['persons']:,} | {table['records']:,} | "
        f"{table['modelled_areas'] or 'no area'} |"
        for name, table in facts["tables"].items()
    ]
    lines += ["", "## Look-ups", "", "| file | rows | sources |", "|---|---:|---|"]
    lines += [
        f"| `{item['file']}` | {item['rows']:,} | {', '.join(item['sources'])} |"
        for item in facts["lookups"].values()
    ]
    return "\n".join(lines) + "\n"


def _digests(files: Mapping[str, str]) -> list[str]:
    if not files:
        return []
    return ["```text", *(f"{digest}  {name}" for name, digest in files.items()), "```", ""]


def write_modelled(path: Path, modelled: Mapping[str, tuple[str, ...]]) -> None:
    """Replace the `modelled:` block of a priors.yaml, or append one; the rest of the file is unchanged.

    Args:
        path: the priors.yaml.
        modelled: attributes that were modelled, by area.
    """
    text = path.read_text(encoding="utf-8")
    lines = [f"  {area}: [{', '.join(names)}]" for area, names in modelled.items()]
    block = (
        "\n".join(("modelled:  # written by `personas priors build`", *lines)) if lines else "modelled: {}"
    )
    block = f"{block}\n\n"
    changed = (
        _MODELLED.sub(lambda _: block, text, count=1)
        if _MODELLED.search(text)
        else f"{text.rstrip()}\n\n{block}"
    )
    path.write_text(changed.rstrip() + "\n", encoding="utf-8")
