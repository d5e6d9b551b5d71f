"""Ablations: without grounding, and without rules; both are part of what a run is."""

from __future__ import annotations

import numpy as np
import pytest

from census_personas.generator.config.config_file import from_values
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.population.population import Population
from census_personas.generator.run.resources import RunResources
from census_personas.prompts.template import PromptSet


def test_without_grounding_the_rest_is_the_same(population: Population) -> None:
    prompts = PromptSet.load("en_US")
    row = population.sample(1, seed=4, where={"occupation": "registered_nurse"}).to_dict("records")[0]
    said, bare = (
        FactSheet(population.priors, prompts, grounded=grounded).of(row, np.random.default_rng(0))[
            "grounding"
        ]
        for grounded in (True, False)
    )
    left_out = [name for name in said if said[name] != bare[name]]
    assert {"tasks", "tool_names", "skills", "nearby"} <= set(left_out)
    assert not any(bare[name] for name in left_out)
    assert bare["facets"] == said["facets"]


@pytest.mark.parametrize("section", ["prompts", "validation"])
def test_ablations_change_the_fingerprint(section: str) -> None:
    key = {"prompts": "grounding", "validation": "rules"}[section]
    plain = from_values({})
    assert from_values({section: {key: True}}).fingerprint() == plain.fingerprint()
    assert from_values({section: {key: False}}).fingerprint() != plain.fingerprint()


def test_without_rules_only_named_ones_judge(population: Population) -> None:
    config = from_values({"validation": {"rules": False, "policy": {"name_present": "reject"}}})
    checker = RunResources.load(config, population).checker
    row = population.sample(1, seed=4).to_dict("records")[0]
    found = checker.check({**row, "persona": "They is 7 years old. They is 7 years old."})
    assert {finding.code for finding in found} == {"name_present"}
