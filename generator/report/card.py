"""Card: writes the README.md of a run folder in the format of dataset hubs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from census_personas.census_priors.priors import Priors
from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.run_layout import COPIES, RunLayout
from census_personas.foundation.schema import Table
from census_personas.foundation.traits import TRAITS
from census_personas.generator.report.report_types import Report
from census_personas.generator.report.run_report import render
from census_personas.generator.run.manifest import Manifest
from census_personas.validators.measures.fidelity import TableFidelity

# Size categories of the hub.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
_LARGEST = "100M<n<1B"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_SIGNS = re.compile(r"[\\|<>&`*_\[\]!]")
_LISTED = 8  # most states listed by name

# Descriptions of columns that are not attributes of a locale.
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "uuid": "identifier; of people who were sampled, decided by the model, the seed and the row",
        "persona": "the person in one sentence",
        "professional_persona": "the person at work, or in what took its place",
        "sports_persona": "sport, exercise, or none of it",
        "arts_persona": "arts and media",
        "travel_persona": "travel, near or far",
        "culinary_persona": "cooking and eating",
        "cultural_background": "how the person grew up, and what that left behind",
        "skills_and_expertise": "what the person can do",
        "skills_and_expertise_list": "the same skills as short phrases",
        "hobbies_and_interests": "what the person does for its own sake",
        "hobbies_and_interests_list": "the same hobbies as short phrases",
        "career_goals_and_ambitions": "what the person still wants",
        "birth_year": "year of birth: vintage less age",
        "occupation_code": "code of the occupation, empty without one",
        "country": "country",
        "row": "number of the row, which with the seed decides who it is",
        "model": "who wrote the texts",
        "prompt_digest": "SHA-256 of the prompts",
        "attempts": "times that the texts were written before they passed",
        "flags": "rules that flagged the row",
        **{trait: f"{trait}, T-score (mean 50, standard deviation 10)" for trait in TRAITS},
        **{f"{trait}_label": f"{trait} in words, from very low to very high" for trait in TRAITS},
    }
)


def write(
    folder: Path,
    manifest: Manifest,
    priors: Priors,
    table: Table,
    report: Report,
    described: Mapping[str, str] = _NOTHING,
) -> Path:
    """Write the card of a run from its report and the descriptions of fields in its prompts."""
    path = RunLayout(folder).card
    copies = [suffix for suffix in COPIES if any(RunLayout(folder).copies(suffix).glob(f"*.{suffix}"))]
    write_whole(path, text(manifest, priors, table, report, described, copies))
    return path


def text(
    manifest: Manifest,
    priors: Priors,
    table: Table,
    report: Report,
    described: Mapping[str, str] = _NOTHING,
    copies: Sequence[str] = (),
) -> str:
    """The card as Markdown, its front matter as YAML; `copies` are the formats that stand beside Parquet."""
    declared = priors.declaration
    identity = manifest.identity
    chosen = {name: identity[name] for name in ("where", "target", "quota") if identity.get(name)}
    agreeing = [item for item in report.fidelity if item.passes]
    # A condition leaves some tables a single cell, which cannot differ.
    open_tables = [item for item in report.fidelity if item.limit > 0]
    by_limit: list[TableFidelity | None] = [
        *sorted(open_tables or report.fidelity, key=lambda item: item.limit)
    ] or [None]
    return render(
        "card.md.j2",
        {
            "run": manifest,
            "completed": report.completed,
            "read": identity["digests"].get("input", ""),
            "copies": " and ".join(f"`{suffix}/*.{suffix}`" for suffix in copies),
            "chosen": {kind: json.dumps(said, ensure_ascii=False) for kind, said in chosen.items()},
            "grounded": any(item.lookup == "occupations" for item in declared.attributes.values()),
            "size": next((size for limit, size in _SIZES if manifest.accepted < limit), _LARGEST),
            "language": priors.conventions.language,
            "declared": declared,
            "sources": tuple(priors.sources.values()),
            "areas": _regions(priors),
            "columns": [
                (column.name, column.kind, _said(column.name, priors, described)) for column in table.columns
            ],
            "agreeing": len(agreeing),
            "judged": len(report.fidelity),
            "finest": by_limit[0],
            "coarsest": by_limit[-1],
            "singles": [
                item for item in report.fidelity if len(item.attributes) == 1 and item.source != "names"
            ],
        },
    )


def _regions(priors: Priors) -> int:
    region = priors.roles.get("region")
    return len(priors.domain[region]) if region is not None and region in priors.domain else 0


def _said(column: str, priors: Priors, described: Mapping[str, str]) -> str:
    """Describe a column, with its values if there are few."""
    if column not in priors.domain:
        if said := priors.description(column):
            return said
        # Escape untrusted descriptions, so that they cannot end the cell, or be a link or tag.
        return _SAID.get(column) or _SIGNS.sub(r"\\\g<0>", described.get(column, ""))
    label = priors.declaration.attributes[column].label
    states = priors.domain[column]
    if isinstance(states[0], int):
        return f"{label}, {states[0]} to {states[-1]}"
    few = ", ".join(f"`{state}`" for state in states)
    return f"{label}: {few}" if len(states) <= _LISTED else f"{label}, {len(states)} values"
