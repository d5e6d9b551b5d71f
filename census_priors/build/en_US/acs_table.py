"""ACS table: reads a published detailed table (B12002, B23001, ...) as a frame of labelled cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from census_personas.census_priors.build.en_US.recode import STATE_FIPS
from census_personas.census_priors.build.source import SourceError

MALE_FEMALE = ("Male", "Female")


@dataclass(frozen=True, slots=True)
class AcsTable:
    """One detailed table: `cells[variable]` is the path of its label, `estimates` has one row per area.

    Attributes:
        name: table number.
        cells: variable -> label path without the leading `Estimate` and `Total`.
        estimates: persons; index of USPS state codes, one column per variable.
    """

    name: str
    cells: dict[str, tuple[str, ...]]
    estimates: pd.DataFrame

    @classmethod
    def read(cls, folder: Path, name: str) -> AcsTable:
        """Read `bystate/<name>_DATA.csv.gz` with its legend `us/<name>_LEGEND.csv.gz`.

        Raises:
            SourceError: either file is missing.
        """
        data, legend = folder / "bystate" / f"{name}_DATA.csv.gz", folder / "us" / f"{name}_LEGEND.csv.gz"
        for path in (data, legend):
            if not path.exists():
                raise SourceError(f"{path}: missing; the detailed ACS table {name} is needed to model areas")
        labels = pd.read_csv(legend).set_index("VARIABLE")["LABEL"]
        cells = {
            str(variable): tuple(part.rstrip(":") for part in str(label).split("!!")[2:])
            for variable, label in labels.items()
            if re.fullmatch(rf"{name}_\d+E", str(variable))
        }
        frame = pd.read_csv(data, usecols=["GEO_ID", *cells])
        frame.index = pd.Index(frame["GEO_ID"].str[-2:].map(STATE_FIPS), name="state")
        return cls(name, cells, frame.drop(columns="GEO_ID"))

    def tally(self, states: dict[str, tuple[str, ...]]) -> pd.DataFrame:
        """Sum cells by sex, age and category, for every area.

        Args:
            states: category -> the words of its labels; a cell belongs to the category whose words end its
                path (or, where ages come last, stand next to the end).

        Returns:
            Columns (sex, first age, last age, category); rows areas. Ages are those of the label.
        """
        columns: dict[tuple[str, int, int, str], pd.Series[float]] = {}
        for variable, path in self.cells.items():
            sex = next((part for part in path if part in MALE_FEMALE), None)
            ages = next((part for part in path if "year" in part), None)
            category = next((state for state, words in states.items() if set(words) & set(path)), None)
            if sex and ages and category and self._is_leaf(path):
                key = (sex, *_ages(ages), category)
                columns[key] = columns.get(key, 0.0) + self.estimates[variable]
        return pd.DataFrame(columns)

    def by_label(self, categories: Mapping[str, str]) -> pd.DataFrame:
        """Sum cells whose last label is in `categories` by sex and category; rows are areas.

        Args:
            categories: last label of a cell, subtotals included -> category.
        """
        columns: dict[tuple[str, str], pd.Series[float]] = {}
        for variable, path in self.cells.items():
            if path and path[0] in MALE_FEMALE and path[-1] in categories:
                key = (path[0], categories[path[-1]])
                columns[key] = columns.get(key, 0.0) + self.estimates[variable]
        return pd.DataFrame(columns)

    def _is_leaf(self, path: tuple[str, ...]) -> bool:
        return not any(len(other) > len(path) and other[: len(path)] == path for other in self.cells.values())


def _ages(words: str) -> tuple[int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    if "and over" in words:
        return numbers[0], 200
    return numbers[0], numbers[-1]
