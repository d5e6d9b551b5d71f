"""Command `personas check`: what would go wrong in a run, before it is paid for."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from census_personas.generator.cli.options import AsJson, ConfigFile, Overrides, config_of

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.run.resources import RunResources
    from census_personas.generator.trial import Trial


def check(config: ConfigFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Check a config, all that it names, and its endpoint, on one real row; nothing is written.

    The row goes through both calls with the run's own prompts and schemas. Tokens and cost of the run are told from
    it. Exits 1 where a run would go wrong.
    """
    from census_personas.generator.run.resources import RunResources
    from census_personas.generator.trial import try_row

    settings = config_of(config, overrides)
    resources = RunResources.load(settings)
    named = _named(settings, resources)
    if not as_json:
        for name, said in named.items():
            print(f"{name}: {said}")
    trial = try_row(resources)
    if as_json:
        print(json.dumps({**named, "trial": asdict(trial)}))
    else:
        _print_trial(trial, settings)
    if trial.faults:
        print(f"personas: {'; '.join(trial.faults)}", file=sys.stderr)
        raise typer.Exit(1)


def _named(settings: Config, resources: RunResources) -> dict[str, Any]:
    """What the config names, as far as it can be checked without an endpoint."""
    from census_personas.generator.estimate import CHARACTERS_A_TOKEN, assumed

    named = {
        "config": f"{settings.fingerprint()[:12]}, {settings.rows} rows",
        "priors": f"{resources.priors.locale}, {resources.priors.digest[:12]}",
        "prompts": f"{settings.prompts.set}, {resources.prompts.digest[:12]}",
    }
    if members := resources.plugins.members:
        named["plug-ins"] = "; ".join(
            f"{plugin.name}, {plugin.digest[:12] or 'no rule'}" for plugin in members
        )
    if settings.where:
        named["where"] = f"{resources.population.probability(settings.where):.6g} of the population"
    if settings.llm.backend == "openai":
        from census_personas.generator.llm.request_outline import outline_requests

        named |= outline_requests(settings.llm)
    named["dataset"] = f"{len(resources.table().columns)} columns"
    tokens = assumed(resources, 1).prompt_tokens // settings.rows
    named["a row's prompts"] = f"about {tokens} tokens, at {CHARACTERS_A_TOKEN} characters each"
    return named


def _print_trial(trial: Trial, settings: Config) -> None:
    """The narrator, the row and what a run of such rows takes."""
    if trial.exchanges:
        print(f"narrator: {trial.model} answers")
    if trial.endpoint:
        print(f"endpoint: {', '.join(_endpoint(trial))}")
    for exchange in trial.exchanges:
        print(
            f"row {trial.row}, {exchange.call}: {exchange.prompt_tokens} prompt and {exchange.completion_tokens} "
            f"completion tokens, {exchange.seconds:.1f} s, {exchange.finish_reason}"
        )
    if trial.exchanges:
        print(f"row {trial.row}: {'accepted' if trial.accepted else 'not accepted at its first attempt'}")
    for reason in () if trial.faults else trial.reasons:
        print(f"  ! {reason}")
    if settings.llm.backend != "offline" and not trial.faults:
        cost = f", cost {trial.cost}" if settings.llm.price_prompt or settings.llm.price_completion else ""
        print(
            f"{settings.rows} rows like it: {trial.prompt_tokens} prompt and {trial.completion_tokens} completion "
            f"tokens{cost}"
        )
    for note in trial.notes:
        print(f"note: {note}")


def _endpoint(trial: Trial) -> list[str]:
    understood = trial.endpoint
    bounded = "" if understood.get("length_bounds") else " without bounds on lengths"
    context = [f"context of {trial.context} tokens"] if trial.context else []
    return [
        f"{understood.get('structured_output')}{bounded}",
        f"system message {understood.get('system_role')}",
        *context,
    ]
