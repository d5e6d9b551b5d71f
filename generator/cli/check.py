"""Command `personas check`: finds what would go wrong in a run before it is paid for."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from census_personas.foundation.printable import printable
from census_personas.generator.cli.options import AsJson, ConfigFile, Overrides, config_of

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config
    from census_personas.generator.dry_check import PlannedRequest
    from census_personas.generator.run.resources import RunResources
    from census_personas.generator.trial import Trial


Offline = Annotated[
    bool, typer.Option("--offline", help="Ask no endpoint: check everything else and print the requests.")
]
RunFolder = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="RUN",
        help="Run folder to check, with --offline; default: runs/<name>.",
    ),
]


def check(
    config: ConfigFile,
    offline: Offline = False,
    output: RunFolder = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check a config, everything that it names, and its endpoint, on one real row; write nothing.

    The row goes through both calls with the run's own prompts and schemas. The run's tokens and cost are estimated
    from it. Exits 1 if a run would fail. With --offline, no endpoint is asked: the command prints the prompts of one
    row and checks the run folder; the exit code is 0, or 2 with the fault in one line.
    """
    from census_personas.foundation.errors import PersonasError
    from census_personas.generator.run.resources import RunResources
    from census_personas.generator.sampling.quota import refuse_other_counts
    from census_personas.generator.trial import try_row

    if offline:
        try:
            _check_offline(config_of(config, overrides), output, as_json=as_json)
        except PersonasError as error:
            print(f"personas: {printable(error.message)}", file=sys.stderr)
            raise typer.Exit(2) from error
        return
    settings = config_of(config, overrides)
    refuse_other_counts(settings.quota, settings.rows)
    resources = RunResources.load(settings)
    named = _named(settings, resources)
    if not as_json:
        _print_named(named)
    trial = try_row(resources)
    if as_json:
        print(json.dumps({**named, "trial": asdict(trial)}))
    else:
        _print_trial(trial, settings)
    if trial.faults:
        print(f"personas: {'; '.join(trial.faults)}", file=sys.stderr)
        raise typer.Exit(1)


def _check_offline(settings: Config, output: Path | None, *, as_json: bool) -> None:
    """Check everything that needs no endpoint, then print it with the requests of one row."""
    from census_personas.generator.cli.run import run_folder
    from census_personas.generator.config.run_config import ConfigError
    from census_personas.generator.dry_check import describe_endpoints, describe_folder, plan_requests
    from census_personas.generator.run.resources import RunResources
    from census_personas.generator.sampling.quota import refuse_other_counts
    from census_personas.generator.trial import try_row

    inputs = [Path(settings.input.file)] if settings.input else []
    folder = run_folder(output or Path("runs") / settings.name, inputs)
    refuse_other_counts(settings.quota, settings.rows)
    resources = RunResources.load(settings)
    named = {**_named(settings, resources), "run folder": describe_folder(folder, resources)}
    if settings.llm.backend == "offline":
        trial = try_row(resources)
        if trial.faults:
            raise ConfigError("; ".join(trial.faults))
        named["narrator"] = f"{trial.model}, which needs no endpoint; row {trial.row}: accepted"
        requests: tuple[PlannedRequest, ...] = ()
    else:
        named["narrator"] = describe_endpoints(settings)
        row, requests = plan_requests(resources)
        named["requests of a row"] = f"{len(requests)}, printed for row {row}; repairs come on top"
    if as_json:
        print(json.dumps({**named, "requests": [asdict(request) for request in requests]}))
        return
    _print_named(named)
    _print_requests(requests)


def _print_named(named: dict[str, Any]) -> None:
    for name, said in named.items():
        print(f"{name}: {said}")


def _print_requests(requests: Sequence[PlannedRequest]) -> None:
    """Print the fields of each request, and its messages that the previous request did not have."""
    sent: tuple[Mapping[str, str], ...] = ()
    for request in requests:
        print(f"\n=== {request.call}: asks for {', '.join(request.fields)}")
        begun = len(sent) if request.messages[: len(sent)] == sent else 0
        if begun:
            print(f"(after the {begun} messages above)")
        for message in request.messages[begun:]:
            print(f"--- {message['role']}", *map(printable, message["content"].splitlines()), sep="\n")
        sent = request.messages


def _named(settings: Config, resources: RunResources) -> dict[str, Any]:
    """Return what the config names, as far as it can be checked without an endpoint."""
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
    named |= {name: ", ".join(wanted) for name in ("target", "quota") if (wanted := getattr(settings, name))}
    if settings.target:
        nats = resources.population.given(settings.selection).nats
        named["target"] += f"; changes the model by {nats:.4f} nats per person"
    if settings.input is not None and resources.input is not None:
        named["input"] = f"{settings.input.file}, {len(resources.input)} rows"
    named["dataset"] = f"{len(resources.table().columns)} columns"
    tokens = assumed(resources, 1).prompt_tokens // settings.rows
    named["a row's prompts"] = f"about {tokens} tokens, at {CHARACTERS_A_TOKEN} characters each"
    return named


def _print_trial(trial: Trial, settings: Config) -> None:
    """Print the narrator, the row, and the cost of a run of such rows."""
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
