"""Common words: words that many records use, and that are no sign of repetition when two texts of a record share them.

    python benchmarks/common_words.py ROWS.parquet... [--write]

ROWS are Parquet files of real rows in the Nemotron schema (never part of this repository). `--write` puts the words
into `validators/lexicons/en/common_words.yaml`: those in the texts of at least one record in ten, and of one in fifty.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter
from pathlib import Path

from census_personas.foundation.record_reader import read_records
from census_personas.validators.text.coherence import stem
from census_personas.validators.text.record_view import RecordView

FILE = Path(__file__).parent.parent / "validators" / "lexicons" / "en" / "common_words.yaml"
EVERYDAY, USUAL = 0.1, 0.02  # shares of records


def main() -> None:
    """Count, and print or write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    records, number = Counter[str](), 0
    for path in options.rows:
        for record in read_records(path):
            records.update(set(map(stem, RecordView(record).words)))
            number += 1
    everyday = sorted(word for word, count in records.items() if count >= EVERYDAY * number)
    usual = sorted(word for word, count in records.items() if USUAL * number <= count < EVERYDAY * number)
    text = "\n".join(
        [
            f"# Beginnings of words in the texts of {number:,} rows of Nemotron-Personas-USA 1.1 (NVIDIA, CC BY 4.0):",
            "# `everyday` in one row of ten, `usual` in one of fifty (`python benchmarks/common_words.py`).",
            *_block("everyday", everyday),
            *_block("usual", usual),
        ]
    )
    print(text) if not options.write else FILE.write_text(text + "\n", encoding="utf-8")


def _block(name: str, words: list[str]) -> list[str]:
    return [f"{name}: >-", *textwrap.wrap(" ".join(words), 116, initial_indent="  ", subsequent_indent="  ")]


if __name__ == "__main__":
    main()
