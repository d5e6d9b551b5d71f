"""Ledger: the coordinator's account of what all workers hold, spend and have done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.executor.lease import GateReport, Lease, Report, RowsReport, State
from census_personas.generator.executor.shared_budget import SharedBudget
from census_personas.generator.executor.shared_places import SharedPlaces
from census_personas.generator.llm.concurrency_limit import ConcurrencyLimit
from census_personas.generator.run.early_stop import EarlyStop
from census_personas.generator.run.pipeline import Tally

_COUNTS = ("accepted", "rejected", "waiting", "in_flight", "prompt_tokens", "completion_tokens")


class Ledger:
    """Answers each worker's report with its share of the limits, which hold for all workers together.

    One `ConcurrencyLimit` an endpoint learns from the answers of all workers, as it does in a run without workers.
    """

    def __init__(
        self,
        config: LLMConfig,
        workers: int,
        early_stop: EarlyStop,
        tally: Tally,
        observe: Callable[[Tally], None],
    ) -> None:
        """Take the limits and the number of workers; `tally` is kept up to date and passed to `observe`."""
        self.state: State = "run"
        self.error: Exception | None = None
        self._config = config
        self._budget = SharedBudget(config, workers)
        self._gates: list[_SharedGate] = []
        self._early_stop, self._rows = early_stop, SharedPlaces()
        self._tally, self._observe = tally, observe
        self._open: dict[int, Mapping[int, Tally]] = {}
        self._finished = Tally(tally.rows)
        self._accounts: dict[int, Mapping[str, Any]] = {}

    @property
    def is_stopping(self) -> bool:
        """Whether no further row is begun."""
        return self.state != "run"

    def stop(self) -> None:
        """Begin no further row."""
        if self.state == "run":
            self.state = "stop"

    def abort(self) -> None:
        """Drop the rows in flight as well."""
        self.state = "abort"

    def fail(self, error: Exception, *, at_once: bool) -> None:
        """End the session with an error; the first one is raised. With `at_once`, rows in flight are dropped."""
        self.error = self.error or error
        if at_once:
            self.abort()
        else:
            self.stop()

    def exchange(self, worker: int, report: Report) -> Lease:
        """Take a worker's report and return its lease."""
        self._accounts[worker] = report.account
        self._open[worker] = report.tallies
        allowance = self._budget.allow(
            worker, report.prompt_tokens, report.completion_tokens, wants=bool(report.tallies)
        )
        if spent := self._budget.error:
            self.fail(spent, at_once=False)
        gates = tuple(
            self._gate(place).lease(worker, gate, is_watch=worker == min(self._open))
            for place, gate in enumerate(report.gates)
        )
        rows = self._rows_to_try(worker, report.rows)
        self._show()
        answered = tuple(gate.has_answered for gate in self._gates[: len(gates)])
        return Lease(self.state, gates, answered, allowance, rows, is_spent=self._budget.error is not None)

    def release(self, worker: int) -> None:
        """Take back a worker's lease and forget its counts of unfinished shards, which another worker will count."""
        self._budget.release(worker)
        self._open.pop(worker, None)
        for gate in self._gates:
            gate.release(worker)
        self._rows.release(worker)
        self._show()

    def finished(self, shard: int, tally: Tally) -> None:
        """Count the rows of a shard that is no longer open."""
        self._open = {
            worker: {index: open_ for index, open_ in tallies.items() if index != shard}
            for worker, tallies in self._open.items()
        }
        _add(self._finished, tally)
        self._show()

    def account(self) -> dict[str, Any]:
        """Return the combined account of all workers: counts are added; of other values the last one is kept."""
        return add_accounts(self._accounts.values())

    def _gate(self, place: int) -> _SharedGate:
        while place >= len(self._gates):
            self._gates.append(_SharedGate(self._config.concurrency))
        return self._gates[place]

    def _rows_to_try(self, worker: int, report: RowsReport) -> int | None:
        stop = self._early_stop
        if report.readable:
            stop.hear(readable=True)
        for result in report.seen:
            stop.see(result)
        if (hopeless := stop.verdict()) and self._left():
            self.fail(hopeless, at_once=False)
        if stop.limit is None or self.is_stopping:
            return None
        return self._rows.lease(
            worker, report.in_flight, report.in_flight + report.waiting, stop.limit - stop.tried
        )

    def _left(self) -> int:
        """Return the number of this session's rows that are not finished."""
        tally = self._sum()
        return tally.rows - self._tally.done - tally.accepted - tally.rejected - tally.waiting

    def _sum(self) -> Tally:
        total = Tally(self._tally.rows)
        for tally in (self._finished, *(t for tallies in self._open.values() for t in tallies.values())):
            _add(total, tally)
        return total

    def _show(self) -> None:
        total = self._sum()
        changed = [name for name in _COUNTS if getattr(total, name) != getattr(self._tally, name)]
        for name in changed:
            setattr(self._tally, name, getattr(total, name))
        if changed:
            self._observe(self._tally)


class _SharedGate:
    """The concurrency limit of one endpoint, learned from the answers of all workers and shared by them."""

    def __init__(self, ceiling: int) -> None:
        self._places = SharedPlaces()
        self._in_flight: dict[int, int] = {}
        self._limit = ConcurrencyLimit(ceiling)
        self.has_answered = False

    def lease(self, worker: int, report: GateReport, *, is_watch: bool) -> tuple[int, int]:
        """Learn from a worker's report; return its places and their epoch.

        All workers observe the same server queue; only the observations of the worker with `is_watch` are used.
        """
        limit = self._limit
        self.has_answered |= bool(report.answered or report.throttled)
        for epoch, seconds, tokens, was_full in report.answered:
            limit.in_flight = limit.limit if was_full else 0
            limit.answered(epoch, seconds, tokens)
        for epoch in report.throttled:
            limit.throttled(epoch)
        self._in_flight[worker] = report.in_flight
        limit.in_flight = sum(self._in_flight.values())
        if is_watch and report.observed is not None:
            limit.observed(*report.observed)
        elif is_watch and report.is_silent:
            limit.unobserved()
        wanted = report.in_flight + report.waiting
        return self._places.lease(worker, report.in_flight, wanted, limit.limit), limit.epoch

    def release(self, worker: int) -> None:
        """Take back all places of a worker."""
        self._in_flight.pop(worker, None)
        self._places.release(worker)


def _add(total: Tally, more: Tally) -> None:
    for name in _COUNTS:
        setattr(total, name, getattr(total, name) + getattr(more, name))


def add_accounts(accounts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Combine accounts: counts are added; of other values the last one is kept."""
    total: dict[str, Any] = {}
    for account in accounts:
        for name, value in account.items():
            total[name] = total.get(name, 0) + value if type(value) is int else value
    return total
