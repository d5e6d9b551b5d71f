"""Event loop: runs async work to its end, for callers with or without a running loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
_LOOK_S = 0.02  # seconds between checks whether the work has ended or the wait was cancelled


def run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run async work from sync code and wait for it.

    Without a running loop this is `asyncio.run`. If a loop runs in this thread, as in a notebook, the work runs in
    another thread with its own loop. An interrupt, or a cancellation of the waiting task, cancels the work, waits until
    the work has closed its files, and is then raised.

    Raises:
        KeyboardInterrupt, asyncio.CancelledError: the wait was interrupted; the work has ended.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return asyncio.run(work())
    before = task.cancelling() if task else 0
    background = _Background(work)
    interrupt: BaseException | None = None
    while True:
        try:
            background.start()
            # Sleep instead of waiting on a lock: an interrupt may leave a lock held, or a thread marked as ended.
            while not background.ended:
                time.sleep(_LOOK_S)
                # Under `asyncio.run` the first Ctrl-C cancels the task, which sync code must check for.
                if task and task.cancelling() > before and interrupt is None:
                    interrupt = asyncio.CancelledError()
                    background.cancel()
            break
        except KeyboardInterrupt as error:
            interrupt = error
            background.cancel()
    if interrupt is not None:
        raise interrupt
    return background.outcome.result()


async def run_beside(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run async work in another thread with its own loop, so that the caller's loop stays free.

    A cancellation is passed to the work, and raised when the work has ended.
    """
    background = _Background(work)
    background.start()
    outcome = asyncio.wrap_future(background.outcome)
    cancelled = False
    while not outcome.done():
        try:
            await asyncio.wait([outcome])
        except asyncio.CancelledError:
            cancelled = True
            background.cancel()
    if cancelled:
        raise asyncio.CancelledError from outcome.exception()
    return outcome.result()


class _Background(Generic[Result]):
    """Async work in its own thread, and its outcome."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self.outcome: Future[Result] = Future()
        self.outcome.set_running_or_notify_cancel()  # from now on only the work sets the outcome
        self._work = work
        self._lock = threading.Lock()
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._begun = False
        self.ended = False

    def start(self) -> None:
        """Begin the work once, however often this is called.

        An interrupt during the first call leaves it unknown whether a thread began; the call can then be repeated.
        """
        if not self._begun:
            run_here = contextvars.copy_context().run
            threading.Thread(target=run_here, args=(self._run,), name="personas", daemon=True).start()

    def cancel(self) -> None:
        """Cancel the work, even if it has not begun; each call cancels it again."""
        with self._lock:
            self._cancelled = True
            if self._task is not None:
                with suppress(RuntimeError):  # the loop is closed: the work has ended
                    self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        with self._lock:
            if self._begun:
                return
            self._begun = True
        try:
            result = asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001  raised to whoever waits for the outcome
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)
        self.ended = True

    async def _main(self) -> Result:
        with self._lock:
            self._task = asyncio.current_task()
            if self._cancelled and self._task:
                self._task.cancel()
        return await self._work()
