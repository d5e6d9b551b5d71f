"""Commands `personas preview` and `estimate`, to use before a run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from census_personas.generator.cli.options import AsJson, ConfigFile, Overrides, Seed, Where, config_of

if TYPE_CHECKING:
    from census_personas.generator.narration.narrator import Narrated

_FEW = Annotated[
    int | None,
    typer.Option("-n", "--rows", min=1, max=1000, help="Rows to narrate; default: 3, or all of --people."),
]
_People = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="Narrate these people instead: evaluation (twelve people of the prompt set), or a dataset's path.",
    ),
]


def preview(
    config: ConfigFile,
    rows: _FEW = None,
    people: _People = None,
    seed: Seed = None,
    where: Where = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Narrate a few rows and print them; write no file."""
    from census_personas.foundation.printable import printable
    from census_personas.generator.session import preview as narrate

    settings = config_of(config, overrides, rows=rows or 3, seed=seed, where=where)
    if people is not None:
        file = _people_file(settings.prompts.set, people)
        count = _count_of(file)
        settings = config_of(
            config, overrides, rows=min(rows or count, count), seed=seed, where=where, people=str(file)
        )
    results, _ = narrate(settings)
    for result in results:
        if as_json:
            print(json.dumps({**result.record, **_outcome(result)}, default=str))
        else:
            print_record(result.record, accepted=result.accepted, reasons=result.reasons)
    print(f"note: {_summary(results)}", file=sys.stderr)
    rejected = [result for result in results if not result.accepted]
    if rejected:
        reason = printable(next(iter(rejected[0].reasons), "no reason"))
        print(
            f"personas: {len(rejected)} of {len(results)} rows rejected; the first: {reason}", file=sys.stderr
        )
        raise typer.Exit(1)


def _people_file(prompt_set: str, name: str) -> Path:
    from census_personas.prompts.set_folder import people_of

    return Path(name) if Path(name).exists() else people_of(prompt_set, name)


def _count_of(file: Path) -> int:
    from census_personas.foundation.dataset_reader import count_rows

    return count_rows(file)


def _outcome(result: Narrated) -> dict[str, Any]:
    return {
        "accepted": result.accepted,
        "findings": [f"{finding.code}: {finding.message}" for finding in result.findings],
        "requests": result.requests,
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
        "met": dict(Counter(result.met)),
    }


def _summary(results: Sequence[Narrated]) -> str:
    """Summarize the rows' requests, tokens and errors, to compare two versions of a prompt."""
    accepted = [result for result in results if result.accepted]
    first = sum(result.requests <= _LEAST for result in accepted)
    met = Counter(code for result in results for code in result.met)
    mends = sum(finding.code == "mended" for result in results for finding in result.findings)
    errors = ", ".join(f"{code} {count}" for code, count in met.most_common()) or "none"
    return (
        f"{len(accepted)} of {len(results)} accepted, {first} of them without a repair; "
        f"{sum(result.requests for result in results)} requests, {sum(r.prompt_tokens for r in results)} prompt and "
        f"{sum(r.completion_tokens for r in results)} completion tokens; {mends} mends; errors met: {errors}"
    )


# Fewest requests of a record: its two calls.
_LEAST = 2


def print_record(record: dict[str, Any], *, accepted: bool, reasons: tuple[str, ...]) -> None:
    """Print a row, with a model's texts made printable, as rules may have refused them."""
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
    """Estimate tokens, time and cost of the whole run by narrating a few of its rows.

    If the endpoint does not answer, estimates tokens from the length of the prompts, at four characters each.
    """
    from census_personas.generator.estimate import assumed, narrated
    from census_personas.generator.llm.chat import LLMError
    from census_personas.generator.run.resources import RunResources

    settings = config_of(config, overrides)
    llm = settings.llm
    try:
        estimated = narrated(settings, sample)
    except LLMError as error:
        print(
            f"personas: {' '.join(str(error).split())}; time is not estimated, tokens are assumed",
            file=sys.stderr,
        )
        estimated = assumed(RunResources.load(settings), sample)
    if as_json:
        print(json.dumps(asdict(estimated)))
        return
    if estimated.accepted is None:
        print(
            f"estimated from the prompts of {estimated.sampled} rows: 4 characters per token, texts a quarter"
        )
        print(f"of the way between their bounds, no repairs; for {estimated.rows} rows:")
    else:
        print(f"{estimated.accepted} of {estimated.sampled} rows accepted; for {estimated.rows} rows:")
    print(f"  {estimated.prompt_tokens} prompt and {estimated.completion_tokens} completion tokens")
    if llm.backend == "offline":
        print("  cost 0: the offline narrator needs no model")
    elif llm.price_prompt or llm.price_completion:
        print(f"  cost {estimated.cost} at {llm.price_prompt} and {llm.price_completion} per million tokens")
    else:
        print("  no cost: set llm.price_prompt and llm.price_completion, per million tokens")
    if estimated.hours is not None:
        served = (
            f", if the endpoint keeps this speed at {llm.concurrency} concurrent requests"
            if llm.backend != "offline"
            else ""
        )
        print(f"  about {_lasting(estimated.hours)}{served}")


def _lasting(hours: float) -> str:
    """Return a time in its largest unit with a value of at least one."""
    units = ((hours, "hours"), (hours * 60, "minutes"))
    return next(
        (f"{number:.1f} {unit}" for number, unit in units if number >= 1), f"{hours * 3600:.0f} seconds"
    )
