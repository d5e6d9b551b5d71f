"""Rule context: what the census says, in the form in which rules ask for it."""

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
"""What the public schema writes for the field of people without a degree."""
_CALLED: Mapping[str, str] = MappingProxyType(
    {"region": "region", "subregion": "subregion", "municipality": "municipality", "postcode": "postcode"}
)
PROMPT_RUN = 8
"""Words in a row that a text has in common with its prompt only if it repeats it."""
_KEPT = 4096  # records whose judgement by the model is kept


class FactModel(Protocol):
    """A fitted model of the population, which is asked about many records at once."""

    @property
    def attributes(self) -> Sequence[str]:
        """The facts that it looks at."""
        ...

    def oddities(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Rarity]]:
        """For each record, how odd each fact that it judges is, given all the record's other facts."""
        ...


class RuleContext:
    """Priors as rules ask for them: places, occupations, probabilities. Everything is read on first use.

    Args:
        priors: the locale's tables and look-ups.
        model: the model fitted to them, if there is one; without it rules ask the tables, two or three facts at a
            time.
        language: of the texts (ISO 639); the locale's if left out.
        prompts: what the prompts that the texts were asked for with say to everybody; nothing where that is not known.
    """

    def __init__(
        self,
        priors: Priors,
        model: FactModel | None = None,
        language: str | None = None,
        prompts: Sequence[str] = (),
    ) -> None:
        """Wrap loaded priors; nothing is read until a rule asks."""
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
        """All runs of `PROMPT_RUN` words of the prompts, and the first two words of each."""
        found = set()
        for tokens in map(words, map(plain, self.prompts)):
            found |= {
                tuple(tokens[at : at + PROMPT_RUN]) for at in range(max(0, len(tokens) - PROMPT_RUN + 1))
            }
        return frozenset(map(" ".join, found)), frozenset((run[0], run[1]) for run in found)

    def expect(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Ask the model, if there is one, about records that are about to be judged; one by one it is slower."""
        if self._model is not None:
            if len(self._judged) + len(records) > _KEPT:
                self._judged.clear()
            new = {key: record for record in records if (key := self._facts(record)) not in self._judged}
            self._judged |= zip(new, self._model.oddities(list(new.values())), strict=True) if new else ()

    def judged(self, record: Mapping[str, Any]) -> Mapping[str, Rarity] | None:
        """How odd the record's facts are, each given all others, by the fitted model; None without a model."""
        if self._model is None:
            return None
        key = self._facts(record)
        if key not in self._judged:
            self.expect([record])
        return self._judged[key]

    def _facts(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(record.get(name)) for name in self._model.attributes) if self._model else ()

    def read(self, record: Mapping[str, Any]) -> RecordView:
        """The record as rules read it, under the locale's roles: itself if it is such a reading already."""
        return RecordView.under(self.roles, record, self.name_recipe)

    def column_of(self, role: str) -> str:
        """The column that plays a role: the one that the locale names, else the one of the role's own name."""
        return self.roles.get(role, role)

    @property
    def lookups(self) -> tuple[str, ...]:
        """The look-ups that the locale has: names, occupations, places."""
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
        """The state of work of people who have a job."""
        return self.priors.conventions.work.employed

    @property
    def outside(self) -> str | None:
        """The state of work of people who have no job and look for none."""
        return self.priors.conventions.work.inactive

    @cached_property
    def without_work(self) -> frozenset[str]:
        """States of the occupation that are none."""
        return frozenset(self.priors.conventions.without_occupation)

    @cached_property
    def outside_occupations(self) -> frozenset[str]:
        """Those states of the occupation that go with looking for no job."""
        none = self.priors.conventions.without_occupation
        return frozenset(state for state, said in none.items() if said.work == self.outside)

    def gender(self, sex: str | None) -> str | None:
        """Grammatical gender of a state of `sex`: feminine, masculine or neuter; None where the locale says none."""
        return self.priors.conventions.gender.get(sex) if sex is not None else None

    @cached_property
    def single(self) -> str | None:
        """The marital status of nearly everybody at the youngest age, or None where no table has both."""
        marital, age = self.roles.get("marital", ""), self.roles.get("age", "")
        try:
            table = self.priors.marginal((age, marital))
        except (DomainError, TableError):
            return None
        return str(table.domain[marital][int(table.weights[0].argmax())])

    def states(self, attribute: str) -> frozenset[Any] | None:
        """Values that an attribute can take, or None if the locale does not declare it."""
        return self._states.get(attribute)

    @cached_property
    def _states(self) -> dict[str, frozenset[Any]]:
        domain = self.priors.domain
        return {attribute: frozenset(domain[attribute]) for attribute in domain}

    def label(self, attribute: str, state: str) -> str:
        """Words for a coded value, as prompts use them."""
        known = self._labels.get((attribute, state))
        if known is None:
            try:
                known = self._labels[attribute, state] = self.priors.label(attribute, state)
            except DomainError:  # not kept: a file may have another one in every row
                return state.replace("_", " ")
        return known

    def with_views(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record's coded facts, and the coarser attributes (an age band, an origin group) that follow from them."""
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
        """The place of a postcode, or None if there is none."""
        places = self.priors.places
        return places.get(postcode) if postcode in places else None

    @cached_property
    def postcode_digits(self) -> int:
        """Digits of every postcode; 0 where the locale has none, or some with letters or of other lengths."""
        if "places" not in self.priors.declaration.lookups:
            return 0
        codes = self.priors.places.postcodes
        lengths = {len(code) for code in codes if code.isdigit()}
        return lengths.pop() if len(lengths) == 1 and all(map(str.isdigit, codes)) else 0

    @cached_property
    def place_words(self) -> Mapping[str, str]:
        """What a region, a subregion, a municipality and a postcode are called in messages."""
        return {**_CALLED, **lexicon_if_any("places", self.language).get("called", {})}

    def state_name(self, code: str) -> str | None:
        """Full name of a state, or None for an unknown code."""
        return self.priors.places.region_name(code) if code in self.state_codes else None

    @cached_property
    def state_codes(self) -> frozenset[str]:
        """Codes of all regions that have postcodes."""
        return frozenset(self.priors.places.regions)

    def state_at_start(self, text: str) -> str | None:
        """Code of the state whose name a text begins with, or None."""
        match = self._region_pattern.match(text)
        return self._region_names[match.group()] if match else None

    @cached_property
    def _region_names(self) -> dict[str, str]:
        return {self.priors.places.region_name(code): code for code in sorted(self.state_codes)}

    @cached_property
    def _region_pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self._region_names, key=len, reverse=True))))

    def city_keys(self, state: str, key: Callable[[str], str]) -> frozenset[str]:
        """Cities of a state, each as `key` writes it."""
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
        """Places by name, with where they lie."""
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
        """An occupation by name, or None if the locale does not have it."""
        return self.priors.occupations.get(name) if name in self.priors.occupations else None

    @cached_property
    def occupations(self) -> OccupationMatcher:
        """What texts say of each occupation."""
        return OccupationMatcher(self.priors.occupations)

    def oddity(self, child: str, parents: Sequence[str], record: Mapping[str, Any]) -> Rarity | None:
        """How odd the record's value of `child` is given its `parents`, by the census table that has them.

        None where the record or the locale lacks one of them.
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
