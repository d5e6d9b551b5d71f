"""Commands to run before a run: preview, estimate, check."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from persona_engine.generator.cli.options import AsJson, ConfigFile, Overrides, Seed, Where, config_of

_FEW = Annotated[int, typer.Option("-n", "--rows", min=1, max=1000, help="Rows to narrate.")]


def preview(
    config: ConfigFile,
    rows: _FEW = 3,
    seed: Seed = None,
    where: Where = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Narrate a few rows and print them; nothing is written."""
    from persona_engine.generator.run.session import preview as narrate

    settings = config_of(config, overrides, rows=rows, seed=seed, where=where)
    results, _ = narrate(settings)
    for result in results:
        if as_json:
            findings = [f"{finding.code}: {finding.message}" for finding in result.findings]
            print(
                json.dumps({**result.record, "accepted": result.accepted, "findings": findings}, default=str)
            )
        else:
            _print_record(result.record, result.accepted, result.reasons)
    if not all(result.accepted for result in results):
        raise typer.Exit(1)


def _print_record(record: dict[str, Any], accepted: bool, reasons: tuple[str, ...]) -> None:
    print(f"row {record['row']}  {'accepted' if accepted else 'REJECTED'}")
    for reason in reasons:
        print(f"  ! {reason}")
    for name, value in record.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        if shown not in ("", None):
            print(f"  {name}: {shown}")
    print()


def estimate(
    config: ConfigFile,
    sample: Annotated[int, typer.Option(min=1, max=100, help="Rows to narrate for it.")] = 5,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Tokens, time and cost of the whole run, from narrating a few of its rows for real."""
    from persona_engine.generator.run.session import preview as narrate

    settings = config_of(config, overrides)
    llm = settings.llm
    results, seconds = narrate(settings.model_copy(update={"rows": min(sample, settings.rows)}))
    prompt, completion = (
        settings.rows * sum(getattr(result, name) for result in results) / len(results)
        for name in ("prompt_tokens", "completion_tokens")
    )
    # An endpoint answers many rows in the time of one; the narrator without a model writes one after the other.
    at_once = max(len(results) - 1, 1) if llm.backend == "offline" else min(settings.rows, llm.concurrency)
    numbers = {
        "rows": settings.rows,
        "sampled": len(results),
        "accepted": sum(result.accepted for result in results),
        "prompt_tokens": round(prompt),
        "completion_tokens": round(completion),
        "cost": round((prompt * llm.price_prompt + completion * llm.price_completion) / 1e6, 2),
        "hours": round(seconds * settings.rows / at_once / 3600, 4),
    }
    if as_json:
        print(json.dumps(numbers))
        return
    print(f"{numbers['accepted']} of {numbers['sampled']} rows accepted; for {settings.rows} rows:")
    print(f"  {numbers['prompt_tokens']} prompt and {numbers['completion_tokens']} completion tokens")
    print(
        f"  cost {numbers['cost']} at {llm.price_prompt} and {llm.price_completion} a million (llm.price_…)"
    )
    print(f"  about {numbers['hours']} hours, were the endpoint as quick with {llm.concurrency} at once")


def check(config: ConfigFile, overrides: Overrides = None) -> None:
    """Check a config, what it names, its condition and its endpoint; nothing is written."""
    from persona_engine.generator.run.rooms import Rooms
    from persona_engine.generator.run.session import try_endpoint

    settings = config_of(config, overrides)
    print(f"config: {settings.fingerprint()[:12]}, {settings.rows} rows")
    rooms = Rooms.load(settings)
    print(f"priors: {rooms.priors.locale}, {rooms.priors.digest[:12]}")
    print(f"prompts: {settings.prompts.set}, {rooms.prompts.digest[:12]}")
    if settings.where:
        print(f"where: {rooms.population.probability(settings.where):.6g} of the population")
    print(f"dataset: {len(rooms.table().columns)} columns")
    print(f"narrator: {try_endpoint(settings)} answers")
