"""Counterfactual: what the offline narrator writes when a person's sex or ethnicity alone is another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_engine.generator.llm.offline import OfflineNarrator
from persona_engine.generator.narration.facts import FactSheet
from persona_engine.validators.dataset.counterfactual import SwapEffect, swap_effect

if TYPE_CHECKING:
    from persona_engine.generator.population import Population
    from persona_engine.prompts.template import PromptSet

ATTRIBUTES = ("sex", "ethnicity")
PEOPLE = 60
_CALLS = ("attributes", "personas")


def offline_swaps(
    population: Population,
    prompts: PromptSet,
    narrator: OfflineNarrator,
    *,
    people: int = PEOPLE,
    seed: int = 0,
) -> tuple[SwapEffect, ...]:
    """Swap sex, then ethnicity, of sampled people whose names and other facts stay, and compare the texts.

    The name stays, so that what is measured is what the narrator makes of the fact. A narrator that looks at
    neither writes the same texts twice, pronouns and kinship aside. Each value becomes the next one of the domain.
    """
    records: list[dict[str, Any]] = population.sample(people, seed=seed).to_dict("records")  # type: ignore[assignment]
    sheet = FactSheet(population.priors, prompts)
    properties = {
        name: schema
        for call in _CALLS
        for name, schema in prompts.templates[call].schema["properties"].items()
    }

    def write(record: Mapping[str, Any], turn: int) -> Mapping[str, Any]:
        rng = np.random.Generator(np.random.Philox(key=[seed, turn], counter=[0, 0, 0, int(record["row"])]))
        return narrator.write(sheet.of(record, rng), properties, seed=turn)

    domain = population.priors.domain
    found = []
    for attribute in ATTRIBUTES:
        if attribute not in domain:
            continue
        states = domain[attribute]
        following = dict(zip(states, (*states[1:], states[0]), strict=True))

        def swap(
            record: Mapping[str, Any], attribute: str = attribute, following: Mapping[Any, Any] = following
        ) -> Mapping[str, Any]:
            return {**record, attribute: following[record[attribute]]}

        found.append(swap_effect(records, attribute, swap, write))
    return tuple(found)
