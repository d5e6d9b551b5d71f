"""Lease: a worker's report to its coordinator, and what the worker may do until its next report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from census_personas.generator.executor.shared_budget import Allowance
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.pipeline import Tally

REPORT_S = 0.1
"""Seconds between two reports of a worker."""
State = Literal["run", "stop", "abort"]


@dataclass(frozen=True, slots=True)
class GateReport:
    """What a worker saw of one endpoint since its last report.

    Attributes:
        in_flight: number of requests that were sent and not answered.
        waiting: number of requests that wait for a place.
        answered: epoch, seconds and tokens of each answer, and whether all places were taken when it came.
        throttled: epoch of each 429.
        observed: the server's waiting requests, running requests and share of cache in use, if its metrics were read.
        is_silent: whether metrics were requested and the server has none.
    """

    in_flight: int
    waiting: int
    answered: tuple[tuple[int, float, int, bool], ...] = ()
    throttled: tuple[int, ...] = ()
    observed: tuple[float, float, float] | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class RowsReport:
    """The rows that a worker tries while the run may still stop early.

    Attributes:
        in_flight: number of rows in progress.
        waiting: number of further rows that the worker could begin.
        readable: whether an answer was readable.
        seen: rows that were paid for and finished since the last report, without their facts and texts.
    """

    in_flight: int = 0
    waiting: int = 0
    readable: bool = False
    seen: tuple[Narrated, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A worker's report; tokens and the account count from its start."""

    gates: tuple[GateReport, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    rows: RowsReport = RowsReport()
    tallies: Mapping[int, Tally] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker may do: places and epoch for each endpoint, spending, rows to try at once (None: any number).

    `answered`: whether each endpoint has answered a worker of this session; a worker that replaces another then waits
    through an outage instead of failing. `is_spent`: the budget of the session is spent, and no further request is
    sent.
    """

    state: State
    gates: tuple[tuple[int, int], ...] = ()
    answered: tuple[bool, ...] = ()
    allowance: Allowance = field(default_factory=Allowance)
    rows: int | None = None
    is_spent: bool = False
