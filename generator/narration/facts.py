"""Facts: what the prompts may say about one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from census_personas.census_priors.occupations import PHRASES, WITHOUT_WORK, Occupation
from census_personas.foundation.traits import TRAITS
from census_personas.generator.narration.nearby_towns import NearbyTowns
from census_personas.generator.offline.article import article
from census_personas.generator.offline.title import occupation_words
from census_personas.prompts.template import PromptSet

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

_LABELLED = ("ethnicity", "marital_status", "education_level", "bachelors_field", "labor_force_status")
# Columns beyond the core, told to the model when the priors have them, with the name that it reads.
_BACKGROUND = {
    "nativity": "Citizenship",
    "language_at_home": "Language at home",
    "household_type": "Household",
    "veteran_status": "Military service",
    "disability_status": "Disability",
    "income_band": "Income",
    "industry": "Industry",
    "class_of_worker": "Employer",
    "commute_mode": "Way to work",
    "urbanicity": "Surroundings",
}
# What somebody is not: a model that is told so writes about it.
_SILENT = frozenset({"", "none", "never_served", "without_disability"})
_LABELS = {name: f"{name}_label" for name in TRAITS}
_DRAWS = 128
_Choice = TypeVar("_Choice")


class FactSheet:
    """Facts of rows under one locale and one prompt set."""

    def __init__(self, priors: Priors, prompts: PromptSet) -> None:
        """Look up the wording once.

        Raises:
            TemplateError: the prompt set has no pronouns for one of the locale's sexes.
        """
        self._priors = priors
        self._angles = {name: angles for name, angles in prompts.angles.items() if angles}
        self._narratives = len(prompts.templates["personas"].fields)
        self._neighbourhood = NearbyTowns(priors.places)
        self._words: Callable[..., Any] = cache(prompts.words)
        self._wording: Mapping[str, Mapping[str, str]] = prompts.wording["wording"].get("labels") or {}
        if "sex" in priors.domain:
            for sex in priors.domain["sex"]:
                self._words("wording", "pronouns", sex)
        self._label = cache(self._labelled)
        self._trait = cache(self._described)
        self._told = cache(self._worded)
        self._stage = cache(self._staged)

    def of(self, record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """The record with words for its codes, its traits described, and grounding drawn from the row's stream.

        `rng` decides the grounding alone: which tasks and tools of the occupation, which towns nearby, which
        habits, which angle and form for each narrative.

        Raises:
            TemplateError: when the prompt set lacks wording that the record needs.
        """
        priors, label = self._priors, self._label
        title = occupation_title(record, priors)
        return {
            **record,
            "labels": {name: label(name, record[name]) for name in _LABELLED if name in record},
            "occupation_title": title,
            "work": self._work(
                record, occupation_words({**record, "occupation_title": title}, record["sex"].lower())
            ),
            "state_name": priors.places.state_name(record["state"]),
            "pronouns": self._words("wording", "pronouns", record["sex"]),
            "traits": [self._trait(name, record[label], record[name]) for name, label in _LABELS.items()],
            "background": [
                self._told(column, state)
                for column in _BACKGROUND
                if (state := record.get(column)) is not None and state not in _SILENT
            ],
            "grounding": self._grounding(record, rng),
        }

    def _work(self, record: Mapping[str, Any], title: str) -> str:
        status = record["labor_force_status"]
        words = self._words("wording", "work")
        if status == "not_in_workforce" and record["age"] >= words["retired_from"]:
            return str(words["not_in_workforce_older"])
        if status != "employed" or not title:
            return f"{words[status]} ({title})" if title else str(words[status])
        return f"{words[status]} {article(title)} {title}"

    def _labelled(self, attribute: str, state: str) -> str:
        """A state in the words of the prompt set, or of the priors where the set has none."""
        own = self._wording.get(attribute, {}).get(state)
        return self._priors.label(attribute, state) if own is None else str(own)

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
        return {"name": _BACKGROUND[column], "value": self._label(column, state) if known else str(state)}

    def _staged(self, age: int, birth_year: int) -> tuple[Sequence[str], str]:
        stages = self._words("wording", "life_stages")
        stage = next((stage for stage in stages if age <= stage["to"]), stages[-1])
        decade = (birth_year + 15) // 10 * 10
        return stage["texts"], str(self._words("wording", "times")).replace("{decade}", str(decade))

    def _grounding(self, record: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        words = self._words
        # One call for all that a row needs: numpy's own choice costs more than everything else here.
        draws = iter(rng.random(_DRAWS).tolist())
        occupation = self._priors.occupations.get(record["occupation"])
        stage, times = self._stage(record["age"], record["birth_year"])
        return {
            **_work_grounding(occupation, draws),
            "life_stage": _one(stage, draws),
            "times": times,
            "nearby": _some(self._neighbourhood.towns(record["zipcode"]), 2, draws),
            "facets": [_one(self._facets(name, record), draws) for name in _furthest(record)],
            "openings": _cycle(words("wording", "openings"), self._narratives, draws),
            "angles": {name: _one(angles, draws) for name, angles in self._angles.items()},
        }

    def _facets(self, name: str, record: Mapping[str, Any]) -> Sequence[str]:
        side = "high" if record[name] >= 50 else "low"
        return cast("Sequence[str]", self._words("personality", "facets", name, side))


def occupation_title(record: Mapping[str, Any], priors: Priors) -> str:
    """The occupation in words, such as 'registered nurse'; empty for those who have none."""
    name = record["occupation"]
    return "" if name in WITHOUT_WORK else priors.occupations.get(name).title


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
    # One habit for each of the two traits furthest from the mean: the others say little about the person.
    return sorted(TRAITS, key=lambda name: -abs(record[name] - 50))[:2]


def _one(choices: Sequence[str], draws: Iterator[float]) -> str:
    return choices[int(next(draws) * len(choices))]


def _some(choices: Sequence[_Choice], count: int, draws: Iterator[float]) -> list[_Choice]:
    pool = list(choices)
    return [pool.pop(int(next(draws) * len(pool))) for _ in range(min(count, len(pool)))]


def _cycle(choices: Sequence[str], count: int, draws: Iterator[float]) -> list[str]:
    order = _some(choices, len(choices), draws)
    return [order[i % len(order)] for i in range(count)]
