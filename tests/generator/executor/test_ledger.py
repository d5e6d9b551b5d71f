"""The coordinator's account: limits found together, rows that are tried first, counts of workers that die."""

from __future__ import annotations

import pytest

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.executor.lease import GateReport, Lease, Report, RowsReport
from census_personas.generator.executor.leased_limits import LeasedGate
from census_personas.generator.executor.ledger import Ledger, add_accounts
from census_personas.generator.llm.chat import EndpointError, UnreachableError
from census_personas.generator.llm.circuit_breaker import CircuitBreaker
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.early_stop import UNREADABLE, EarlyStop, HopelessError
from census_personas.generator.run.pipeline import Tally

pytestmark = pytest.mark.quick


def ledger(workers: int = 2, rows: int = 1000, *, stops: bool = False, **llm: object) -> Ledger:
    config = LLMConfig.model_validate(llm)
    return Ledger(config, workers, EarlyStop(stops=stops), Tally(rows), lambda _: None)


def refused(row: int) -> Narrated:
    return Narrated({"row": row}, (), accepted=False, attempts=3, reasons=("empty: x",), asked=3)


@pytest.mark.parametrize("workers", [1, 8])
def test_workers_learn_one_limit(workers: int) -> None:
    room, desk = 100, ledger(workers, concurrency=4096)
    leases = [Lease("run", ((0, 0),))] * workers
    reached = []
    for _ in range(150):
        total = sum(lease.gates[0][0] for lease in leases)
        seconds = 0.5 * max(1.0, total / room)  # whoever is beyond the room waits
        for worker, (places, epoch) in enumerate(lease.gates[0] for lease in leases):
            answers = ((epoch, seconds, 100, True),) * places
            gate = GateReport(in_flight=places, waiting=500, answered=answers)
            leases[worker] = desk.exchange(worker, Report(gates=(gate,)))
        reached.append(sum(lease.gates[0][0] for lease in leases))
    assert max(reached) <= 4 * room
    assert room / 2 <= sorted(reached[50:])[50] <= 2 * room


def test_one_429_lowers_the_shared_limit() -> None:
    desk = ledger(2, concurrency=40)
    gate = GateReport(in_flight=0, waiting=100)
    for worker in (0, 1) * 3:  # a lease that was lowered is free for others one report later
        lease = desk.exchange(worker, Report(gates=(gate,)))
    assert lease.gates == ((20, 0),)
    lease = desk.exchange(1, Report(gates=(GateReport(in_flight=0, waiting=100, throttled=(0, 0)),)))
    assert lease.gates == ((8, 1),)  # the other may use its 20 until it has heard of it
    for worker in (0, 1) * 3:
        lease = desk.exchange(worker, Report(gates=(gate,)))
    assert lease.gates == ((14, 1),)


def test_early_stop_limits_all_workers() -> None:
    desk = ledger(3, stops=True)
    begun, seen = [0, 0, 0], [0, 0, 0]
    for turn in range(60):
        worker = turn % 3
        results = tuple(refused(seen[worker] + i) for i in range(begun[worker] - seen[worker]))
        seen[worker] = begun[worker]
        report = Report(rows=RowsReport(in_flight=0, waiting=50, seen=results), tallies={0: Tally(1000)})
        rows = desk.exchange(worker, report).rows
        begun[worker] += 0 if rows is None else rows
    assert sum(begun) == UNREADABLE
    assert isinstance(desk.error, HopelessError)
    assert desk.state == "stop"


def test_dead_workers_rows_count_once() -> None:
    tally = Tally(20)
    desk = Ledger(LLMConfig(), 2, EarlyStop(stops=False), tally, lambda _: None)
    desk.exchange(0, Report(tallies={3: Tally(10, accepted=4, in_flight=2)}))
    desk.exchange(1, Report(tallies={4: Tally(10, accepted=1)}))
    assert (tally.accepted, tally.in_flight) == (5, 2)
    desk.release(0)
    assert (tally.accepted, tally.in_flight) == (1, 0)
    desk.exchange(1, Report(tallies={3: Tally(10, accepted=6), 4: Tally(10, accepted=10)}))
    desk.finished(3, Tally(10, accepted=10))
    assert tally.accepted == 20


def test_accounts_add_counts() -> None:
    accounts = [{"requests": 2, "structured_output": "json_object"}, {"requests": 3, "retries": 1}]
    assert add_accounts(accounts) == {"requests": 5, "structured_output": "json_object", "retries": 1}


async def test_replacing_worker_is_patient() -> None:
    desk = ledger(2)
    silent = GateReport(in_flight=0, waiting=1)
    assert desk.exchange(0, Report(gates=(silent,))).answered == (False,)
    desk.exchange(0, Report(gates=(GateReport(in_flight=0, waiting=1, answered=((0, 0.5, 100, False),)),)))
    desk.release(0)
    lease = desk.exchange(2, Report(gates=(silent,)))
    gate = LeasedGate(8)
    circuit = CircuitBreaker("http://here", 0.1, lambda: gate.has_answered_others)
    circuit.failed(UnreachableError("nobody listens"), alone=True)
    await circuit.admitted(lambda: True)  # a trial, before an endpoint that never answered is given up
    (answered,) = lease.answered
    gate.follow(*lease.gates[0], has_answered=answered)
    with pytest.raises(EndpointError, match="has not answered for"):
        await circuit.admitted(lambda: True)
