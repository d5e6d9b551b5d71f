"""Repeating: a thread that repeats some work while a run goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from census_personas.generator.run.object_store import StoreError

log = logging.getLogger(__name__)


class LostError(StoreError):
    """Another process has taken over the lock; trying again does not help."""


class Repeating:
    """Does some work every few seconds; after a failure, tries again until `patience` has passed."""

    def __init__(self, work: Callable[[], None], every: float, patience: float) -> None:
        """Take the work and, in seconds, its interval and patience; nothing starts before `start`."""
        self._work, self._every, self._patience = work, every, patience
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.succeeded = time.monotonic()
        """Time at which the last successful work began."""
        self.error: StoreError | None = None
        """The error that ended the work; None while it goes on."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, most: float | None = None) -> None:
        """Begin no further work, and wait for work in progress, at most `most` seconds if it may hang."""
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
