"""Facts: what the prompts may say about one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from persona_engine.prompts.template import PromptSet

if TYPE_CHECKING:
    from persona_engine.census_priors.priors import Priors


def facts(
    record: Mapping[str, Any], priors: Priors, prompts: PromptSet, rng: np.random.Generator
) -> dict[str, Any]:
    """The record with words for its codes, trait descriptions and grounding drawn from the row's own stream."""
    raise NotImplementedError
