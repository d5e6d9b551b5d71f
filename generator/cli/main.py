"""The command `personas`. With the other modules of `cli/` the only place that prints, exits or catches broadly."""

from __future__ import annotations

import io
import logging
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer

from persona_engine.generator.cli import batch, data, narrate, priors, prompts, try_out
from persona_engine.generator.cli.options import (
    AsJson,
    ConfigFile,
    MaybeConfigFile,
    Overrides,
    Quota,
    Rows,
    Seed,
    Stratified,
    Target,
    Where,
    config_of,
)

_DEBUG = "PERSONAS_DEBUG"
_BLOCK = 100_000

app = typer.Typer(
    name="personas",
    help="Census-true populations of personas: sampled, narrated, checked, reproducible.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        print(version("persona-engine"))
        raise typer.Exit


@app.callback()
def _common(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and nothing else."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks (or set PERSONAS_DEBUG=1).")
    ] = False,
) -> None:
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    for part in ("model_cache", "footprint"):  # what a first fit says of itself
        logging.getLogger(f"persona_engine.generator.model.{part}").setLevel(logging.INFO)
    if debug:
        os.environ[_DEBUG] = "1"


@app.command()
def generate(
    config: ConfigFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder; default: runs/<name>.")
    ] = None,
    rows: Rows = None,
    seed: Seed = None,
    where: Where = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Write a dataset into a run folder. The same command resumes; more rows extend."""
    from persona_engine.generator.cli.run import run

    settings = config_of(config, overrides, rows=rows, seed=seed, where=where)
    run(settings, output or Path("runs") / settings.name, as_json=as_json)


@app.command()
def sample(  # noqa: PLR0917  each option is one
    config: MaybeConfigFile = None,
    rows: Rows = None,
    seed: Seed = None,
    where: Where = None,
    target: Target = None,
    quota: Quota = None,
    stratified: Stratified = None,
    schema: Annotated[
        Literal["nemotron", "nemotron-1.1", "full"] | None,
        typer.Option(help="Columns; default: the config's, else nemotron."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE.parquet, .csv or .jsonl; default: JSON lines.")
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Sample a population: who they are, without narratives."""
    from persona_engine.generator.run.population_file import PopulationFile
    from persona_engine.generator.run.store import check_suffix, json_lines

    if output is not None:
        check_suffix(output)

    changes = [*(overrides or ()), *([f"output.schema={schema}"] if schema else [])]
    settings = config_of(
        config,
        changes,
        rows=rows or (None if config else 10),
        seed=seed,
        where=where,
        target=target,
        quota=quota,
        stratified=stratified,
    )
    population = PopulationFile(settings)
    for line in population.notes():
        print(line, file=sys.stderr)
    if output is None:
        for frame in population.frames(_BLOCK):
            sys.stdout.buffer.write(json_lines(frame, population.table))
    else:
        population.write(output, _BLOCK)
        print(f"{output}: {settings.rows} rows", file=sys.stderr)


app.command()(narrate.narrate)
app.command()(try_out.preview)
app.command()(try_out.estimate)
app.command()(try_out.check)
app.command()(data.validate)
app.command()(data.report)
app.command()(data.compare)
app.add_typer(batch.app, name="batch")
app.add_typer(prompts.app, name="prompts")
app.add_typer(priors.app, name="priors")


def main() -> None:
    """Run the command line; every error of ours is one line on stderr and an exit code of 1 or 2."""
    _prepare_streams()
    try:
        _run()
    except (SystemExit, GeneratorExit):
        raise
    except BrokenPipeError:
        # The reader of our stdout has gone, as `head` does; nothing is wrong and nobody is left to tell.
        _discard_stdout()
    except KeyboardInterrupt:
        _fail("interrupted", 1)
    except Exception as error:
        if os.environ.get(_DEBUG):
            raise
        _fail(*_explained(error))


def _prepare_streams() -> None:
    """Results can be written whatever the terminal's encoding is, and go nowhere where stdout is closed."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  open until the end
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _run() -> None:
    try:
        app()
    finally:
        # Now, while a full disk or a reader that has gone can still be told.
        sys.stdout.flush()


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> tuple[str, int]:
    from persona_engine.generator.llm.chat import LLMError

    line = " ".join(str(error).split())
    if isinstance(error, LLMError):
        return f"{line}; {error.hint}" if error.hint and error.hint not in line else line, 1
    if isinstance(error, OSError):
        return line or type(error).__name__, 1
    if type(error).__module__.startswith("persona_engine."):
        return line, 2
    return f"internal error, {type(error).__name__}: {line} (--debug shows where; please report it)", 1


def _fail(line: str, code: int) -> None:
    print(f"personas: {line}", file=sys.stderr)
    sys.exit(code)
