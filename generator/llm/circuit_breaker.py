"""Circuit breaker: stop asking an endpoint that is down, try it now and then, give up after `llm.patience_s`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from census_personas.generator.llm.chat import EndpointError, LLMError, TransientError, UnreachableError

logger = logging.getLogger(__name__)
# Failures in a row, over all requests, that make an outage. A refused connection makes one at once: no working
# server refuses connections.
THRESHOLD = 10
# An endpoint that never answered is probably not there, or its address is misspelt: fail soon.
_FIRST_PATIENCE_S = 2.0
_FIRST_TRIAL_S = 0.25
_LONGEST_TRIAL_S = 10.0


class CircuitBreaker:
    """Closed while the endpoint answers. While it is open, one request at a time tries the endpoint; others wait.

    Time is the event loop's monotonic clock, so changes of the wall clock do not matter.
    """

    def __init__(
        self, shown: str, patience_s: float, answered_others: Callable[[], bool] = lambda: False
    ) -> None:
        """`shown` names the endpoint in errors; `answered_others` says whether it has answered another process.

        An outage longer than `patience_s` ends the run. Before the first answer, an outage that outlasts a second
        trial and two seconds does.
        """
        self._shown = shown
        self._patience_s = patience_s
        self._answered_us, self._answered_others = False, answered_others
        self._failures = 0
        self._down_since = 0.0
        self._said = ""
        self._trial_at = 0.0
        self._delay = _FIRST_TRIAL_S
        self._closed: asyncio.Event | None = None

    @property
    def _answered(self) -> bool:
        return self._answered_us or self._answered_others()

    @property
    def is_open(self) -> bool:
        """Whether the endpoint is considered down."""
        return self._closed is not None

    @property
    def trial_is_due(self) -> bool:
        """Whether the endpoint is down and the next request may try it."""
        return self._closed is not None and asyncio.get_running_loop().time() >= self._trial_at

    async def admitted(self, alone: Callable[[], bool]) -> None:
        """Wait until a request may be sent. `alone` says whether no other endpoint can take it.

        Raises:
            TransientError: the endpoint is down and another one is up.
            EndpointError: the outage has outlasted the patience.
        """
        clock = asyncio.get_running_loop().time
        while (closed := self._closed) is not None:
            if self.trial_is_due:
                self._delay = min(2 * self._delay, _LONGEST_TRIAL_S)
                self._trial_at = clock() + self._delay
                return
            if not alone():
                raise TransientError(f"{self._shown} is down; another endpoint takes over")
            lost = self._down_since + (self._patience_s if self._answered else _FIRST_PATIENCE_S)
            if clock() >= lost:
                raise self._given_up(clock() - self._down_since)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(self._trial_at, lost)):
                    await closed.wait()

    def _given_up(self, down_s: float) -> EndpointError:
        if not self._answered:
            return EndpointError(
                self._said,
                hint=f"is a server running at {self._shown}? start it, or set llm.base_url or OPENAI_BASE_URL",
            )
        return EndpointError(
            f"{self._shown} has not answered for {down_s:.0f} s",
            hint="start the server again and repeat the command; finished answers are kept",
        )

    def succeeded(self) -> None:
        """Record that the endpoint answered; a refusal is an answer too."""
        self._answered_us = True
        self._failures = 0
        if self._closed is not None:
            logger.warning("%s answers again", self._shown)
            self._closed.set()
            self._closed = None

    def failed(self, error: LLMError, *, alone: bool) -> None:
        """Record that the endpoint did not answer or reported a fault; `alone` as for `admitted`."""
        now = asyncio.get_running_loop().time()
        self._said = str(error)
        self._failures += 1
        if self._failures == 1:
            self._down_since = now
        if self._closed is not None and now >= self._trial_at:
            # This trial took longer than the time to the next one, for example because packets are dropped.
            self._trial_at = now + self._delay
        is_down = self._failures >= THRESHOLD or isinstance(error, UnreachableError)
        if self._closed is None and is_down:
            if self._answered or not alone:  # else the run ends with this error anyway
                logger.warning("%s is down: %s", self._shown, error)
            self._closed = asyncio.Event()
            self._delay = _FIRST_TRIAL_S
            self._trial_at = now + self._delay
