"""Repeating: work that a thread does again and again beside a run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from census_personas.generator.run.object_store import StoreError

log = logging.getLogger(__name__)


class LostError(StoreError):
    """Another process has taken over what this one held; trying again does not help."""


class Repeating:
    """Does some work every few seconds; a failure is tried again until it has lasted too long."""

    def __init__(self, work: Callable[[], None], every: float, patience: float) -> None:
        """`every` and `patience` are seconds; nothing happens before `start`."""
        self._work, self._every, self._patience = work, every, patience
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.succeeded = time.monotonic()
        """When the last work that succeeded was begun."""
        self.error: StoreError | None = None
        """What ended the work, when it failed for longer than its patience."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, most: float | None = None) -> None:
        """Begin nothing more, and wait for what is being done, for `most` seconds where that may hang."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(most)

    def _run(self) -> None:
        while self.error is None and not self._ended.wait(self._every):
            began = time.monotonic()
            try:
                self._work()
            except LostError as error:
                self.error = error
            except StoreError as error:
                log.warning("%s", error)
                if time.monotonic() - self.succeeded > self._patience:
                    self.error = error
            else:
                self.succeeded = began
