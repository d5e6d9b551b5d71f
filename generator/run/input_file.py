"""InputFile: the rows of a dataset that exists, completed to be narrated."""

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
_NAMED = 8  # columns that are not kept


class InputFile:
    """People from elsewhere: their uuid and what is known of them are kept, their texts are not.

    A row is known by its uuid. One without gets a uuid from what it says and from its key, or from where it stands if
    the file has no key, so that the same person is narrated alike wherever the row stands in a file.
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
        """Look at the columns and their values; rows are read as they are asked for.

        `plans` says that somebody will look at what is in the way (`mapping.faults`), which is refused otherwise;
        `sets_aside` that rows of which a cell cannot be read are set aside, so that they are in nobody's way.

        Raises:
            DatasetError: no dataset there, or one without people in it.
            ConfigError: a mapping that does not fit the file, values of which nobody can say what they mean, or a key
                that does not name each row once.
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
        """Refuse a column that holds objects, or a key or uuid that is a list, of a file whose first row shows it."""
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
        """The mapping with its key checked; a column `uuid` that holds none is a key."""
        return check_key(self.source, is_uuid_column(self.source, mapping))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the files' contents, and over how they are read where that is not plain: they decide rows."""
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
        """How the file is read where that is not plain, and what of it is not `written` in this schema, a line each."""
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
            said.append("there is no column uuid, so each row gets one anew")
        lines = [*([f"{self.path}: {'; '.join(said)}"] if said else []), *self.reading_notes()]
        return tuple(lines)

    def stated(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says that is evidence: by attribute, with the name that its texts give."""
        said = self.mapping.read(row)
        return self._completer.stated({name: said[name] for name in said if name in self.mapping.facts}, said)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """The facts that are drawn for everybody, since the file does not have them."""
        return self._completer.unsaid(self.mapping)

    def preview(self, n: int) -> list[dict[str, Any]]:
        """The first people, completed; nobody where something has to be decided before."""
        if self.mapping.faults:
            return []
        people = self.sample(min(n, len(self)), 0).to_dict("records")
        return [{str(name): value for name, value in person.items()} for person in people]

    def reading_notes(self) -> Iterator[str]:
        """What of the columns is read otherwise than it stands there, a line each."""
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
        """Rows `start` up to `start + n`, completed. Rows between are passed over, in a Parquet file unread.

        A row that nobody of the locale can be has the reason in a further column.
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
        # Cells stay the Python values that they are.
        return pd.DataFrame(people, columns=columns, dtype=object)

    def _identified(self, row: Mapping[str, Any], position: int) -> dict[str, Any]:
        """What a row says, with its uuid and key."""
        said = self.mapping.read(row)
        key = None if self.mapping.key is None else str(row[self.mapping.key]).strip()
        given = said.get("uuid")
        is_given = given is not None and given == given and str(given)  # noqa: PLR0124  NaN
        said["uuid"] = str(given) if is_given else _uuid(row, position if key is None else key)
        return said if key is None else {**said, KEY: key}

    def keys(self, rows: int) -> pd.DataFrame | None:
        """Key and uuid of the first `rows` rows, with their place in the file; None of a file without a key."""
        if self.mapping.key is None:
            return None
        found = [
            self._identified(row, position) for position, row in enumerate(islice(self.source.rows(), rows))
        ]
        return pd.DataFrame(
            {
                "input_row": range(len(found)),
                "uuid": [said["uuid"] for said in found],
                KEY: [said[KEY] for said in found],
            }
        )


def _uuid(record: Mapping[str, Any], place: int | str) -> str:
    """A version-8 UUID (RFC 9562: custom) of a row that has none."""
    said = orjson.dumps([place, record], option=orjson.OPT_SORT_KEYS, default=str)
    digits = hashlib.sha256(said).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
