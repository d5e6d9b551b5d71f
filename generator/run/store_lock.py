"""StoreLock: one coordinator at a time writes a run at a URL.

A holder is an object `lock/00001.json`, then `lock/00002.json` and so on; the highest number holds the run. An object
is made by a put that the store refuses where there is one of that name, so that of two processes one gets the next
number. The holder writes its own object anew every sixth of a lease. Whoever wants a run that is held watches the
object: when it changes, the run is refused; when it has stayed the same for a whole lease, by the watcher's own clock,
the holder is dead and the next number is taken. No two clocks are compared. A holder that cannot renew for a lease, or
sees a higher number, writes nothing more.
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
_LOOKS = 20  # at the object of another holder, in a lease


class StoreLock:
    """The right to write at a URL, held while a thread renews it."""

    def __init__(self, store: ObjectStore, lease: float) -> None:
        """`lease` is how many seconds a holder may be silent before it is taken for dead."""
        self._store, self._lease = store, lease
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._beats = 0
        self._renewal = Repeating(self._renew, lease / _BEATS, lease)
        self.number = 0
        """Grows with every holder: what it names is never written by two."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run; wait up to a lease where another process held it.

        Raises:
            ConfigError: another process is writing the run.
            StoreError: the store refuses, or does not keep two processes apart.
        """
        self._take()
        self._renewal.succeeded = time.monotonic()
        self._renewal.start()
        try:
            yield
        finally:
            self._renewal.stop(self._lease)
            with suppress(StoreError):  # it runs out by itself
                self.check()
                self._store.write(_name(self.number), self._content(released=True))

    @property
    def is_lost(self) -> bool:
        """Whether nothing may be written any more."""
        try:
            self.check()
        except StoreError:
            return True
        return False

    def check(self) -> None:
        """Refuse to go on with a lock that is another's by now, or may be.

        Raises:
            LostError: it was taken over, or could not be renewed for a lease.
        """
        if self._renewal.error is not None:
            raise self._renewal.error
        if time.monotonic() - self._renewal.succeeded > self._lease:
            raise LostError(
                f"{self._store.url}: could not be reached for {self._lease:g} s; repeat the command when it can"
            )

    def _take(self) -> None:
        number = max(map(_number, self._store.sizes(FOLDER)), default=0)
        if number and not self._is_released(number):
            self._watch(number)
        self.number = number + 1
        if not self._store.create(_name(self.number), self._content()):
            raise ConfigError(
                f"{self._store.url}: another process took this run over just now; let it finish"
            )
        if self._store.create(_name(self.number), self._content()):
            raise StoreError(
                f"{self._store.url}: replaces an object that it was asked not to (If-None-Match), so that two "
                "processes could write this run; take a store that refuses"
            )
        for earlier in self._store.sizes(FOLDER):
            if _number(earlier) < self.number:
                self._store.remove(earlier)

    def _watch(self, number: int) -> None:
        """Return when the holder has been silent for a lease, or has released."""
        seen, until = self._said(number), time.monotonic() + self._lease
        owner = _value(seen, "owner")
        log.warning(
            "%s: was held by %s; waiting %g s to see whether it still writes",
            self._store.url,
            owner,
            self._lease,
        )
        while time.monotonic() < until:
            time.sleep(self._lease / _LOOKS)
            if self._said(number) != seen:
                if self._is_released(number):
                    return
                raise ConfigError(f"{self._store.url}: {owner} is writing this run; wait for it or stop it")

    def _renew(self) -> None:
        if max(map(_number, self._store.sizes(FOLDER)), default=0) > self.number:
            raise LostError(
                f"{self._store.url}: another process took this run over, as this one was silent for "
                f"{self._lease:g} s; let it finish"
            )
        self._beats += 1
        self._store.write(_name(self.number), self._content())

    def _is_released(self, number: int) -> bool:
        return _value(self._said(number), "released") is True

    def _said(self, number: int) -> bytes:
        return self._store.read([_name(number)])[0]

    def _content(self, *, released: bool = False) -> bytes:
        said = {"owner": self._owner, "beats": self._beats, "lease_s": self._lease, "released": released}
        return json.dumps(said).encode()


def _name(number: int) -> str:
    return f"{FOLDER}/{number:05d}.json"


def _number(name: str) -> int:
    stem = name.rpartition("/")[2].removesuffix(".json")
    return int(stem) if stem.isdecimal() else 0


def _value(said: bytes, key: str) -> object:
    """A value of a lock's object; nothing where it was read while it was written."""
    try:
        return json.loads(said)[key]
    except (ValueError, LookupError, TypeError):
        return None
