"""Facts: what the prompts may say about one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_engine.prompts.template import PromptSet

if TYPE_CHECKING:
    from persona_engine.census_priors.priors import Priors

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
_LABELLED = ("ethnicity", "marital_status", "education_level", "bachelors_field", "labor_force_status")
# Columns beyond the core, told to the model when the priors have them, with the name that it reads.
_BACKGROUND = {
    "nativity": "Nativity",
    "language_at_home": "Language at home",
    "household_type": "Household",
    "veteran_status": "Military service",
    "disability_status": "Disability",
    "income_band": "Income",
    "industry": "Industry",
    "class_of_worker": "Class of worker",
    "commute_mode": "Way to work",
    "urbanicity": "Surroundings",
}
_NO_OCCUPATION = frozenset({"not_in_workforce", "no_occupation"})


def facts(
    record: Mapping[str, Any], priors: Priors, prompts: PromptSet, rng: np.random.Generator
) -> dict[str, Any]:
    """The record with words for its codes, its traits described, and grounding drawn from the row's stream.

    `rng` decides the grounding alone: which tasks and tools of the occupation, which places nearby, which
    habits, which angle and form for each narrative. Every stream draws the same kinds of detail, so that
    the details of a row depend on the row and on nothing else.

    Raises:
        TemplateError: when the prompt set lacks wording that the record needs.
    """
    labels = {name: priors.label(name, record[name]) for name in _LABELLED}
    return {
        **record,
        "labels": labels,
        "occupation_title": occupation_title(record, priors),
        "work": _work(record, priors, prompts),
        "state_name": priors.places.state_name(record["state"]),
        "pronouns": prompts.words("wording", "pronouns", record["sex"]),
        "traits": [_trait(name, record, prompts) for name in TRAITS],
        "background": _background(record, priors),
        "grounding": _grounding(record, priors, prompts, rng),
    }


def occupation_title(record: Mapping[str, Any], priors: Priors) -> str:
    """The occupation in words, such as 'registered nurse'; empty for those who have none."""
    name = record["occupation"]
    return "" if name in _NO_OCCUPATION else priors.occupations.get(name).title


def _work(record: Mapping[str, Any], priors: Priors, prompts: PromptSet) -> str:
    status = record["labor_force_status"]
    words = prompts.words("wording", "work")
    title = occupation_title(record, priors)
    if status == "not_in_workforce" and record["age"] >= prompts.words("wording", "work", "retired_from"):
        return str(words["not_in_workforce_older"])
    if status != "employed" or not title:
        return f"{words[status]} ({title})" if title else str(words[status])
    article = "an" if title[0].lower() in "aeiou" else "a"
    return f"{words[status]} {article} {title}"


def _trait(name: str, record: Mapping[str, Any], prompts: PromptSet) -> dict[str, Any]:
    label = record[f"{name}_label"]
    return {
        "key": name,
        "name": prompts.words("personality", "names", name),
        "score": record[name],
        "label": prompts.words("personality", "labels", label),
        "description": prompts.words("personality", "descriptions", name, label),
    }


def _background(record: Mapping[str, Any], priors: Priors) -> list[dict[str, str]]:
    known = ((column, title) for column, title in _BACKGROUND.items() if record.get(column) not in (None, ""))
    return [{"name": title, "value": priors.label(column, record[column])} for column, title in known]


def _grounding(
    record: Mapping[str, Any], priors: Priors, prompts: PromptSet, rng: np.random.Generator
) -> dict[str, Any]:
    work: dict[str, Sequence[str]] = {"tasks": (), "tools": (), "skills": ()}
    if record["occupation"] not in _NO_OCCUPATION:
        occupation = priors.occupations.get(record["occupation"])
        work = {"tasks": occupation.tasks, "tools": occupation.tools, "skills": occupation.skills}
    stages = prompts.words("wording", "life_stages")
    stage = next((stage for stage in stages if record["age"] <= stage["to"]), stages[-1])
    elsewhere = [city for city in priors.places.cities(record["state"]) if city != record["city"]]
    decade = (record["birth_year"] + 15) // 10 * 10
    narratives = prompts.templates["personas"].fields
    return {
        **{kind: _some(choices, 3, rng) for kind, choices in work.items()},
        "life_stage": _some(stage["texts"], 1, rng)[0],
        "times": str(prompts.words("wording", "times")).replace("{decade}", str(decade)),
        "nearby": _some(elsewhere, 2, rng),
        "facets": _facets(record, prompts, rng),
        "openings": _cycle(prompts.words("wording", "openings"), len(narratives), rng),
        "angles": {field: _some(angles, 1, rng)[0] for field, angles in prompts.angles.items()},
    }


def _facets(record: Mapping[str, Any], prompts: PromptSet, rng: np.random.Generator) -> list[str]:
    # One habit for each of the two traits furthest from the mean: the others say little about the person.
    furthest = sorted(TRAITS, key=lambda name: -abs(record[name] - 50))[:2]
    sides = [(name, "high" if record[name] >= 50 else "low") for name in furthest]
    return [_some(prompts.words("personality", "facets", *side), 1, rng)[0] for side in sides]


def _some(choices: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    size = min(count, len(choices))
    return [choices[i] for i in rng.choice(len(choices), size=size, replace=False)] if size else []


def _cycle(choices: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    order = rng.permutation(len(choices))
    return [choices[order[i % len(choices)]] for i in range(count)]
