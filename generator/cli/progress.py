"""Progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from census_personas.generator.run.pipeline import Tally

_REDRAW_S = 0.2
_LINE_S = 10.0

Observe = Callable[["Tally"], None]


@contextmanager
def progress(kind: str) -> Iterator[Observe]:
    """Show the tallies it is given; `kind` is auto, bar, plain or off.

    A run goes on when nobody can be shown anything any more: its stderr is closed, or on a full disk.
    """
    if kind == "off":
        yield lambda _: None
    elif kind == "bar" or (kind == "auto" and sys.stderr.isatty()):
        with _bar() as observe:
            yield observe
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Observe]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("rows"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as shown:
        task = shown.add_task("rows", total=None, note="")
        due = Pace(_REDRAW_S)

        def observe(tally: Tally) -> None:
            if due(last=_over(tally)):
                with suppress(OSError):
                    shown.update(
                        task, total=tally.rows, completed=_finished(tally), note=due.note(tally), refresh=True
                    )

        yield observe


def _lines() -> Observe:
    due = Pace(_LINE_S)

    def observe(tally: Tally) -> None:
        if due(last=_over(tally)):
            with suppress(OSError):
                print(
                    f"{_finished(tally)} of {tally.rows} rows, {due.note(tally)}", file=sys.stderr, flush=True
                )

    return observe


class Pace:
    """Says when it is time to show something again, and how fast rows came."""

    def __init__(self, interval_s: float) -> None:
        """Show at most once in this many seconds."""
        self._interval_s = interval_s
        self._began = self._shown = time.monotonic()

    def __call__(self, *, last: bool) -> bool:
        """Whether to show now; always for the last row."""
        now = time.monotonic()
        if not last and now - self._shown < self._interval_s:
            return False
        self._shown = now
        return True

    def note(self, tally: Tally) -> str:
        """Rates and counts of this session, in words."""
        seconds = max(time.monotonic() - self._began, 1e-9)
        parts = [f"{(tally.accepted + tally.rejected) / seconds:.1f} rows/s"]
        if tally.completion_tokens:
            parts.append(f"{tally.completion_tokens / seconds:.0f} tokens/s")
        if tally.in_flight > 1:
            parts.append(f"{tally.in_flight} in flight")
        if tally.rejected:
            parts.append(f"{tally.rejected} rejected")
        if tally.waiting:
            parts.append(f"{tally.waiting} waiting")
        return ", ".join(parts)


def _finished(tally: Tally) -> int:
    return tally.done + tally.accepted + tally.rejected


def _over(tally: Tally) -> bool:
    return _finished(tally) + tally.waiting >= tally.rows
