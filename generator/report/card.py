"""Card: the README.md of a run folder, as dataset hubs read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persona_engine.census_priors.priors import Priors
from persona_engine.generator.atomic import write_whole
from persona_engine.generator.report.run_report import render
from persona_engine.generator.run.manifest import Manifest
from persona_engine.generator.run.schema import Table

# The hub's own buckets.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


def write(folder: Path, manifest: Manifest, priors: Priors, table: Table, numbers: Mapping[str, Any]) -> Path:
    """Write the card of a run; `numbers` are its report's."""
    path = folder / "README.md"
    write_whole(path, text(manifest, priors, table, numbers))
    return path


def text(manifest: Manifest, priors: Priors, table: Table, numbers: Mapping[str, Any]) -> str:
    """The card as Markdown, its front matter as YAML."""
    declared = priors.declaration
    agreeing = [item for item in numbers["fidelity"] if item["passes"]]
    return render(
        "card.md.j2",
        {
            "run": manifest,
            "where": json.dumps(manifest.identity["where"], ensure_ascii=False),
            "grounded": any(item.lookup == "occupations" for item in declared.attributes.values()),
            "size": next((size for limit, size in _SIZES if manifest.accepted < limit), _LARGEST),
            "language": declared.locale.split("_")[0],
            "declared": declared,
            "sources": tuple(priors.sources.values()),
            "areas": len(priors.domain["state"]) if "state" in priors.domain else 0,
            "columns": table.columns,
            "agreeing": len(agreeing),
            "judged": len(numbers["fidelity"]),
        },
    )
