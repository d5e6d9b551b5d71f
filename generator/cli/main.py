"""The command `personas`. With the other modules of `cli/` the only place that prints, exits or catches broadly."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from typing import Annotated, Never

import typer

from census_personas.foundation.printable import NO_TEXT, is_text, printable
from census_personas.generator.cli import (
    analyze,
    audit,
    batch,
    check,
    compare,
    complete,
    experiment,
    export,
    failure,
    locale,
    merge,
    narrate,
    plugins,
    preview_estimate,
    priors,
    prompts,
    push,
    report,
    sample,
    validate,
)

_DEBUG = "PERSONAS_DEBUG"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST = 4_000  # characters of a message

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
        print(version("census-personas"))
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
    for part in ("model_cache", "footprint"):  # progress of a first fit
        logging.getLogger(f"census_personas.generator.model.{part}").setLevel(logging.INFO)
    if debug:
        os.environ[_DEBUG] = "1"


app.command()(narrate.generate)
app.command()(sample.sample)
app.command()(narrate.narrate)
app.command()(complete.complete)
app.command()(merge.merge)
app.command()(preview_estimate.preview)
app.command()(preview_estimate.estimate)
app.command()(check.check)
app.command()(validate.validate)
app.command()(report.report)
app.command()(compare.compare)
app.command()(analyze.analyze)
app.command()(audit.audit)
app.command()(export.export)
app.command()(push.push)
app.add_typer(batch.app, name="batch")
app.add_typer(experiment.app, name="experiment")
app.add_typer(prompts.app, name="prompts")
app.add_typer(priors.app, name="priors")
app.add_typer(locale.app, name="locale")
app.add_typer(plugins.app, name="plugins")


def main() -> None:
    """Run the command line; a known error is one line on stderr and an exit code (docs/reference/limits.md)."""
    _prepare_streams()
    try:
        with _interrupted_by_signals():
            _run(sys.argv[1:])
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except BrokenPipeError:
        # The reader of stdout, such as `head`, has closed it; nothing is wrong.
        _discard_stdout()
    except KeyboardInterrupt:
        _fail("interrupted", failure.INTERRUPTED)
    except Exception as error:
        if isinstance(error, typer.TyperException) and (asked := _help_of(error)):
            print(asked, file=sys.stderr)
            sys.exit(2)
        if os.environ.get(_DEBUG):
            raise
        _fail(*failure.describe(error))
    sys.exit(0)


def _run(words: list[str]) -> None:
    _refuse_no_text(words)
    _refuse_urls(words)
    # Not `app()`, which formats errors in its own way and treats a closed pipe as a failure.
    command = typer.main.get_command(app)
    try:
        with command.make_context("personas", words) as context:
            command.invoke(context)
    finally:
        # Now, while a full disk or a closed pipe can still be reported.
        sys.stdout.flush()


def _refuse_no_text(words: list[str]) -> None:
    """Refuse an argument that is not UTF-8, as a file's name may be: libraries and run files cannot hold it."""
    for before, word in pairwise(["", *words]):
        if not is_text(word):
            place = f"{before} " if before.startswith("-") else ""
            is_setting = "--set" in {before, word.partition("=")[0]}  # whose value may be a secret
            shown = f"{word.partition('=')[0]}=…" if is_setting else word
            raise _config_error(f"{place}{shown}: {NO_TEXT}")


def _refuse_urls(words: list[str]) -> None:
    """Refuse a URL where a path is wanted, which would lose one of its slashes and be looked for on the disk."""
    command = next((word for word in words if word[:1] != "-"), "")
    for before, word in pairwise(["", *words]):
        takes = command in {"generate", "narrate"} and before in {"-o", "--output"}
        if _URL.match(word) and not takes:
            raise _config_error(
                f"{word}: is a URL; `personas generate` and `personas narrate` take one after -o, and all other "
                "places are local: copy a run first, such as by `aws s3 cp --recursive`"
            )


def _config_error(message: str) -> Exception:
    from census_personas.generator.config.run_config import ConfigError  # takes longer than a whole `--help`

    return ConfigError(message)


def _prepare_streams() -> None:
    """Make results writable in any terminal encoding, and discard them if a stream is closed."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  open until the end
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  open until the end


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Treat SIGTERM and the end of the terminal like Ctrl-C, so that no half-written file stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in handlers.items():
        if handler == signal.SIG_DFL:  # `nohup` has it ignored, and it stays ignored
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help_of(error: typer.TyperException) -> str:
    """Return the help for a command without arguments; empty for other errors."""
    message = error.format_message()
    return message if message.startswith("Usage: ") else ""


def _fail(line: str, code: int) -> Never:
    # Names of files and values of options may be very long, and hold invalid text or control characters.
    shown = printable(line.encode(errors="backslashreplace").decode())
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    print(f"personas: {shown}", file=sys.stderr)
    sys.exit(code)
