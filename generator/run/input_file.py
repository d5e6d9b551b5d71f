"""InputFile: the rows of a dataset that exists, completed to be narrated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from census_personas.foundation.dataset_reader import columns_of, count_rows, dataset_files
from census_personas.foundation.randomness import row_of
from census_personas.foundation.record_reader import read_records
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.population.imputation import Imputation
from census_personas.generator.run.shard_store import check_parts

_BLOCK = 1 << 20
_NAMED = 8  # columns that are not kept


class InputFile:
    """People from elsewhere: their uuid and context are kept, their texts are not.

    A row is known by its uuid (one without gets a uuid from what it says and where it stands), so that the
    same person is narrated alike wherever the row stands in a file.
    """

    def __init__(self, path: Path, imputation: Imputation) -> None:
        """Look at the columns; rows are read as they are asked for.

        Raises:
            DatasetError: no dataset there.
            ConfigError: a dataset without people in it.
        """
        self.path = path
        self._imputation = imputation
        check_parts(path)
        self._files = dataset_files(path)
        certain = ("row", *imputation.public, *imputation.imputed)
        known = {*certain, *imputation.attributes}
        self.columns = tuple(dict.fromkeys([*certain, *(n for n in columns_of(path) if n in known)]))
        needed = imputation.roles.named(("sex", "age", "occupation", "postcode"))
        lacking = [name for name in needed if name not in columns_of(path)]
        if lacking:
            raise ConfigError(
                f"{path}: has no column {', '.join(lacking)}; give a dataset of the persona schema"
            )
        first = next(self._records(), None)
        if first is None:
            raise ConfigError(f"{path}: has no rows; give a dataset that has some")
        nested = [name for name in self.columns if isinstance(first.get(name), list | dict)]
        if nested:
            raise ConfigError(
                f"{path}: column {nested[0]!r} holds {first[nested[0]]!r}; give one value a row, and no lists"
            )
        self._next = 0
        self._rows: Iterator[dict[str, Any]] = iter(())

    def __len__(self) -> int:
        """Number of rows."""
        return self._count

    @cached_property
    def _count(self) -> int:
        return count_rows(self.path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the files' contents, which decide the rows."""
        digest = hashlib.sha256()
        for file in self._files:
            with file.open("rb") as content:
                while block := content.read(_BLOCK):
                    digest.update(block)
        return digest.hexdigest()

    def notes(self, schema: str, written: Iterable[str]) -> tuple[str, ...]:
        """What is not kept of the file, in a line: columns that are not `written` in this schema, uuids that lack."""
        columns, known = columns_of(self.path), {*written}
        said = []
        if lost := [name for name in columns if name not in known]:
            more = f", … ({len(lost)} in all)" if len(lost) > _NAMED else ""
            said.append(
                f"columns that schema {schema} does not have are left out: {', '.join(lost[:_NAMED])}{more}"
            )
        if "uuid" not in columns:
            said.append("there is no column uuid, so each row gets one anew")
        return (f"{self.path}: {'; '.join(said)}",) if said else ()

    def sample(self, n: int, start: int) -> pd.DataFrame:
        """Rows `start` up to `start + n`, completed. Reading on is cheap; going back begins anew."""
        if start < self._next or not self._next:
            self._rows, self._next = self._records(), 0
        skipped = islice(self._rows, start - self._next, start - self._next + n)
        records = [self._completed(record, start + i) for i, record in enumerate(skipped)]
        self._next = start + n
        # Cells stay the Python values that they are.
        return pd.DataFrame(records, columns=list(self.columns), dtype=object)

    def _records(self) -> Iterator[dict[str, Any]]:
        return chain.from_iterable(map(read_records, self._files))

    def _completed(self, record: Mapping[str, Any], position: int) -> dict[str, Any]:
        uuid = str(record.get("uuid") or _uuid(record, position))
        found = self._imputation.of({**record, "uuid": uuid})
        if not isinstance(found.get("row"), int):
            found["row"] = row_of(uuid)
        return {name: found.get(name, "") for name in self.columns}


def _uuid(record: Mapping[str, Any], position: int) -> str:
    """A version-8 UUID (RFC 9562: custom) of a row that has none."""
    said = orjson.dumps([position, record], option=orjson.OPT_SORT_KEYS, default=str)
    digits = hashlib.sha256(said).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
