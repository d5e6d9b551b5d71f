"""Dry check: shows a run's requests and folder without asking or writing anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from census_personas.foundation import event_loop
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.estimate import filler
from census_personas.generator.llm.chat import ChatRequest
from census_personas.generator.llm.scripted import ScriptedModel
from census_personas.generator.llm.transport import Address
from census_personas.generator.narration.check_batcher import CheckBatcher
from census_personas.generator.narration.narrator import CALLS, Narrator
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.session import notice_of
from census_personas.generator.trial import first_records
from census_personas.prompts.fields import FieldSpec
from census_personas.validators.finding import Finding

ANSWER = "assistant"


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request that a run would send for a row.

    Attributes:
        call: `attributes` or `personas`.
        fields: the requested fields, in order.
        messages: its messages, in order; an answer of the model is a placeholder.
    """

    call: str
    fields: tuple[str, ...]
    messages: tuple[Mapping[str, str], ...]


def plan_requests(resources: RunResources) -> tuple[int, tuple[PlannedRequest, ...]]:
    """Return the number of the first row with correct facts, and the requests that a run would send for it.

    Assumes that every answer is a filler within the bounds of its fields and passes every rule.

    Raises:
        ConfigError: the facts of all tried rows are wrong, or a prompt cannot be rendered.
        TemplateError: a template needs a value that the row does not have.
    """
    return event_loop.run(partial(_plan_requests, resources))


async def _plan_requests(resources: RunResources) -> tuple[int, tuple[PlannedRequest, ...]]:
    config = resources.config
    bounds = {"max_repairs": 0, "max_attempts": 1}
    once = config.model_copy(
        update={"validation": config.validation.model_copy(update=bounds), "judge": type(config.judge)()}
    )
    specs = {spec.name: spec for call in CALLS for spec in resources.prompts.templates[call].fields}
    model = ScriptedModel(partial(_fill, specs))
    narrator = Narrator(
        model,
        resources.prompts,
        resources.facts,
        CheckBatcher(_accept),
        once,
        None,
        policy=resources.checker.policy,
        review_facts=CheckBatcher(resources.checker.facts_together),
    )
    reasons: tuple[str, ...] = ()
    for record in first_records(resources):
        result = await narrator.narrate(record)
        reasons = result.reasons
        if model.requests and not reasons:
            return int(record["row"]), tuple(map(_planned, model.requests))
        if model.requests:
            break
    raise ConfigError(
        f"{config.input.file if config.input else config.locale}: no row can be narrated: {'; '.join(reasons)}"
    )


def _accept(records: Sequence[Mapping[str, Any]]) -> Sequence[tuple[Finding, ...]]:
    return [() for _ in records]


def _fill(specs: Mapping[str, FieldSpec], request: ChatRequest) -> str:
    names = request.schema["properties"]
    return orjson.dumps({name: filler(specs[name]) for name in names}).decode()


def _planned(request: ChatRequest) -> PlannedRequest:
    messages = tuple(
        {**message, "content": "(the model's answer)"} if message["role"] == ANSWER else message
        for message in request.messages
    )
    return PlannedRequest(request.schema_name, tuple(request.schema["properties"]), messages)


def describe_folder(folder: Path, resources: RunResources) -> str:
    """Describe what a run would do in its folder; create and write nothing.

    Raises:
        ConfigError: the folder belongs to another run, cannot hold a run, or is not writable.
    """
    config = resources.config
    manifest = Manifest.of(config, resources.digests(), config.llm.model or "", notice_of(config))
    earlier = RunFolder.refuse(folder, manifest)
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder}: {there} is not writable; give a folder that you may write to")
    if earlier is None:
        return f"{folder}, new"
    return f"{folder}, goes on with {earlier.accepted} of {config.rows} rows"


def describe_endpoints(config: Config) -> str:
    """Describe where a run would send its requests, and whether the environment has a key; ask no endpoint.

    Raises:
        AddressError: no request can be sent to a URL.
    """
    addresses = ", ".join(address.shown for address in Address.all_of(config.llm))
    key = "set" if os.environ.get(config.llm.api_key_env, "").strip() else "not set"
    return f"{config.llm.model} at {addresses}, not asked; {config.llm.api_key_env} is {key}"
