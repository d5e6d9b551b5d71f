"""Origins: the provenance of the en_US tables and look-ups."""

from __future__ import annotations

from pathlib import Path

from census_personas.census_priors.build.en_US import sources as sources_en_us
from census_personas.census_priors.build.en_US.pums import housing_file, person_files
from census_personas.census_priors.build.provenance import (
    lookup_facts,
    source_facts,
    table_facts,
    write_provenance,
)
from census_personas.census_priors.priors import Priors

COUNTING = "census_personas.census_priors.build.area_tables"
MODULES = {"age_top_codes": "ages", "minors": "locale", "places": "geography", "counties": "geography"}
"""Modules of look-ups that are not named after the look-up."""


def write_origins(out: Path, pums: Path, sources: Path, records: int) -> None:
    """Write where the numbers of a built locale come from.

    Args:
        out: locale folder with look-ups and tables in place.
        pums: folder or file of the person records.
        sources: folder of the other files.
        records: number of adults among the person records.
    """
    priors = Priors.load(out)
    pums_files = list(person_files(pums))
    pums_files += [path for path in map(housing_file, pums_files) if path is not None]
    inputs = {sources_en_us.PUMS.name: source_facts(sources_en_us.PUMS, pums_files)}
    for source in sources_en_us.EVERY:
        files = source.paths(sources) if source.file else []
        inputs[source.name or "island_areas_2020"] = source_facts(source, files)
    used = [s.name for s in (sources_en_us.PUMS, *sources_en_us.TABLES, *sources_en_us.LOOKUPS["places"])]
    tables = {"-".join(names): table_facts(priors, names, used, COUNTING) for _, names in priors.tables}
    lookups = {path.stem: _lookup(path) for path in sorted((out / "lookups").glob("*.parquet"))}
    write_provenance(out, records, inputs, tables, lookups)


def _lookup(path: Path) -> dict[str, object]:
    name = path.stem
    used = [source.name for source in sources_en_us.LOOKUPS[name]]
    if name in sources_en_us.FROM_RECORDS:
        used = [sources_en_us.PUMS.name, *used]
    module = MODULES.get(name, name.split("_")[0])
    return lookup_facts(path, used, f"census_personas.census_priors.build.en_US.{module}")
