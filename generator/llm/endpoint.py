"""Endpoint: one server, with the number of requests that suits it, its health and its dialect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import LLMError, ThrottledError, TransientError
from census_personas.generator.llm.circuit_breaker import CircuitBreaker
from census_personas.generator.llm.concurrency_limit import ConcurrencyLimit, Gate
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.llm.monitor import Monitor
from census_personas.generator.llm.payload import counted_tokens
from census_personas.generator.llm.transport import Address, Transport


class Endpoint:
    """Sends bodies when the gate and the circuit let them through, and tells both what became of them."""

    def __init__(
        self, config: LLMConfig, address: Address, transport: Transport, gate: Gate | None = None
    ) -> None:
        """The dialect is known when it is configured; else the first request finds it.

        `gate` admits requests where others share the endpoint; by default it has a limit of its own.
        """
        self.address = address
        self.transport = transport
        self.gate: Gate = gate or ConcurrencyLimit(config.concurrency)
        self.circuit = CircuitBreaker(address.shown, config.patience_s, lambda: self.gate.has_answered_others)
        self.configured = Dialect.of_config(config)
        """What the config says of the dialect."""
        self.dialect = None if config.structured_output == "auto" else self.configured
        self.has_answered = False
        """Whether a request was answered in the dialect, which is then settled."""
        self.assigned = 0
        self._monitor = Monitor(config, address, self.gate) if config.pace_by == "metrics" else None
        self._probe: asyncio.Task[Dialect] | None = None

    @property
    def load(self) -> float:
        """Requests assigned to it, as a share of those that it takes at once."""
        return self.assigned / self.gate.limit

    async def understood(self, detect: Callable[[], Coroutine[Any, Any, Dialect]]) -> Dialect:
        """Its dialect, found by one probe that all who wait for it share, and share the failure of."""
        if self.dialect is None:
            if self._probe is None:
                self._probe = asyncio.create_task(detect())
            probe = self._probe
            try:
                self.dialect = await asyncio.shield(probe)
                self.has_answered = True
            finally:
                if probe.done() and self._probe is probe:
                    self._probe = None
        return self.dialect

    async def aclose(self) -> None:
        """Release connections."""
        if self._monitor is not None:
            await self._monitor.aclose()
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait([self._probe])
        await self.transport.aclose()

    async def post(self, body: bytes, alone: Callable[[], bool]) -> Mapping[str, Any]:
        """One exchange; raises an `LLMError` when it fails. `alone`: no other endpoint could take it."""
        if self._monitor is not None:
            self._monitor.start()
        async with self.gate as epoch:
            await self.circuit.admitted(alone)
            clock = asyncio.get_running_loop().time
            started = clock()
            try:
                answer = await self.transport.post(body)
            except ThrottledError:
                self.circuit.succeeded()
                self.gate.throttled(epoch)
                raise
            except TransientError as error:
                self.circuit.failed(error, alone=alone())
                raise
            except LLMError:
                self.circuit.succeeded()
                raise
            self.circuit.succeeded()
            self.gate.answered(epoch, clock() - started, counted_tokens(answer))
            return answer
