"""The README: its row, its commands and its length."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROW = 98
LONGEST = 150
Personas = Callable[..., tuple[int, str, str]]


def test_row_is_that_of_the_quickstart(personas: Personas, tmp_path: Path) -> None:
    shown = re.search(
        r"row (\d+); (\d+) of its (\d+) columns\):\n\n\| \| \|\n\|---\|---\|\n(.*?)\n\n", README, re.DOTALL
    )
    assert shown is not None
    personas("generate", ROOT / "configs/quickstart.yaml", "-n", ROW + 1, "-o", tmp_path / "run")
    person = pd.read_parquet(tmp_path / "run/personas").iloc[ROW]
    named = 0
    for line in shown[4].splitlines():
        names, values = (cell.strip() for cell in line.strip("| ").split(" | ", 1))
        columns = names.split(", ")
        named += len(columns)
        assert ", ".join(str(person[column]) for column in columns) == values.strip("`")
    assert (ROW, named, len(person)) == tuple(map(int, shown.groups()[:3]))


def test_commands_are_given() -> None:
    for line in (
        r"make quickstart ",
        r"make test ",
        r"python3 -m venv \.venv",
        r"pip install -e \"\.\[dev\]\" ",
        r"pytest -n 2 ",
    ):
        assert re.search(rf"^{line}", README, re.MULTILINE), line


def test_readme_is_short() -> None:
    assert README.count("\n") <= LONGEST
    assert README.count("\n|---") + README.count("](docs/report.svg)") <= 5
