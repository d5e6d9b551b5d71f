"""Resolution: determines the mapping of a file from the config and from its headers and values."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from census_personas.census_priors.input_words import InputWords, read_input_words
from census_personas.census_priors.priors import Priors
from census_personas.foundation.schema import LISTS, PROSE
from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.input.headers import Headers
from census_personas.generator.input.mapping import InputMapping, MappedColumn, count, shown
from census_personas.generator.input.source import InputSource
from census_personas.generator.input.spelling import OLDEST, plain
from census_personas.generator.input.value_reading import LEFT, OTHERS, UNKNOWN, Reading, Vocabulary, explicit

_COUNTRY, _UUID, _CODE = "country", "uuid", "occupation_code"
BIRTH_YEAR = "birth_year"
"""Column of the engine from which an age follows."""
_UNREAD = frozenset({*PROSE, *LISTS, _UUID})
_STAND_INS = frozenset({BIRTH_YEAR, _CODE})
_NAMES = ("given_name", "middle_name", "family_name", "second_family_name", "municipality", "subregion")
_MOST_NAMED = 12
_YEAR = re.compile(r"[0-9]{4}")
Tallies = Mapping[str, Counter[str | None]]


@dataclass(frozen=True, slots=True)
class _Choice:
    source: str
    target: str
    how: int | None


class Resolution:
    """Resolves the mapping of one file for one locale."""

    def __init__(
        self,
        said: InputConfig,
        source: InputSource,
        priors: Priors,
        columns: Iterable[str],
        *,
        sets_aside: bool = False,
    ) -> None:
        """`columns` are all attributes of a person that a file may have.

        `sets_aside` says that rows with a cell that means nothing known are set aside, so that only a column of which
        half the rows or more cannot be read has to be decided first.

        Raises:
            ConfigError: the config names a column or an attribute that does not exist.
        """
        self.said, self.source, self.priors = said, source, priors
        self.sets_aside = sets_aside
        self.words: InputWords = read_input_words(priors)
        self.vocabulary = Vocabulary(priors, self.words)
        self.headers = Headers(priors, self.words, dict.fromkeys((*columns, _COUNTRY)))
        self._faults: list[str] = []
        self._check_config()

    def resolve(self) -> InputMapping:
        """Return the mapping; open questions are in its faults.

        Raises:
            DatasetError: the file cannot be read.
            ConfigError: a meaning is not a state of its attribute, or `values` names an unmapped attribute.
        """
        candidates = self._candidates()
        closed = {c.source for c in candidates if self._is_closed(c)}
        tallies = {choice.source: Counter[str | None]() for choice in candidates}
        tallies |= self.source.tally(closed)
        chosen = self._chosen(candidates, tallies)
        columns = tuple(self._mapped(choice, tallies[choice.source]) for choice in chosen)
        self._check_values(columns)
        self._faults += filter(None, map(self._fault, columns))
        if not columns and not self._faults:
            some = _listed(self.source.columns, "")
            self._faults.append(
                f"{self.source.path}: none of its columns ({some}) has the name of something known of a person; "
                "say what they hold: input.columns: {COLUMN: ATTRIBUTE} (personas priors show lists the attributes)"
            )
        uuid = _UUID if _UUID in self.source.columns and self.said.columns.get(_UUID, _UUID) else None
        read = {*(column.source for column in columns), *_UNREAD, *filter(None, (self.said.key, uuid))}
        return InputMapping(
            columns,
            self.said.key,
            uuid,
            tuple(name for name in self.source.columns if name not in read),
            tuple(self._faults),
            self._employed(),
        )

    def _employed(self) -> tuple[str, str, str] | None:
        roles, state = self.priors.roles, self.priors.conventions.work.employed
        occupation, work = roles.get("occupation"), roles.get("work")
        return None if occupation is None or work is None or state is None else (occupation, work, state)

    def _check_config(self) -> None:
        place, own = self.source.path, self.source.columns
        named = [*self.said.columns, *filter(None, (self.said.key,))]
        for name in named:
            if name not in own:
                where = "input.columns" if name in self.said.columns else "input.key"
                raise ConfigError(
                    f"{where}: {place} has no column {name!r}; its columns are {_listed(own, name)}"
                )
        for name, target in self.said.columns.items():
            if target is not None and target not in (*self.headers.columns, _UUID):
                raise ConfigError(
                    f"input.columns.{name}: the locale has no attribute {target!r}; it has "
                    f"{_listed(self.headers.columns, target)}"
                )

    def _candidates(self) -> list[_Choice]:
        found = [_Choice(name, target, None) for name, target in self.said.columns.items() if target]
        taken = {choice.target for choice in found}
        for name in self.source.columns:
            if name in self.said.columns or name == self.said.key or name in _UNREAD:
                continue
            found += [
                _Choice(name, target, how)
                for how, target in self.headers.candidates(name)
                if target not in taken
            ]
        return found

    def _chosen(self, candidates: Iterable[_Choice], tallies: Tallies) -> list[_Choice]:
        """Choose one target per column, then one column per target."""
        by_source: dict[str, list[_Choice]] = {}
        for choice in candidates:
            by_source.setdefault(choice.source, []).append(choice)
        best = [min(some, key=lambda c: self._unread(c, tallies[c.source])) for some in by_source.values()]
        by_target: dict[str, list[_Choice]] = {}
        for choice in self._rephrased(best):
            by_target.setdefault(choice.target, []).append(choice)
        return [self._likeliest(target, some) for target, some in by_target.items()]

    def _unread(self, choice: _Choice, tally: Counter[str | None]) -> int:
        reader = self._reader(choice)
        if reader is None:
            return 0
        return sum(rows for text, rows in tally.items() if text is not None and reader(text).left)

    def _rephrased(self, choices: list[_Choice]) -> list[_Choice]:
        """Map age bands and birth years to age, occupation codes to occupation, if the file has no better column."""
        roles, targets = self.priors.roles, {choice.target for choice in choices}
        age, occupation = roles.get("age"), roles.get("occupation")
        stand_ins: dict[str, str] = {}
        if age is not None and age not in targets:
            views = [
                name
                for name in self.priors.domain
                if name != age and self.priors.hierarchy.refines(age, name)
            ]
            stand_ins |= dict.fromkeys((*views, BIRTH_YEAR), age)
        if occupation is not None and occupation not in targets:
            stand_ins[_CODE] = occupation
        return [_Choice(c.source, stand_ins.get(c.target, c.target), c.how) for c in choices]

    def _likeliest(self, target: str, choices: list[_Choice]) -> _Choice:
        first = min(choices, key=lambda choice: -1 if choice.how is None else choice.how)
        equal = [choice.source for choice in choices if choice.how == first.how]
        if len(equal) > 1:
            self._faults.append(
                f"{self.source.path}: columns {' and '.join(map(repr, equal))} both look like {target}; say which one "
                f"it is: input.columns: {{{equal[0]}: {target}, {equal[1]}: null}}"
            )
        return first

    def _reader(self, choice: _Choice) -> Callable[[str], Reading] | None:
        if choice.target == _COUNTRY:
            return self._country
        if self.holds_birth_years(choice.source, choice.target):
            return self._age_of_birth
        return self.vocabulary.reader(choice.target, choice.source)

    def holds_birth_years(self, source: str, target: str) -> bool:
        """Return whether a column that is read as an age has years of birth, as the config or its header says."""
        named = {target for _, target in self.headers.candidates(source)}
        is_birth = BIRTH_YEAR in {self.said.columns.get(source), *named}
        return is_birth and target == self.priors.roles.get("age")

    def _country(self, text: str) -> Reading:
        own = {plain(name) for name in (self.priors.country, *self.words.countries)}
        if plain(text) in own:
            return Reading(self.priors.country)
        return UNKNOWN if self.vocabulary.is_unknown(text) else LEFT

    def _age_of_birth(self, text: str) -> Reading:
        if self._is_year(text):
            return Reading(int(self.priors.declaration.vintage) - int(text))
        return UNKNOWN if self.vocabulary.is_unknown(text) else LEFT

    def _is_year(self, text: str) -> bool:
        """Return whether a text is a year in which a person who lives in the locale's year may have been born."""
        is_number = _YEAR.fullmatch(text) is not None
        return is_number and 0 <= int(self.priors.declaration.vintage) - int(text) <= OLDEST

    def _is_closed(self, choice: _Choice) -> bool:
        """Return whether a column's values are restricted, as its first candidate or as its final target."""
        return choice.target in _STAND_INS or self._reader(choice) is not None or bool(self._said(choice))

    def _said(self, choice: _Choice) -> Mapping[str, Any]:
        """Return the meanings that the config states for the values of a column."""
        values = self.said.values
        return {**values.get(choice.source, {}), **values.get(choice.target, {})}

    def _mapped(self, choice: _Choice, tally: Counter[str | None]) -> MappedColumn:
        reader = self._reader(choice)
        named = explicit(choice.target, self._said(choice), self.vocabulary, f"input.values.{choice.target}")
        if reader is None and not named:
            column = MappedColumn(choice.source, choice.target, choice.how, None, tally)
            is_name = choice.target in self.priors.roles.named(_NAMES)
            return replace(column, is_unknown=self.vocabulary.is_unknown_name) if is_name else column

        def meant(text: str) -> Reading:
            if text in named:
                return named[text]
            reading = Reading(text) if reader is None else reader(text)
            return named[OTHERS] if OTHERS in named and (reading.left or reading.foreign) else reading

        readings = {text: meant(text) for text in tally if text is not None}
        return MappedColumn(choice.source, choice.target, choice.how, readings, tally)

    def _check_values(self, columns: Iterable[MappedColumn]) -> None:
        known = {name for column in columns for name in (column.source, column.target)}
        for name in self.said.values:
            if name not in known:
                raise ConfigError(
                    f"input.values.{name}: no column is mapped to it; the file gives {_listed(sorted(known), name)}"
                )

    def _fault(self, column: MappedColumn) -> str | None:
        left = column.left
        place, rows = self.source.path, sum(left.values())
        known = sum(column.counts.values()) - column.counts[None]
        if not left or (self.sets_aside and 2 * rows < known):
            return None
        if column.target == _COUNTRY:
            return (
                f"{place}: column {column.source!r} says {shown(left)}, and locale {self.priors.locale} is of "
                f"{self.priors.country}: it is a dataset of another country; set locale to that country's"
            )
        region = column.target == self.priors.roles.get("region") and rows == known
        hint = (
            f"none is of {self.priors.locale}: is it a dataset of another country, whose locale to set? Else "
            if region
            else ""
        )
        if column.target == self.priors.roles.get("age") and all(map(self._is_year, left)):
            hint = f"if they are years of birth: input.columns: {{{column.source}: {BIRTH_YEAR}}}; else "
        return (
            f"{place}: column {column.source!r}: {count(len(left), 'value')} in {count(rows, 'row')} "
            f"mean{'s' if len(left) == 1 else ''} nothing known as {column.target}: {shown(left)}; "
            f"{hint}say what they mean under input.values.{column.target} (null: not known; {OTHERS!r}: all others), "
            f"as --plan shows, or leave the column out: input.columns: {{{column.source}: null}}"
        )


def _listed(names: Iterable[str], like: str) -> str:
    """List names to choose from, those similar to `like` first."""
    known = list(names)
    near = difflib.get_close_matches(like, known, n=3)
    rest = [name for name in known if name not in near]
    some = [*near, *rest][:_MOST_NAMED]
    return ", ".join(some) + (", …" if len(known) > len(some) else "")
