"""RuleContext: the priors in the form that rules need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.occupations import Occupation
from census_personas.census_priors.places import Place
from census_personas.validators.occupations.occupation_match import OccupationMatcher
from census_personas.validators.rarity import LiftTable, Rarity
from census_personas.validators.text.atlas import Atlas
from census_personas.validators.text.gazetteer import Gazetteer
from census_personas.validators.text.lexicon import lexicon_if_any
from census_personas.validators.text.prose import plain, words
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

NO_DEGREE = "no_degree"
"""Value of the public schema's field of study for people without a degree."""
_CALLED: Mapping[str, str] = MappingProxyType(
    {"region": "region", "subregion": "subregion", "municipality": "municipality", "postcode": "postcode"}
)
PROMPT_RUN = 8
"""Shortest run of words that shows that a text repeats its prompt."""
_KEPT = 4096  # records whose result from the model is cached


class FactModel(Protocol):
    """A fitted model of the population that judges many records at once."""

    @property
    def attributes(self) -> Sequence[str]:
        """The facts that the model reads."""
        ...

    def oddities(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Rarity]]:
        """Return, for each record, fact -> its rarity given all other facts of the record."""
        ...


class RuleContext:
    """Places, occupations and probabilities for rules, read on first use.

    Args:
        priors: the locale's tables and look-ups.
        model: the fitted model, if there is one. Without it rules use the tables, two or three facts at a time.
        language: language of the texts (ISO 639). Default: the locale's.
        prompts: the text that the prompts of all records have in common; empty if unknown.
    """

    def __init__(
        self,
        priors: Priors,
        model: FactModel | None = None,
        language: str | None = None,
        prompts: Sequence[str] = (),
    ) -> None:
        """Wrap loaded priors."""
        self.prompts = tuple(prompts)
        self.priors = priors
        self.language = language or priors.conventions.language
        self.roles: Mapping[str, str] = priors.roles.columns
        self.name_recipe = priors.conventions.names.recipe
        self._model = model
        self._judged: dict[tuple[str, ...], Mapping[str, Rarity]] = {}
        self._lifts: dict[tuple[str, ...], LiftTable | None] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._cities: dict[str, frozenset[str]] = {}

    @cached_property
    def prompt_runs(self) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """All runs of `PROMPT_RUN` words in the prompts, and the first two words of each."""
        runs = set()
        for tokens in map(words, map(plain, self.prompts)):
            runs |= {
                tuple(tokens[at : at + PROMPT_RUN]) for at in range(max(0, len(tokens) - PROMPT_RUN + 1))
            }
        return frozenset(map(" ".join, runs)), frozenset((run[0], run[1]) for run in runs)

    def expect(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Let the model, if there is one, judge records that are about to be checked; together they cost less."""
        if self._model is not None:
            if len(self._judged) + len(records) > _KEPT:
                self._judged.clear()
            new = {key: record for record in records if (key := self._facts(record)) not in self._judged}
            self._judged |= zip(new, self._model.oddities(list(new.values())), strict=True) if new else ()

    def judged(self, record: Mapping[str, Any]) -> Mapping[str, Rarity] | None:
        """Return fact -> its rarity given all other facts, by the fitted model; None without a model."""
        if self._model is None:
            return None
        key = self._facts(record)
        if key not in self._judged:
            self.expect([record])
        return self._judged[key]

    def _facts(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(record.get(name)) for name in self._model.attributes) if self._model else ()

    def read(self, record: Mapping[str, Any]) -> RecordView:
        """Return the record's view under the locale's roles; the record itself if it is such a view."""
        return RecordView.under(self.roles, record, self.name_recipe)

    def column_of(self, role: str) -> str:
        """Return the column of a role; a role that the locale does not fill is its own column name."""
        return self.roles.get(role, role)

    @property
    def lookups(self) -> tuple[str, ...]:
        """The look-ups of the locale: names, occupations, places."""
        return self.priors.declaration.lookups

    @property
    def adult_age(self) -> int:
        """The age from which the locale counts people as adults."""
        return self.priors.conventions.adult

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Levels of schooling, from the lowest; empty where the locale does not order them."""
        return self.priors.conventions.schooling.ladder

    @cached_property
    def degrees(self) -> frozenset[str]:
        """Levels of schooling that are degrees and have a field."""
        return frozenset(self.priors.conventions.schooling.degrees)

    @property
    def employed(self) -> str | None:
        """The state of `work` for people with a job."""
        return self.priors.conventions.work.employed

    @property
    def outside(self) -> str | None:
        """The state of `work` for people outside the labour force."""
        return self.priors.conventions.work.inactive

    @cached_property
    def without_work(self) -> frozenset[str]:
        """States of `occupation` that stand for no occupation."""
        return frozenset(self.priors.conventions.without_occupation)

    @cached_property
    def outside_occupations(self) -> frozenset[str]:
        """States of `occupation` for people outside the labour force."""
        without = self.priors.conventions.without_occupation
        return frozenset(state for state, convention in without.items() if convention.work == self.outside)

    def gender(self, sex: str | None) -> str | None:
        """Return the grammatical gender of a state of `sex`: feminine, masculine or neuter; None if not declared."""
        return self.priors.conventions.gender.get(sex) if sex is not None else None

    @cached_property
    def single(self) -> str | None:
        """The commonest marital status at the youngest age; None if no table has both attributes."""
        marital, age = self.roles.get("marital", ""), self.roles.get("age", "")
        try:
            table = self.priors.marginal((age, marital))
        except (DomainError, TableError):
            return None
        return str(table.domain[marital][int(table.weights[0].argmax())])

    def states(self, attribute: str) -> frozenset[Any] | None:
        """Return the states of an attribute; None if the locale does not declare it."""
        return self._states.get(attribute)

    @cached_property
    def _states(self) -> dict[str, frozenset[Any]]:
        domain = self.priors.domain
        return {attribute: frozenset(domain[attribute]) for attribute in domain}

    def label(self, attribute: str, state: str) -> str:
        """Return the label of a state, as prompts use it."""
        known = self._labels.get((attribute, state))
        if known is None:
            try:
                known = self._labels[attribute, state] = self.priors.label(attribute, state)
            except DomainError:  # not cached: a file may have another unknown value in every row
                return state.replace("_", " ")
        return known

    def with_views(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with the coarser attributes (age band, origin group) that follow from its facts."""
        facts: dict[str, Any] = dict(record)
        for attribute, (finer, view) in self._views.items():
            if attribute in facts:
                continue
            value = facts.get(finer)
            if isinstance(value, int) and not isinstance(value, bool):
                value = min(value, self._oldest)
            if isinstance(value, str | int) and value in view:
                facts[attribute] = view[value]
        return facts

    @cached_property
    def _oldest(self) -> int:
        ages = self._states.get(self.column_of("age"), ())
        return max((age for age in ages if isinstance(age, int)), default=0)

    @cached_property
    def _views(self) -> dict[str, tuple[str, dict[Any, Any]]]:
        hierarchy = self.priors.hierarchy
        domain = self.priors.domain
        return {
            coarse: (
                fine,
                {domain[fine][i]: domain[coarse][code] for i, code in enumerate(hierarchy.maps[coarse])},
            )
            for coarse, fine in hierarchy.finer.items()
        }

    def place(self, postcode: str) -> Place | None:
        """Return the place of a postcode; None if there is none."""
        places = self.priors.places
        return places.get(postcode) if postcode in places else None

    @cached_property
    def postcode_digits(self) -> int:
        """Number of digits of postcodes; 0 if the locale has none, or if lengths differ or letters occur."""
        if "places" not in self.priors.declaration.lookups:
            return 0
        codes = self.priors.places.postcodes
        lengths = {len(code) for code in codes if code.isdigit()}
        return lengths.pop() if len(lengths) == 1 and all(map(str.isdigit, codes)) else 0

    @cached_property
    def place_words(self) -> Mapping[str, str]:
        """Words for a region, a subregion, a municipality and a postcode in messages."""
        return {**_CALLED, **lexicon_if_any("places", self.language).get("called", {})}

    def state_name(self, code: str) -> str | None:
        """Return the full name of a region; None for an unknown code."""
        return self.priors.places.region_name(code) if code in self.state_codes else None

    @cached_property
    def state_codes(self) -> frozenset[str]:
        """Codes of all regions that have postcodes."""
        return frozenset(self.priors.places.regions)

    def state_at_start(self, text: str) -> str | None:
        """Return the code of the region whose name begins the text; None if there is none."""
        match = self._region_pattern.match(text)
        return self._region_names[match.group()] if match else None

    @cached_property
    def _region_names(self) -> dict[str, str]:
        return {self.priors.places.region_name(code): code for code in sorted(self.state_codes)}

    @cached_property
    def _region_pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self._region_names, key=len, reverse=True))))

    def city_keys(self, state: str, key: Callable[[str], str]) -> frozenset[str]:
        """Return the municipalities of a region, each as `key` spells it."""
        if state not in self._cities:
            self._cities[state] = frozenset(key(city) for city in self.priors.places.municipalities(state))
        return self._cities[state]

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Places by name."""
        places = self.priors.places
        columns = (places.column(name) for name in ("municipality", "subregion", "region", "adults"))
        names = {code: places.region_name(code) for code in places.regions}
        return Gazetteer(zip(*columns, strict=True), names, lexicon_if_any("places", self.language))

    @cached_property
    def atlas(self) -> Atlas:
        """Places by name, with coordinates."""
        places, words = self.priors.places, lexicon_if_any("distance", self.language)
        columns = (
            places.column(name)
            for name in ("municipality", "subregion", "region", "adults", "latitude", "longitude")
        )
        names = {code: places.region_name(code) for code in places.regions}
        return Atlas(
            zip(*columns, strict=True),
            names,
            words.get("landmarks", {}),
            words.get("known", ()),
            words.get("other_things", ()),
        )

    def occupation(self, name: str) -> Occupation | None:
        """Return an occupation by name; None if the locale does not have it."""
        return self.priors.occupations.get(name) if name in self.priors.occupations else None

    @cached_property
    def occupations(self) -> OccupationMatcher:
        """The matcher of texts with occupations."""
        return OccupationMatcher(self.priors.occupations)

    def oddity(self, child: str, parents: Sequence[str], record: Mapping[str, Any]) -> Rarity | None:
        """Return the rarity of the record's `child` given its `parents`, by their census table.

        None if the record or the locale lacks one of them.
        """
        key = (child, *parents)
        if key not in self._lifts:
            self._lifts[key] = self._lift(child, parents)
        table = self._lifts[key]
        return None if table is None else table.oddity(record)

    def _lift(self, child: str, parents: Sequence[str]) -> LiftTable | None:
        try:
            return LiftTable(self.priors.marginal((*parents, child)), child, parents)
        except (DomainError, TableError):
            return None
