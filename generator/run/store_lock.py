"""StoreLock: lets one coordinator at a time write a run at a URL.

Each holder has an object `lock/00001.json`, `lock/00002.json` and so on; the one with the highest number holds the
run. Objects are created by a put that the store refuses if the name exists, so that only one of two processes gets
the next number. The holder rewrites its object every sixth of a lease. A process that wants a run with a holder
watches the object: if it changes, the process gives up; if it stays the same for a whole lease by the process's own
clock, the holder is dead and the process takes the next number. No clocks of two machines are compared. A holder that
cannot renew for a lease, or sees a higher number, stops writing.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.run.object_store import ObjectStore, StoreError
from census_personas.generator.run.repeating import LostError, Repeating

log = logging.getLogger(__name__)
FOLDER = "lock"
_BEATS = 6
_LOOKS = 20  # reads of another holder's object in a lease


class StoreLock:
    """The right to write at a URL, which a thread renews."""

    def __init__(self, store: ObjectStore, lease: float) -> None:
        """`lease` is the number of silent seconds after which a holder counts as dead."""
        self._store, self._lease = store, lease
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._beats = 0
        self._renewal = Repeating(self._renew, lease / _BEATS, lease)
        self.number = 0
        """Number of this holder; it grows with each holder, so no two write objects of one name."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run; wait up to a lease if another process held it.

        Raises:
            ConfigError: another process is writing the run.
            StoreError: the store refuses access, or cannot refuse to overwrite an object.
        """
        self._take()
        self._renewal.succeeded = time.monotonic()
        self._renewal.start()
        try:
            yield
        finally:
            self._renewal.stop(self._lease)
            with suppress(StoreError):  # the lease expires by itself
                self.check()
                self._store.write(_name(self.number), self._content(released=True))

    @property
    def is_lost(self) -> bool:
        """Whether this process must no longer write."""
        try:
            self.check()
        except StoreError:
            return True
        return False

    def check(self) -> None:
        """Raise an error if another process has the lock, or may have it.

        Raises:
            LostError: the lock was taken over, or could not be renewed for a lease.
        """
        if self._renewal.error is not None:
            raise self._renewal.error
        if time.monotonic() - self._renewal.succeeded > self._lease:
            raise LostError(
                f"{self._store.url}: could not be reached for {self._lease:g} s; repeat the command later"
            )

    def _take(self) -> None:
        number = max(map(_number, self._store.sizes(FOLDER)), default=0)
        if number and not self._is_released(number):
            self._watch(number)
        self.number = number + 1
        if not self._store.create(_name(self.number), self._content()):
            raise ConfigError(
                f"{self._store.url}: another process has just taken over this run; let it finish"
            )
        if self._store.create(_name(self.number), self._content()):
            raise StoreError(
                f"{self._store.url}: ignores If-None-Match and replaces existing objects, so two processes could write "
                "this run; use a store that supports conditional writes"
            )
        for earlier in self._store.sizes(FOLDER):
            if _number(earlier) < self.number:
                self._store.remove(earlier)

    def _watch(self, number: int) -> None:
        """Return when the holder has been silent for a lease, or has released the run."""
        seen, until = self._read(number), time.monotonic() + self._lease
        owner = _value(seen, "owner")
        log.warning(
            "%s: locked by %s; waiting %g s to see whether it still writes",
            self._store.url,
            owner,
            self._lease,
        )
        while time.monotonic() < until:
            time.sleep(self._lease / _LOOKS)
            if self._read(number) != seen:
                if self._is_released(number):
                    return
                raise ConfigError(f"{self._store.url}: {owner} is writing this run; wait for it or stop it")

    def _renew(self) -> None:
        if max(map(_number, self._store.sizes(FOLDER)), default=0) > self.number:
            raise LostError(
                f"{self._store.url}: another process took over this run after this one was silent for "
                f"{self._lease:g} s; let it finish"
            )
        self._beats += 1
        self._store.write(_name(self.number), self._content())

    def _is_released(self, number: int) -> bool:
        return _value(self._read(number), "released") is True

    def _read(self, number: int) -> bytes:
        return self._store.read([_name(number)])[0]

    def _content(self, *, released: bool = False) -> bytes:
        content = {"owner": self._owner, "beats": self._beats, "lease_s": self._lease, "released": released}
        return json.dumps(content).encode()


def _name(number: int) -> str:
    return f"{FOLDER}/{number:05d}.json"


def _number(name: str) -> int:
    stem = name.rpartition("/")[2].removesuffix(".json")
    return int(stem) if stem.isdecimal() else 0


def _value(content: bytes, key: str) -> object:
    """Return a value of a lock's object; None if it was read while it was written."""
    try:
        return json.loads(content)[key]
    except (ValueError, LookupError, TypeError):
        return None
