"""Facts: the values that prompts may use about one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from census_personas.census_priors.occupations import PHRASES, Occupation
from census_personas.census_priors.roles import full_name
from census_personas.foundation.traits import TRAITS
from census_personas.generator.narration.nearby_towns import NearbyTowns
from census_personas.generator.offline.article import article
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.prompts.template import PromptSet, TemplateError

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

_LABELLED = ("sex", "origin", "marital", "schooling", "field", "work")
_LABELS = {name: f"{name}_label" for name in TRAITS}
_DRAWS = 128
_Choice = TypeVar("_Choice")


class FactSheet:
    """Facts of rows under one locale and one prompt set."""

    def __init__(
        self, priors: Priors, prompts: PromptSet, language: str | None = None, *, grounded: bool = True
    ) -> None:
        """Look up the wording once, in `language`: a language of the locale.

        By default, it is the prompt set's language, or that of `priors.yaml`. Without `grounded`, nothing of the
        look-ups of occupations and places is suggested.

        Raises:
            RoleError: the locale does not fill one of the roles that every text needs.
            TemplateError: neither the prompt set nor the locale has pronouns for one of the locale's sexes.
        """
        conventions, roles = priors.conventions, priors.roles
        self._priors = priors
        self._grounded = grounded
        self._renamed = prompts.declared.renamed(roles)
        self._unfilled = prompts.declared.unfilled(roles)
        self._language = language or prompts.declared.language or conventions.language
        self._age, self._sex, self._work_role = (roles[role] for role in ("age", "sex", "work"))
        self._labelled = roles.named(_LABELLED)
        self._given_name = roles.get("given_name")
        self._name_parts = roles.named(conventions.names.recipe)
        self._background = roles.named(conventions.background)
        self._unsaid = {roles[role]: frozenset(states) for role, states in conventions.unsaid.items()}
        self._angles = {name: angles for name, angles in prompts.angles.items() if angles}
        self._narratives = len(prompts.templates["personas"].fields)
        locates = "places" in priors.declaration.lookups and priors.places.has_coordinates
        self._neighbourhood = NearbyTowns(priors.places) if locates else None
        self._words: Callable[..., Any] = cache(prompts.words)
        self._wording: Mapping[str, Mapping[str, str]] = prompts.wording["wording"].get("labels") or {}
        self._guide = PortraitGuide.beside(prompts.folder)
        self._refuse_wordless(conventions.work.inactive)
        self._pronouns = {sex: self._pronouns_of(str(sex)) for sex in priors.domain[self._sex]}
        self._label = cache(self._worded_label)
        self._trait = cache(self._described)
        self._background_item = cache(self._worded)
        self._stage = cache(self._staged)

    def column(self, role: str) -> str:
        """Return the column of a role, which the locale must fill."""
        return self._priors.roles[role]

    def name_of(self, record: Mapping[str, Any]) -> tuple[str, str]:
        """Return the given name and the rest of the full name; both empty if full names do not begin with it."""
        first, *rest = self._name_parts or (None,)
        if first is None or first != self._given_name:
            return "", ""
        return str(record.get(first) or ""), full_name(rest, record.get)

    def of(self, record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Return the record with words for its codes, descriptions of its traits, and grounding from the row's stream.

        `rng` decides only the grounding: tasks and tools of the occupation, nearby towns, habits, and the angle and
        form of each narrative.

        Raises:
            TemplateError: the prompt set lacks wording that the record needs.
        """
        priors, label = self._priors, self._label
        title = occupation_title(record, priors, self._language)
        labels = {name: label(name, record[name]) for name in self._labelled if name in record}
        return {
            **record,
            **self._unfilled,
            **self._by_name(record),
            "full_name": full_name(self._name_parts, record.get),
            "labels": {**labels, **self._by_name(labels)},
            "occupation_title": title,
            "work": self._work(record, self._spoken(record, title)),
            "state_name": self._region(record),
            "pronouns": self._pronouns[record[self._sex]],
            "traits": [self._trait(name, record[label], record[name]) for name, label in _LABELS.items()],
            "background": [
                self._background_item(column, state)
                for column in self._background
                if (state := record.get(column)) not in {None, "", *self._unsaid.get(column, ())}
            ],
            "grounding": self._grounding(record, rng),
        }

    def _refuse_wordless(self, inactive: str | None) -> None:
        """Refuse a prompt set that has no words for a state of work."""
        words = self._words("wording", "work")
        states = [str(state) for state in self._priors.domain[self._work_role]]
        for state in (*states, *([f"{inactive}_older"] if inactive else [])):
            if state not in words:
                self._words("wording", "work", state)

    def _by_name(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return facts under the prompt set's names where they differ from the locale's."""
        return {name: facts[column] for name, column in self._renamed.items() if column in facts}

    def _work(self, record: Mapping[str, Any], title: str) -> str:
        status, work = record[self._work_role], self._priors.conventions.work
        words = self._words("wording", "work")
        if status == work.inactive and record[self._age] >= words["retired_from"]:
            return str(words[f"{status}_older"])
        if status != work.employed or not title:
            return f"{words[status]} ({title})" if title else str(words[status])
        return (
            f"{words[status]} {article(title)} {title}"
            if self._language == "en"
            else f"{words[status]} {title}"
        )

    def _pronouns_of(self, sex: str) -> Any:
        """Return the prompt set's pronouns for a sex, or else the locale's."""
        try:
            return self._words("wording", "pronouns", sex)
        except TemplateError:
            said = self._priors.conventions.pronouns.get(self._language, {})
            if sex not in said:
                raise
            return said[sex]

    def _region(self, record: Mapping[str, Any]) -> str:
        """Return the name of the region; empty if the locale has no regions."""
        region = self._priors.roles.get("region")
        return "" if region is None else self._priors.places.region_name(record[region])

    def _spoken(self, record: Mapping[str, Any], title: str) -> str:
        """Return the title for one person, as the set's grammar words it; unchanged without a grammar."""
        guide = self._guide
        return guide.spoken_titles.of(title, guide.tag_of(record[self._sex])) if guide and title else title

    def _worded_label(self, attribute: str, state: str) -> str:
        """Return a state's label from the prompt set, or else from the priors."""
        own = self._wording.get(attribute, {}).get(state)
        return self._priors.label(attribute, state, self._language) if own is None else str(own)

    def _described(self, name: str, label: str, score: int) -> Mapping[str, Any]:
        words = self._words
        return {
            "key": name,
            "name": words("personality", "names", name),
            "score": score,
            "label": words("personality", "labels", label),
            "description": words("personality", "descriptions", name, label),
        }

    def _worded(self, column: str, state: Any) -> Mapping[str, str]:
        known = column in self._priors.domain
        name = self._priors.name(column, self._language)
        return {"name": name, "value": self._label(column, state) if known else str(state)}

    def _staged(self, age: int, birth_year: int) -> tuple[Sequence[str], str]:
        stages = self._words("wording", "life_stages")
        stage = next((stage for stage in stages if age <= stage["to"]), stages[-1])
        decade = (birth_year + 15) // 10 * 10
        return stage["texts"], str(self._words("wording", "times")).replace("{decade}", str(decade))

    def _grounding(self, record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        words = self._words
        # One call for all draws of a row: numpy's choice costs more than everything else here.
        draws = iter(rng.random(_DRAWS).tolist())
        roles = self._priors.roles
        occupation = self._priors.occupation(record[roles["occupation"]], self._language)
        stage, times = self._stage(record[self._age], record["birth_year"])
        towns = self._neighbourhood.towns(record[roles["postcode"]]) if self._neighbourhood else ()
        # Drawn even if left out, so that the rest of the row is the same with and without.
        job = _work_grounding(occupation, draws)
        life_stage, nearby = _one(stage, draws), _some(towns, 2, draws)
        return {
            **(job if self._grounded else {name: [] for name in job}),
            "life_stage": life_stage,
            "times": times,
            "nearby": nearby if self._grounded else [],
            "facets": [_one(self._facets(name, record), draws) for name in _furthest(record)],
            "openings": _cycle(words("wording", "openings"), self._narratives, draws),
            "angles": {name: _one(angles, draws) for name, angles in self._angles.items()},
        }

    def _facets(self, name: str, record: Mapping[str, Any]) -> Sequence[str]:
        side = "high" if record[name] >= 50 else "low"
        return cast("Sequence[str]", self._words("personality", "facets", name, side))


def occupation_title(record: Mapping[str, Any], priors: Priors, language: str | None = None) -> str:
    """Return the occupation in words, such as 'registered nurse'; empty for people without one."""
    name = record[priors.roles["occupation"]]
    return "" if name in priors.conventions.without_occupation else priors.occupation(name, language).title


def _work_grounding(occupation: Occupation, draws: Iterator[float]) -> dict[str, list[Any]]:
    """Up to three tasks, tools and skills of the occupation, each with its phrases."""
    grounding: dict[str, list[Any]] = {}
    for kind, phrases in PHRASES.items():
        drawn = _some(range(len(getattr(occupation, kind))), 3, draws)
        for column in (kind, *phrases):
            values = getattr(occupation, column)
            grounding[column] = [values[place] for place in drawn]
    return grounding


def _furthest(record: Mapping[str, Any]) -> list[str]:
    # One habit for each of the two traits furthest from the mean; the others say little about the person.
    return sorted(TRAITS, key=lambda name: -abs(record[name] - 50))[:2]


def _one(choices: Sequence[str], draws: Iterator[float]) -> str:
    return choices[int(next(draws) * len(choices))]


def _some(choices: Sequence[_Choice], count: int, draws: Iterator[float]) -> list[_Choice]:
    pool = list(choices)
    return [pool.pop(int(next(draws) * len(pool))) for _ in range(min(count, len(pool)))]


def _cycle(choices: Sequence[str], count: int, draws: Iterator[float]) -> list[str]:
    order = _some(choices, len(choices), draws)
    return [order[i % len(order)] for i in range(count)]
