"""Commands to run before a run: preview, estimate."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from census_personas.generator.cli.options import AsJson, ConfigFile, Overrides, Seed, Where, config_of

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
    from census_personas.foundation.printable import printable
    from census_personas.generator.session import preview as narrate

    settings = config_of(config, overrides, rows=rows, seed=seed, where=where)
    results, _ = narrate(settings)
    for result in results:
        if as_json:
            findings = [f"{finding.code}: {finding.message}" for finding in result.findings]
            print(
                json.dumps({**result.record, "accepted": result.accepted, "findings": findings}, default=str)
            )
        else:
            print_record(result.record, accepted=result.accepted, reasons=result.reasons)
    rejected = [result for result in results if not result.accepted]
    if rejected:
        reason = printable(next(iter(rejected[0].reasons), "no reason"))
        print(
            f"personas: {len(rejected)} of {len(results)} rows rejected; the first: {reason}", file=sys.stderr
        )
        raise typer.Exit(1)


def print_record(record: dict[str, Any], *, accepted: bool, reasons: tuple[str, ...]) -> None:
    """Print a row; texts of a model, which a rule may have refused, reach no terminal as they are."""
    from census_personas.foundation.printable import printable

    print(f"row {record['row']}  {'accepted' if accepted else 'REJECTED'}")
    for reason in reasons:
        print(f"  ! {printable(reason)}")
    for name, value in record.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        if shown not in ("", None):
            print(f"  {name}: {printable(str(shown))}")
    print()


def estimate(
    config: ConfigFile,
    sample: Annotated[int, typer.Option(min=1, max=100, help="Rows to narrate for it.")] = 5,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Tokens, time and cost of the whole run, from narrating a few of its rows for real.

    Where the endpoint does not answer, tokens are told from the length of the prompts, at four characters each.
    """
    from census_personas.generator.estimate import assumed, narrated
    from census_personas.generator.llm.chat import LLMError
    from census_personas.generator.run.resources import RunResources

    settings = config_of(config, overrides)
    llm = settings.llm
    try:
        found = narrated(settings, sample)
    except LLMError as error:
        print(
            f"personas: {' '.join(str(error).split())}; time is left out, tokens are assumed", file=sys.stderr
        )
        found = assumed(RunResources.load(settings), sample)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    if found.accepted is None:
        print(
            f"prompts of {found.sampled} rows measured, 4 characters taken for a token, texts for a quarter of the"
        )
        print(f"way between their bounds, no repairs; for {found.rows} rows:")
    else:
        print(f"{found.accepted} of {found.sampled} rows accepted; for {found.rows} rows:")
    print(f"  {found.prompt_tokens} prompt and {found.completion_tokens} completion tokens")
    if llm.backend == "offline":
        print("  cost 0: no model is asked")
    elif llm.price_prompt or llm.price_completion:
        print(f"  cost {found.cost} at {llm.price_prompt} and {llm.price_completion} for a million of them")
    else:
        print("  no cost: give llm.price_prompt and llm.price_completion, for a million tokens")
    if found.hours is not None:
        served = (
            f", were the endpoint as quick with {llm.concurrency} at once" if llm.backend != "offline" else ""
        )
        print(f"  about {_lasting(found.hours)}{served}")


def _lasting(hours: float) -> str:
    """A time in the largest unit of which there is at least one."""
    units = ((hours, "hours"), (hours * 60, "minutes"))
    return next(
        (f"{number:.1f} {unit}" for number, unit in units if number >= 1), f"{hours * 3600:.0f} seconds"
    )
