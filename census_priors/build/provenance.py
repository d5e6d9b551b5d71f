"""Provenance: the sources of every table and look-up of a locale, as data and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from census_personas.census_priors.build.en_US import sources as sources_en_us
from census_personas.census_priors.build.en_US.pums import housing_file, person_files
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


def write_provenance(out: Path, pums: Path, sources: Path, records: int) -> None:
    """Write `provenance.yaml` and the page derived from it.

    Args:
        out: locale folder with look-ups and tables in place.
        pums: folder or file of the person records.
        sources: folder of the other files.
        records: number of adults among the person records.
    """
    priors = Priors.load(out)
    pums_files = list(person_files(pums))
    pums_files += [path for path in map(housing_file, pums_files) if path is not None]
    inputs = {sources_en_us.PUMS.name: _source(sources_en_us.PUMS, pums_files)}
    for source in sources_en_us.EVERY:
        inputs[source.name or "island_areas_2020"] = _source(
            source, source.paths(sources) if source.file else []
        )
    used = [s.name for s in (sources_en_us.PUMS, *sources_en_us.TABLES, *sources_en_us.LOOKUPS["places"])]
    facts: dict[str, Any] = {
        "locale": priors.locale,
        "code": f"census-personas {version('census-personas')}",
        "adult_records": records,
        "margins_of_error": MARGINS,
        "sources": inputs,
        "tables": {"-".join(names): _table(priors, names, used) for _, names in priors.tables},
        "lookups": {path.stem: _lookup(path) for path in sorted((out / "lookups").glob("*.parquet"))},
    }
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110)
    (out / PROVENANCE).write_text(text, encoding="utf-8")
    (out / PAGE).write_text(page(priors, facts), encoding="utf-8")


def _source(source: Source, files: Iterable[Path]) -> dict[str, Any]:
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


def _table(priors: Priors, names: Sequence[str], used: list[str]) -> dict[str, Any]:
    marginal = priors.table(names)
    areas = [str(state) for state in priors.domain["state"]]
    modelled = [state for state in areas if priors.basis(names, state) == "modelled"]
    return {
        "file": table_path(priors.folder, tuple(names)).relative_to(priors.folder).as_posix(),
        "universe": f"residents 18 and over, {priors.universe(names)}",
        "persons": round(marginal.total),
        "records": 0 if marginal.samples is None else round(float(marginal.samples.sum())),
        "modelled_areas": " ".join(modelled),
        "sources": used,
        "code": "census_personas.census_priors.build.area_tables",
    }


def _lookup(path: Path) -> dict[str, Any]:
    name = path.stem
    used = [source.name for source in sources_en_us.LOOKUPS[name]]
    if name in sources_en_us.FROM_RECORDS:
        used = [sources_en_us.PUMS.name, *used]
    module = {
        "age_top_codes": "ages",
        "minors": "locale",
        "places": "geography",
        "counties": "geography",
    }
    code = module.get(name, name.split("_")[0])
    return {
        "file": f"lookups/{path.name}",
        "rows": pq.read_metadata(path).num_rows,
        "sources": used,
        "code": f"census_personas.census_priors.build.en_US.{code}",
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
