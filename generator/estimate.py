"""Estimate: tokens, time and cost of a run, from narrating a few rows or from the length of their prompts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import orjson

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import LLMError
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.narration.narrator import CALLS, Narrated
from census_personas.generator.run.resources import RunResources
from census_personas.generator.session import apreview, preview
from census_personas.prompts.fields import FieldSpec
from census_personas.prompts.template import PromptSet

log = logging.getLogger(__name__)

CHARACTERS_A_TOKEN = 4
"""Characters per token of models for English text: a rule of thumb, accurate to a quarter either way."""
_ITEM = 30  # characters of an item of a list
# Texts are well below their upper bound: the bound leaves room so that none is cut in the middle of a word.
_ROOM = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimate for all rows of a run.

    Attributes:
        rows: rows of the run.
        sampled: rows that were narrated, or whose prompts were measured.
        accepted: accepted rows among these; None if none was narrated.
        prompt_tokens: tokens of all rows' prompts.
        completion_tokens: tokens of all rows' answers.
        cost: in the currency of the prices.
        hours: if the endpoint keeps its speed at many concurrent requests; None if it was not asked.
        basis: `narrated`, or `assumed` from lengths.
    """

    rows: int
    sampled: int
    accepted: int | None
    prompt_tokens: int
    completion_tokens: int
    cost: float
    hours: float | None
    basis: Literal["narrated", "assumed"]


def estimate(config: Config, sample: int = 5) -> Estimate:
    """Narrate some rows of a run and scale their cost; if the endpoint fails, assume it from lengths.

    Raises:
        ConfigError: the configuration cannot be run.
    """
    try:
        return narrated(config, sample)
    except LLMError as error:
        log.warning("%s; time is not estimated, tokens are assumed", " ".join(str(error).split()))
        return assumed(RunResources.load(config), sample)


async def aestimate(config: Config, sample: int = 5) -> Estimate:
    """Do as `estimate`, for async code; the caller's loop stays free."""
    try:
        return _scaled(config, *await apreview(_first_rows(config, sample)))
    except LLMError as error:
        log.warning("%s; time is not estimated, tokens are assumed", " ".join(str(error).split()))
        return await asyncio.to_thread(lambda: assumed(RunResources.load(config), sample))


def narrated(config: Config, sample: int) -> Estimate:
    """Narrate some rows and scale their cost.

    Raises:
        LLMError: the endpoint cannot be used.
    """
    return _scaled(config, *preview(_first_rows(config, sample)))


def _first_rows(config: Config, sample: int) -> Config:
    return config.model_copy(update={"rows": min(sample, config.rows)})


def _scaled(config: Config, results: Sequence[Narrated], seconds: float) -> Estimate:
    llm = config.llm
    scale = config.rows / len(results)
    prompt = scale * sum(result.prompt_tokens for result in results)
    completion = scale * sum(result.completion_tokens for result in results)
    # An endpoint answers many rows at once; the offline narrator writes one after the other.
    at_once = max(len(results) - 1, 1) if llm.backend == "offline" else min(config.rows, llm.concurrency)
    return Estimate(
        rows=config.rows,
        sampled=len(results),
        accepted=sum(result.accepted for result in results),
        prompt_tokens=round(prompt),
        completion_tokens=round(completion),
        cost=cost_of(llm, prompt, completion),
        hours=round(seconds * config.rows / at_once / 3600, 4),
        basis="narrated",
    )


def assumed(resources: RunResources, sample: int) -> Estimate:
    """Render the prompts of some rows and count characters; ask no endpoint.

    Assumes that the length of every text is a quarter of the way between its bounds and that of every list in the
    middle, and that no answer needs a repair. Counts a request that continues a conversation as one that stands alone.
    """
    config = resources.config
    rows = cast("list[dict[str, Any]]", resources.sample(min(sample, config.rows)).to_dict("records"))
    facts = FactSheet(resources.priors, resources.prompts, grounded=config.prompts.grounding)
    lengths = np.array([_lengths(resources.prompts, facts.of(row, np.random.default_rng(i)))
                        for i, row in enumerate(rows)])  # fmt: skip
    prompt, completion = lengths.mean(axis=0) * config.rows / CHARACTERS_A_TOKEN
    return Estimate(
        rows=config.rows,
        sampled=len(rows),
        accepted=None,
        prompt_tokens=round(prompt),
        completion_tokens=round(completion),
        cost=cost_of(config.llm, prompt, completion),
        hours=None,
        basis="assumed",
    )


def _lengths(prompts: PromptSet, facts: Mapping[str, Any]) -> tuple[int, int]:
    """Return the characters of a row's prompts, and of its answers."""
    asked = answered = 0
    for call in CALLS:
        template = prompts.templates[call]
        asked += sum(len(message["content"]) for message in template.render(facts))
        answer = {field.name: filler(field) for field in template.fields}
        answered += len(orjson.dumps(answer))
        facts = {**facts, **answer}
    return asked, answered


def filler(field: FieldSpec) -> str | list[str] | int:
    """Return a meaningless value of the length that an answer is assumed to have, within its field's bounds."""
    if field.kind == "text":
        return "x" * (field.minimum + (field.maximum - field.minimum) // _ROOM)
    middle = (field.minimum + field.maximum) // 2
    return [f"{number} ".ljust(_ITEM, "x") for number in range(middle)] if field.kind == "list" else middle


def cost_of(llm: LLMConfig, prompt: float, completion: float) -> float:
    """Return the cost of tokens at the configured prices."""
    return round((prompt * llm.price_prompt + completion * llm.price_completion) / 1e6, 2)
