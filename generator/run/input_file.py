"""InputFile: the rows of an existing dataset, with missing facts drawn, ready to be narrated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import orjson
import pandas as pd

from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.input.completing import KEY, RowCompleter
from census_personas.generator.input.key import check_key, is_uuid_column
from census_personas.generator.input.mapping import InputMapping, count, shown
from census_personas.generator.input.resolution import Resolution
from census_personas.generator.input.source import InputSource
from census_personas.generator.input.spelling import cell_texts
from census_personas.generator.narration.narrator import IMPOSSIBLE
from census_personas.generator.population.imputation import Imputation
from census_personas.generator.population.population import Population
from census_personas.generator.run.shard_store import check_parts

_BLOCK = 1 << 20
_NAMED = 8  # columns that a note names


class InputFile:
    """The people of an input file: their uuid and known facts are kept, their texts are not.

    The uuid identifies a row. A row without one gets a uuid from its values and its key, so that the same person gets
    the same texts wherever the row stands; without a key, its place in the file is used instead.
    """

    def __init__(
        self,
        said: InputConfig,
        population: Population,
        seed: int,
        *,
        plans: bool = False,
        sets_aside: bool = False,
    ) -> None:
        """Read the columns and their values; rows are read later, on demand.

        With `plans`, faults of the mapping are kept in `mapping.faults` for the caller to show; otherwise the first is
        raised. With `sets_aside`, rows with an unreadable cell are set aside and are no fault.

        Raises:
            DatasetError: there is no dataset, or it has no people.
            ConfigError: the mapping does not fit the file, values cannot be understood, or the key is not unique.
        """
        self.said = said
        self.source = InputSource(said)
        self.path = self.source.path
        check_parts(self.path)
        self._imputation = Imputation(population, seed)
        self._completer = RowCompleter(population, self._imputation, seed)
        self.resolution = Resolution(
            said, self.source, population.priors, self._completer.readable, sets_aside=sets_aside
        )
        self.mapping = self._with_key(self.resolution.resolve())
        if self.mapping.faults and not plans:
            raise ConfigError(self.mapping.faults[0])
        self._refuse_objects()
        self.columns = self._completer.columns(self.mapping)
        self._next = 0
        self._rows: Iterator[dict[str, Any]] = iter(())

    def __len__(self) -> int:
        """Number of rows."""
        return self.source.count

    def _refuse_objects(self) -> None:
        """Refuse a column of objects, and a key or uuid that is a list, judging by the first row."""
        first = next(self.source.rows(), {})
        for name in (self.mapping.uuid, self.mapping.key):
            if name is not None and isinstance(first.get(name), list | dict):
                raise ConfigError(f"{self.path}: column {name!r} holds {first[name]!r}; give one value a row")
        for name in (column.source for column in self.mapping.columns):
            if isinstance(first.get(name), dict) and cell_texts(first[name]) is None:
                raise ConfigError(
                    f"{self.path}: column {name!r} holds {first[name]!r}; give a value, or a list of values, a row"
                )

    def _with_key(self, mapping: InputMapping) -> InputMapping:
        """Return the mapping with its key checked; a column `uuid` without UUIDs is taken as a key."""
        return check_key(self.source, is_uuid_column(self.source, mapping))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the files' contents, and over their mapping if it is not plain."""
        digest = hashlib.sha256()
        for file in self.source.files:
            with file.open("rb") as content:
                while block := content.read(_BLOCK):
                    digest.update(block)
        if not self.mapping.is_plain:
            read = [*self.mapping.identity(), self.source.text.encoding, self.source.text.separator]
            digest.update(orjson.dumps(read))
        return digest.hexdigest()

    def notes(self, schema: str, written: Iterable[str]) -> tuple[str, ...]:
        """Return a line for each thing to know about reading the file, and for columns that are not `written`."""
        known, said = {*written}, []
        kept = {column.source for column in self.mapping.columns if column.target in known}
        lost = [name for name in self.source.columns if name not in known and name not in kept]
        lost = [name for name in lost if name != self.mapping.key]
        if lost:
            more = f", … ({len(lost)} in all)" if len(lost) > _NAMED else ""
            said.append(
                f"columns that schema {schema} does not have are left out: {', '.join(lost[:_NAMED])}{more}"
            )
        if "uuid" not in self.source.columns:
            said.append("there is no column uuid, so each row gets a new uuid")
        lines = [*([f"{self.path}: {'; '.join(said)}"] if said else []), *self.reading_notes()]
        return tuple(lines)

    def stated(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row's evidence by attribute, with the name that its texts give."""
        said = self.mapping.read(row)
        return self._completer.stated({name: said[name] for name in said if name in self.mapping.facts}, said)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """The facts that are drawn for everybody, since the file does not have them."""
        return self._completer.unsaid(self.mapping)

    def preview(self, n: int) -> list[dict[str, Any]]:
        """Return the first people, completed; an empty list if the mapping has faults."""
        if self.mapping.faults:
            return []
        people = self.sample(min(n, len(self)), 0).to_dict("records")
        return [{str(name): value for name, value in person.items()} for person in people]

    def reading_notes(self) -> Iterator[str]:
        """Yield a line for each column that is renamed, has unknown values, or is missing."""
        renamed = [
            f"{column.source!r} as {column.target}"
            for column in self.mapping.columns
            if column.source != column.target
        ]
        if renamed:
            yield f"{self.path}: reads column {', '.join(renamed)}"
        for column in self.mapping.columns:
            if foreign := column.foreign:
                yield (
                    f"{self.path}: column {column.source!r}: {count(len(foreign), 'value')} in "
                    f"{count(sum(foreign.values()), 'row')} not known to the locale, taken as not known and drawn: "
                    f"{shown(foreign)}"
                )
        if lacking := self._completer.lacking(self.mapping):
            yield f"{self.path}: has no {', '.join(lacking)}: drawn given what is known"

    def sample(self, n: int, start: int) -> pd.DataFrame:
        """Return rows `start` up to `start + n`, completed. Rows before are skipped; in a Parquet file, unread.

        A row whose facts are impossible together has the reason in a further column.
        """
        ahead = start - self._next
        if ahead < 0 or not self._next or (ahead and self.source.can_seek):
            self._rows, ahead = self.source.rows(start=start), 0
        rows = list(islice(self._rows, ahead, ahead + n))
        self._next = start + n
        records = [self._identified(row, start + i) for i, row in enumerate(rows)]
        people = self._completer.complete(records, start, self.columns)
        columns = list(self.columns)
        if any(person.get(IMPOSSIBLE) for person in people):
            columns.append(IMPOSSIBLE)
            people = [{IMPOSSIBLE: "", **person} for person in people]
        # Keep Python values in cells.
        return pd.DataFrame(people, columns=columns, dtype=object)

    def _identified(self, row: Mapping[str, Any], position: int) -> dict[str, Any]:
        """Return the values of a row, with its uuid and key."""
        values = self.mapping.read(row)
        key = None if self.mapping.key is None else str(row[self.mapping.key]).strip()
        own = values.get("uuid")
        has_own = own is not None and own == own and str(own)  # noqa: PLR0124  NaN
        values["uuid"] = str(own) if has_own else _uuid(row, position if key is None else key)
        return values if key is None else {**values, KEY: key}

    def keys(self, rows: int) -> pd.DataFrame | None:
        """Return key and uuid of the first `rows` rows, with their place in the file; None without a key."""
        if self.mapping.key is None:
            return None
        people = [
            self._identified(row, position) for position, row in enumerate(islice(self.source.rows(), rows))
        ]
        return pd.DataFrame(
            {
                "input_row": range(len(people)),
                "uuid": [person["uuid"] for person in people],
                KEY: [person[KEY] for person in people],
            }
        )


def _uuid(record: Mapping[str, Any], place: int | str) -> str:
    """Derive a version-8 UUID (RFC 9562: custom) for a row that has none."""
    content = orjson.dumps([place, record], option=orjson.OPT_SORT_KEYS, default=str)
    digits = hashlib.sha256(content).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
