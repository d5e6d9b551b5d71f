"""RecordView: one record with its text normalised once for all rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from census_personas.census_priors.roles import NAME_RECIPE, full_name
from census_personas.foundation.schema import LISTS, NARRATIVES, PROSE
from census_personas.validators.text.list_literal import as_list
from census_personas.validators.text.person_name import ARTICLES, LEADING_NAME, PAIR, PUBLIC_ROLES, PersonName
from census_personas.validators.text.prose import letters, numbers, plain, plain_each

_T = TypeVar("_T")
_OF_WHOLE = ("tokens", "vocabulary", "words")


class _Once(Generic[_T]):
    """A cached property. That of the standard library takes a lock at each first access (until Python 3.12)."""

    def __init__(self, find: Callable[[Any], _T]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, reading: Any, owner: type | None = None) -> _T:
        found = reading.__dict__[self._name] = self._find(reading)
        return found


class RecordView(Mapping[str, Any]):
    """A record as a mapping, with normalised forms of its text.

    `prose` holds the text fields that are present and not empty, as plain ASCII (see `plain`); the mapping
    itself keeps the original characters.
    """

    def __init__(
        self,
        record: Mapping[str, Any],
        roles: Mapping[str, str] = PUBLIC_ROLES,
        recipe: Sequence[str] = NAME_RECIPE,
    ) -> None:
        """Wrap a record, or the record of another view.

        `roles` maps roles to columns; a role that it lacks is its own column name. `recipe` lists the roles that make a
        full name, in order.
        """
        self.record: Mapping[str, Any] = record.record if isinstance(record, RecordView) else record
        self.roles = roles
        self.recipe = recipe
        self.given: Mapping[str, Any] = {}
        self.beside: dict[str, Any] = {}  # rule -> what it prepared for many views at once
        self._kept: dict[tuple[str, ...], dict[Any, Any]] | None = None  # fields -> function -> its result

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> RecordView:
        """Return a view of the record; the record itself if it is a view, so that all rules share one."""
        return record if isinstance(record, RecordView) else cls(record)

    @classmethod
    def under(
        cls, roles: Mapping[str, str], record: Mapping[str, Any], recipe: Sequence[str] = NAME_RECIPE
    ) -> RecordView:
        """Return a view under a locale's roles; the record itself if it is such a view."""
        if isinstance(record, RecordView) and record.roles is roles:
            return record
        return cls(record, roles, recipe)

    def __getitem__(self, field: str) -> Any:
        """Return the record's value, unchanged."""
        return self.record[field]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the record's fields."""
        return iter(self.record)

    def __len__(self) -> int:
        """Return the number of fields."""
        return len(self.record)

    def __contains__(self, field: object) -> bool:
        """Return whether the record has the field."""
        return field in self.record

    def get(self, field: str, default: Any = None) -> Any:
        """Return the record's value, unchanged, or the default."""
        return self.record.get(field, default)

    def only(self, fields: Iterable[str]) -> RecordView:
        """Return a view of the facts with only these text fields and lists; normalised text is reused."""
        kept = frozenset(fields)
        rest = dict(self.record)
        for field in (*PROSE, *LISTS):
            if field in self.record and field not in kept:
                del rest[field]
        part = RecordView(rest, self.roles, self.recipe)
        part.__dict__["prose"] = {field: text for field, text in self.prose.items() if field in kept}
        # Words stay those of the whole record: rules use them by field, or only to decide whether to search.
        part.__dict__ |= {known: self.__dict__[known] for known in _OF_WHOLE if known in self.__dict__}
        return part

    @classmethod
    def following(
        cls,
        record: Mapping[str, Any],
        earlier: RecordView | None,
        roles: Mapping[str, str] = PUBLIC_ROLES,
        recipe: Sequence[str] = NAME_RECIPE,
    ) -> RecordView:
        """Return a view of a record with the same facts as an earlier one; results for unchanged texts are reused."""
        later = cls(record, roles, recipe)
        given = later.record
        later.given = {
            field: tuple(value) if isinstance(value, list) else value
            for field in (*PROSE, *LISTS)
            if (value := given.get(field)) is not None
        }
        later._kept = {}
        if earlier is not None:
            later._inherit(earlier)
        return later

    def _inherit(self, earlier: RecordView) -> None:
        new = {field for field, value in self.given.items() if earlier.given.get(field) != value}
        changed = new.union(earlier.given.keys() - self.given.keys())
        self._kept = {
            fields: found for fields, found in (earlier._kept or {}).items() if changed.isdisjoint(fields)
        }
        known, before = self.__dict__, earlier.__dict__
        if "age" in before:
            known["age"] = before["age"]
        if (name := before.get("name")) is not None and name.stated:
            known["name"] = name
        if not earlier._texts:
            return
        texts = self._texts
        fresh = {field: text for field, text in texts.items() if field in new}
        plainly = dict(zip(fresh, plain_each(list(fresh.values())), strict=True)) if fresh else {}
        tokens = _tokens(plainly)
        vocabulary = {field: frozenset(found) for field, found in tokens.items()}
        if changed.isdisjoint(earlier._texts):
            known["words"] = earlier.words.union(*vocabulary.values())
        for part, own, others in (
            ("prose", plainly, earlier.prose),
            ("tokens", tokens, earlier.tokens),
            ("vocabulary", vocabulary, earlier.vocabulary),
        ):
            known[part] = {field: own[field] if field in own else others[field] for field in texts}

    def once(self, find: Callable[..., _T], *fields: str, **beside: Any) -> _T:
        """Return `find(self, *fields, **beside)`, cached until one of the fields changes in a following view."""
        if self._kept is None:
            return find(self, *fields, **beside)
        known = self._kept.setdefault(fields, {})
        if find not in known:
            known[find] = find(self, *fields, **beside)
        return cast("_T", known[find])

    def fact(self, field: str) -> str | None:
        """Return a fact as a string; None if it is missing or empty."""
        value = self.record.get(field)
        if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN is the value unequal to itself
            return None
        return str(value)

    def column_of(self, role: str) -> str:
        """Return the column of a role; a role without one is its own column name."""
        return self.roles.get(role, role)

    def fact_of(self, role: str) -> str | None:
        """Return the fact of a role (`region`, `schooling`, …) as a string; None if it is missing or empty."""
        return self.fact(self.roles.get(role, role))

    @_Once
    def age(self) -> int | None:
        """The age as a whole number; None if it is missing or no number."""
        value = self.record.get(self.column_of("age"))
        try:
            return int(value) if value is not None and not isinstance(value, bool) else None
        except (TypeError, ValueError, OverflowError):
            return None

    @_Once
    def prose(self) -> dict[str, str]:
        """Text fields that are present and not empty, as plain ASCII."""
        texts = self._texts
        return dict(zip(texts, plain_each(list(texts.values())), strict=True)) if texts else {}

    @_Once
    def _texts(self) -> dict[str, str]:
        record = self.record
        return {
            field: text
            for field in PROSE
            if isinstance(text := record.get(field), str) and text and not text.isspace()
        }

    @_Once
    def narratives(self) -> dict[str, str]:
        """The six personas among `prose`."""
        prose = self.prose
        return {field: prose[field] for field in NARRATIVES if field in prose}

    @_Once
    def text(self) -> str:
        """All prose, one field a line."""
        return "\n".join(self.prose.values())

    @_Once
    def lower(self) -> str:
        """`text` in lower case."""
        return self.text.lower()

    @_Once
    def lowered(self) -> dict[str, str]:
        """`prose` in lower case."""
        return dict(zip(self.prose, self.lower.split("\n"), strict=True)) if self.prose else {}

    @_Once
    def tokens(self) -> dict[str, list[str]]:
        """Field -> lower-case words of its prose in order; hyphenated words are split."""
        return _tokens(self.prose)

    @_Once
    def vocabulary(self) -> dict[str, frozenset[str]]:
        """Field -> distinct words of its prose."""
        return {field: frozenset(tokens) for field, tokens in self.tokens.items()}

    @_Once
    def words(self) -> frozenset[str]:
        """Distinct words of all prose."""
        return frozenset().union(*self.vocabulary.values())

    @_Once
    def numbers(self) -> list[str]:
        """Runs of digits in all prose."""
        return numbers(self.text)

    def list_of(self, field: str) -> list[str] | None:
        """Return a list column as strings, from a list, an array or the literal of a Python list."""
        return self._lists[field]

    @_Once
    def listed(self) -> dict[str, str]:
        """List column -> its items in one line, for columns with items."""
        return {field: "; ".join(items) for field, items in self._lists.items() if items}

    @_Once
    def _lists(self) -> dict[str, list[str] | None]:
        return {field: as_list(self.record.get(field)) for field in LISTS}

    @_Once
    def name(self) -> PersonName | None:
        """The person's name from the facts; without one there, the name that most narratives begin with."""
        first, last = self.fact_of("given_name"), self.fact_of("family_name")
        if first and last:
            full = plain(full_name(self.recipe, self.fact_of))
            return PersonName(plain(first), plain(last), full, stated=True)
        leading, home = list(self.leading_names.values()), plain(self.fact_of("municipality") or "")
        written = (
            self._majority(name for name in leading if " " in name)
            or self._majority(pair for pair in self.capitalised_pairs if pair not in home)
            or self._majority(name for name in leading if name not in ARTICLES)
        )
        if written is None:
            return None
        first, _, last = written.partition(" ")
        if last and self.recipe[0] == "family_name":
            first, last = last, first
        return PersonName(first, last, written, stated=False)

    def _majority(self, names: Iterable[str]) -> str | None:
        """Return the name that more than half of the narratives have; None if there is none."""
        votes = Counter(names).most_common(1)
        return votes[0][0] if votes and votes[0][1] * 2 > len(self.narratives) else None

    @property
    def capitalised_pairs(self) -> Iterator[str]:
        """Pairs of consecutive capitalised words, each once for each narrative that has it."""
        for text in self.narratives.values():
            yield from dict.fromkeys(PAIR.findall(text))

    @_Once
    def leading_names(self) -> dict[str, str]:
        """Narrative -> the capitalised words that it begins with, without a possessive."""
        matches = {field: LEADING_NAME.match(text) for field, text in self.narratives.items()}
        return {
            field: match.group().removesuffix("'s").strip("'") for field, match in matches.items() if match
        }


def _tokens(prose: Mapping[str, str]) -> dict[str, list[str]]:
    texts = letters("\n".join(prose.values())).split("\n") if prose else ()
    return {field: text.split() for field, text in zip(prose, texts, strict=True)}
