"""PUMS: reads and recodes the Census Bureau's person and housing files, in any published format."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from census_personas.census_priors.build.en_US import recode
from census_personas.census_priors.build.en_US.columns import numbers, require
from census_personas.census_priors.build.records import MISSING, Records
from census_personas.census_priors.build.source import SourceError
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats, Mask, Objects

CHUNK_ROWS = 500_000
ADULT = 18
AUXILIARY = {"birthplace": "CIT", "household_language": "HHL"}
"""Columns that only the builder needs, stored as PUMS code minus one (see `BORN_IN_US`)."""
BORN_IN_US, BORN_IN_TERRITORY = 0, 1
"""Codes of `birthplace`: the 50 states and DC; Puerto Rico and the island areas."""
MINORS = ("state", "ethnicity", "labor_force_status")
"""Attributes of the counts of persons under 18, for comparison with published figures of all ages."""
NO_EXPERIENCE = 9920
"""OCCP of the unemployed who last worked five years ago or earlier, or never."""
HOUSEHOLD = frozenset({"household_type", "language_at_home", "household_language"})
"""Attributes from the housing records."""
KINDS = ("psam_p*.parquet", "psam_p*.csv", "csv_p*.zip")

PANDAS_FAULTS = (pd.errors.ParserError, pd.errors.EmptyDataError)

Keep = Callable[["pd.Series[str]"], Mask]
"""Function from SERIALNO to whether to read the household."""

log = logging.getLogger(__name__)


def read_records(
    place: Path, priors: Priors, attributes: tuple[str, ...], keep: Keep | None = None
) -> Records:
    """Read and recode every adult of a folder or file of PUMS person records.

    Args:
        place: a folder with `psam_p*`/`csv_p*` files (in itself or in `persons/`, housing files beside them
            or in `housing/`), or one such file; Parquet, CSV or the published ZIP of CSV.
        priors: the locale whose states the records are coded in.
        attributes: attributes to keep; coarser views are computed from finer ones when tables are counted.
        keep: households to read, by SERIALNO; all by default.

    Raises:
        SourceError: there is no person file, or one lacks a required column.
    """
    files = person_files(place)
    parts: list[Records] = []
    seen: dict[int, Path] = {}
    for number, file in enumerate(files, 1):
        mine = list(_file_records(file, priors, attributes, keep))
        _refuse_twice(mine, file, seen, priors)
        parts += mine
        adults = sum(map(len, parts))
        log.info("%s: %d of %d person files, %s adults so far", file.name, number, len(files), f"{adults:,}")
    codes = {name: np.concatenate([part.codes[name] for part in parts]) for name in attributes}
    minors = pd.concat([part.minors for part in parts])
    total = minors.groupby(list(MINORS), as_index=False, sort=True).sum()
    return Records(codes, np.concatenate([part.weight for part in parts]), total)


def person_files(place: Path) -> list[Path]:
    """Return the person files of a folder (or of its `persons/`), or the given file.

    Raises:
        SourceError: there is none.
    """
    if place.is_file():
        return [place]
    if not place.exists():
        raise SourceError(f"{place}: no such file or folder; name one with PUMS person files")
    folders = (place, place / "persons")
    found = [file for folder in folders for kind in KINDS for file in sorted(folder.glob(kind))]
    found = found or [file for folder in folders for file in sorted(folder.glob("*.parquet"))]
    if not found:
        raise SourceError(f"{place}: no PUMS person file there (psam_p*.parquet, psam_p*.csv or csv_p*.zip)")
    return found


def housing_file(person_file: Path) -> Path | None:
    """Return the housing file of a person file, beside it or in `../housing/`; None if there is none."""
    name = person_file.name.replace("psam_p", "psam_h").replace("csv_p", "csv_h")
    if name == person_file.name:
        return None
    places = (person_file.with_name(name), person_file.parent.parent / "housing" / name)
    return next((path for path in places if path.exists()), None)


def _file_records(
    file: Path, priors: Priors, attributes: tuple[str, ...], keep: Keep | None
) -> Iterator[Records]:
    housing = _housing(file) if HOUSEHOLD & set(attributes) else None
    people = 0
    for chunk in _chunks(file, recode.PERSON_COLUMNS):
        require(chunk, file)
        people += len(chunk)
        kept = chunk if keep is None else chunk[keep(chunk["SERIALNO"])]
        yield _recode(kept, housing, priors, attributes, file)
    if not people:
        raise SourceError(f"{file}: contains no person; fetch it again, or remove it")


def _housing(file: Path) -> pd.DataFrame | None:
    path = housing_file(file)
    if path is None:
        log.warning("%s: no housing file beside it; household type and language will be missing", file.name)
        return None
    chunks = list(_chunks(path, recode.HOUSING_COLUMNS))
    lacking = [name for name in recode.HOUSING_COLUMNS if not chunks or name not in chunks[0]]
    if lacking:
        raise SourceError(f"{path}: column {lacking[0]} is missing; PUMS housing files have it")
    housing = pd.concat(chunks)
    twice = housing["SERIALNO"].duplicated()
    if twice.any():
        serial = housing.loc[twice, "SERIALNO"].iloc[0]
        raise SourceError(f"{path}: duplicate SERIALNO {serial}; fetch the file again")
    return housing.set_index("SERIALNO", drop=False)


def _refuse_twice(parts: list[Records], file: Path, seen: dict[int, Path], priors: Priors) -> None:
    """Refuse a state in two files, because its people would count twice."""
    states = {int(code) for part in parts if "state" in part.codes for code in np.unique(part.codes["state"])}
    for code in sorted(states & seen.keys()):
        name = priors.domain["state"][code]
        raise SourceError(
            f"{file}: has people of {name}, and so has {seen[code].name}; remove one of the two"
        )
    seen.update(dict.fromkeys(states, file))


def _chunks(file: Path, wanted: list[str]) -> Iterator[pd.DataFrame]:
    """Yield frames with the wanted columns of the file, and its state column."""
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
    except (OSError, UnicodeDecodeError, pa.ArrowException, zipfile.BadZipFile, *PANDAS_FAULTS) as error:
        raise SourceError(f"{file}: not a readable PUMS file ({error}); fetch it again") from error


def _csv(stream: Path | IO[bytes], keep: set[str]) -> Iterator[pd.DataFrame]:
    yield from pd.read_csv(
        stream,
        usecols=lambda name: name in keep,
        dtype={"SERIALNO": str, "STATE": str, "ST": str},
        chunksize=CHUNK_ROWS,
        low_memory=False,
    )


def _recode(
    chunk: pd.DataFrame, housing: pd.DataFrame | None, priors: Priors, attributes: tuple[str, ...], file: Path
) -> Records:
    official = numbers(chunk, recode.PERSON_COLUMNS[1:], file)
    grown = official["AGEP"] >= ADULT
    states = _states(chunk)
    minors = _minors({name: values[~grown] for name, values in official.items()}, states[~grown])
    columns = {name: values[grown] for name, values in official.items()}
    rows = pd.DataFrame(index=range(len(states[grown])))
    if housing is not None:
        rows = housing.reindex(chunk["SERIALNO"].to_numpy()[grown])
    columns |= numbers(rows, recode.HOUSING_COLUMNS[1:], file)
    labels: dict[str, npt.NDArray[np.generic]] = {"state": states[grown], "age": columns["AGEP"]}
    names = {int(code): item.name for code, item in priors.occupations.by_code.items()}
    codes = {}
    for attribute in attributes:
        if attribute in AUXILIARY:
            codes[attribute] = (np.nan_to_num(columns[AUXILIARY[attribute]], nan=0.0) - 1).astype(np.int16)
            continue
        if attribute == "occupation":
            labels[attribute] = recode.occupation(columns, names)
            _check_occupations(columns["OCCP"], names, file)
        elif attribute not in labels:
            labels[attribute] = recode.RECODES[attribute](columns)
        codes[attribute] = _codes(priors, attribute, labels[attribute], file)
    return Records(codes, columns["PWGTP"], minors)


def _check_occupations(values: Floats, names: dict[int, str], file: Path) -> None:
    unknown = set(values[~np.isnan(values)].astype(int).tolist()) - {*names, NO_EXPERIENCE}
    if unknown:
        raise SourceError(
            f"{file}: OCCP={min(unknown):04d} is not a code of the locale, which has the Census 2018 codes "
            f"(ACS from 2018 on)"
        )


def _states(chunk: pd.DataFrame) -> Objects:
    column = chunk["STATE" if "STATE" in chunk else "ST"].astype("string").fillna("blank")
    fips = column.str.removesuffix(".0").str.zfill(2).astype(object)
    return fips.map(recode.STATE_FIPS).fillna("code " + fips).to_numpy(dtype=object)


def _minors(columns: dict[str, Floats], states: Objects) -> pd.DataFrame:
    """Count weighted persons and records by `MINORS`; no labour-force status below 16 or without ESR."""
    frame = pd.DataFrame({"state": states, "ethnicity": recode.ethnicity(columns)})
    frame["labor_force_status"] = recode.labor_force_status(columns)
    frame["weight"], frame["samples"] = columns["PWGTP"], 1
    return frame.groupby(list(MINORS), as_index=False, sort=True).sum()


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
    return np.append(table, np.int16(MISSING))[codes]  # -1, what is not given, takes the last
