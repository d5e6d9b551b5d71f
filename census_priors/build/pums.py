"""PUMS: the Census Bureau's person and housing files, in any form it publishes them, as recoded records."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from persona_engine.census_priors.build import recode
from persona_engine.census_priors.build.source import SourceError
from persona_engine.census_priors.priors import Priors

MISSING = -1
CHUNK_ROWS = 500_000
ADULT = 18
TERRITORY_BORN, BORN_IN_TERRITORY = "territory_born", 2  # CIT 2: Puerto Rico, Guam, Virgin Islands, Marianas

Keep = Callable[["pd.Series[str]"], npt.NDArray[np.bool_]]
"""Which households of a file to read, from their SERIALNO."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Records:
    """Recoded adults: one int16 code a person and attribute (-1 missing), and PWGTP as float64."""

    codes: dict[str, npt.NDArray[np.int16]]
    weight: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """Number of persons."""
        return len(self.weight)

    def take(self, rows: npt.NDArray[np.bool_]) -> Records:
        """The persons for whom `rows` is true."""
        return Records({name: codes[rows] for name, codes in self.codes.items()}, self.weight[rows])


def read_records(
    place: Path, priors: Priors, attributes: tuple[str, ...], keep: Keep | None = None
) -> Records:
    """Read and recode every adult of a folder or file of PUMS person records.

    Args:
        place: a folder with `psam_p*`/`csv_p*` files (in itself or in `persons/`, housing files beside them
            or in `housing/`), or one such file; Parquet, CSV or the published ZIP of CSV.
        priors: the locale whose states the records are coded in.
        attributes: attributes to keep; coarser views are computed from finer ones when tables are counted.
        keep: which households to read, by SERIALNO; all if left out.

    Raises:
        SourceError: no person file, or one without the columns that every record needs.
    """
    files = _person_files(place)
    parts: list[Records] = []
    for number, file in enumerate(files, 1):
        housing = _housing(file)
        for chunk in _chunks(file, recode.PERSON_COLUMNS):
            if keep is not None:
                chunk = chunk[keep(chunk["SERIALNO"])]
            parts.append(_recode(chunk, housing, priors, attributes, file))
        log.info("read %s (%d of %d files, %d adults so far)", file.name, number, len(files), sum(map(len, parts)))
    codes = {name: np.concatenate([part.codes[name] for part in parts]) for name in attributes}
    return Records(codes, np.concatenate([part.weight for part in parts]))


def _person_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    files = [
        file
        for folder in (place, place / "persons")
        for pattern in ("psam_p*.parquet", "psam_p*.csv", "csv_p*.zip", "*.parquet")
        for file in sorted(folder.glob(pattern))
    ]
    if not files:
        raise SourceError(f"{place}: no PUMS person file there (psam_p*.parquet, psam_p*.csv or csv_p*.zip)")
    return list(dict.fromkeys(files))


def _housing(person_file: Path) -> pd.DataFrame | None:
    """The housing file that belongs to a person file, indexed by SERIALNO; None if it is not there."""
    stem, suffix = person_file.stem, person_file.suffix
    name = stem.replace("psam_p", "psam_h").replace("csv_p", "csv_h") + suffix
    if name == person_file.name:
        return None
    for path in (person_file.with_name(name), person_file.parent.parent / "housing" / name):
        if path.exists():
            return pd.concat(list(_chunks(path, recode.HOUSING_COLUMNS))).set_index("SERIALNO")
    return None


def _chunks(file: Path, wanted: list[str]) -> Iterator[pd.DataFrame]:
    """Frames of the wanted columns that the file has, plus its state column."""
    keep = {*wanted, "STATE", "ST"}
    try:
        if file.suffix == ".parquet":
            source = pq.ParquetFile(file)
            columns = [name for name in source.schema_arrow.names if name in keep]
            for batch in source.iter_batches(CHUNK_ROWS, columns=columns):
                yield batch.to_pandas()
        elif file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                for member in sorted(archive.namelist()):
                    if member.endswith(".csv"):
                        with archive.open(member) as stream:
                            yield from _csv(stream, keep)
        else:
            yield from _csv(file, keep)
    except (OSError, pa.ArrowInvalid, zipfile.BadZipFile, pd.errors.ParserError) as error:
        raise SourceError(f"{file}: not a readable PUMS file ({error}); fetch it again") from error


def _csv(stream: object, keep: set[str]) -> Iterator[pd.DataFrame]:
    yield from pd.read_csv(
        stream,  # type: ignore[arg-type]  # a path or a binary stream
        usecols=lambda name: name in keep,
        dtype={"SERIALNO": str, "STATE": str, "ST": str},
        chunksize=CHUNK_ROWS,
    )


def _recode(
    chunk: pd.DataFrame, housing: pd.DataFrame | None, priors: Priors, attributes: tuple[str, ...], file: Path
) -> Records:
    lacking = [name for name in ("SERIALNO", "PWGTP", "AGEP", "SEX") if name not in chunk]
    if lacking or not ({"STATE", "ST"} & set(chunk)):
        raise SourceError(f"{file}: column {(lacking or ['STATE'])[0]} is missing; PUMS person files have it")
    chunk = chunk[chunk["AGEP"] >= ADULT]
    columns = {
        name: chunk[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if name in chunk
        else np.full(len(chunk), np.nan)
        for name in recode.PERSON_COLUMNS
        if name != "SERIALNO"
    }
    rows = None if housing is None else housing.reindex(chunk["SERIALNO"])
    for name in recode.HOUSING_COLUMNS[1:]:
        columns[name] = (
            np.full(len(chunk), np.nan) if rows is None else rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        )
    fips = chunk["STATE" if "STATE" in chunk else "ST"].astype(str).str.zfill(2)
    labels = {"state": fips.map(recode.STATE_FIPS).to_numpy(dtype=object), "age": columns["AGEP"]}
    names = {int(code): item.name for code, item in priors.occupations.by_code.items()}
    codes = {}
    for attribute in attributes:
        if attribute == TERRITORY_BORN:
            codes[attribute] = (columns["CIT"] == BORN_IN_TERRITORY).astype(np.int16)
            continue
        if attribute == "occupation":
            values = recode.occupation(columns, names)
        else:
            values = labels[attribute] if attribute in labels else recode.RECODES[attribute](columns)
        codes[attribute] = _codes(priors, attribute, values, file)
    return Records(codes, columns["PWGTP"])


def _codes(
    priors: Priors, attribute: str, values: npt.NDArray[np.generic], file: Path
) -> npt.NDArray[np.int16]:
    states = priors.domain[attribute]
    if isinstance(states[0], int):
        clipped = np.clip(values.astype(np.float64), states[0], int(states[-1]))
        return (clipped - states[0]).astype(np.int16)
    known = {state: code for code, state in enumerate(states)}
    codes, uniques = pd.factorize(pd.Series(values, dtype=object))
    unknown = [value for value in uniques if value != "" and value not in known]
    if unknown:
        raise SourceError(f"{file}: {attribute} recodes to {unknown[0]!r}, which the locale does not declare")
    table = np.array([known.get(value, MISSING) for value in uniques], dtype=np.int16)
    return table[codes] if len(table) else np.full(len(values), MISSING, dtype=np.int16)
