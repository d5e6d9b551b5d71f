"""Page: a comparison as one self-contained HTML file, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from census_personas.foundation.atomic_file import write_whole
from census_personas.generator.experiment.outcomes import MEASURES

_HERE = Path(__file__).parent
MEANINGS = {
    "accepted": "share of rows accepted",
    **{name: said for name, (said, _) in MEASURES.items()},
    "warnings": "warnings of rules about an accepted person",
}
_COLUMNS = (
    "measure",
    "condition",
    "paired",
    "people",
    "baseline",
    "value",
    "difference",
    "low",
    "high",
    "p",
    "adjusted",
    "marked",
)
_WIDTH = 300
"""Width of the picture of an interval, in units of its drawing."""


def write_page(folder: Path, name: str, record: Mapping[str, Any]) -> Path:
    """Write `comparison.html` and `comparison.csv` beside the record; return the page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    differences = record["differences"]
    measures = [name for name in MEANINGS if any(item["measure"] == name for item in differences)]
    drawn = {measure: _intervals([i for i in differences if i["measure"] == measure]) for measure in measures}
    text = environment.get_template("comparison.html.j2").render(
        name=name, record=record, measures=measures, meanings=MEANINGS, drawn=drawn, width=_WIDTH
    )
    page = folder / "comparison.html"
    write_whole(page, text)
    write_whole(folder / "comparison.csv", _csv(differences))
    return page


def _intervals(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Place differences and their intervals on one axis that includes zero."""
    low = min([0.0, *(item["low"] for item in items)])
    high = max([0.0, *(item["high"] for item in items)])
    reach = (high - low) or 1.0

    def place(value: float) -> float:
        return round(float(4 + (_WIDTH - 8) * (value - low) / reach), 1)

    rows = [
        {**item, "x": place(item["difference"]), "x1": place(item["low"]), "x2": place(item["high"])}
        for item in items
    ]
    return {"rows": rows, "zero": place(0.0), "low": low, "high": high}


def _csv(differences: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(differences)
    return text.getvalue()
