"""JournalSegments: the answers of open shards at a URL, uploaded in segments.

A store cannot append to an object. The lines that a shard's journal has grown by are uploaded as an object of their
own, `journal/part-00000/answers-00001-000000000000.jsonl`: the number of the lock's holder, then the byte offset in
the local journal. The segments in the order of their names are the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path

from census_personas.foundation.atomic_file import whole_file
from census_personas.generator.run.object_store import ObjectStore
from census_personas.generator.run.store_lock import StoreLock

JOURNAL = "journal"
_ANSWERS = "answers.jsonl"


class JournalSegments:
    """Downloads journals from a store, and uploads what they grow by."""

    def __init__(self, store: ObjectStore, lock: StoreLock, folder: Path) -> None:
        """Take the store, its lock and the run's local folder of journals."""
        self._store, self._lock, self._folder = store, lock, folder
        self._put: dict[str, int] = {}
        self._one_at_a_time = threading.Lock()

    def fetch(self, names: Iterable[str], is_open: Callable[[str], bool]) -> None:
        """Download the answers of open shards into local journals; `is_open` takes a name such as `part-00000`."""
        by_part = {part: list(its) for part, its in groupby(sorted(names), lambda name: name.split("/")[1])}
        for place in self._folder.glob(f"*/{_ANSWERS}"):
            if not is_open(place.parent.name):
                self._put[place.parent.name] = place.stat().st_size
        for part, segments in by_part.items():
            if is_open(part):
                self._fetch_one(part, segments)

    def publish(self) -> None:
        """Upload the lines that were added since the last time.

        Raises:
            StoreError: the store refuses, or the lock was lost; the local lines stay and are uploaded next time.
        """
        with self._one_at_a_time:
            for file in sorted(self._folder.glob(f"*/{_ANSWERS}")):
                self._publish_one(file.parent.name, file)

    def _fetch_one(self, part: str, segments: list[str]) -> None:
        """Join the segments; append the local journal if it does not begin with them."""
        stored = b"".join(self._store.read(segments))
        file = self._folder / part / _ANSWERS
        local = file.read_bytes() if file.exists() else b""
        if not local.startswith(stored):
            with whole_file(file) as partial:
                partial.write_bytes(stored if stored.startswith(local) else stored + local)
        self._put[part] = len(stored)

    def _publish_one(self, part: str, file: Path) -> None:
        size = file.stat().st_size
        begin = min(self._put.get(part, 0), size)  # the journal cuts off a failed write
        if size == begin:
            return
        with file.open("rb") as journal:
            journal.seek(begin)
            grown = journal.read(size - begin)
        whole = grown[: grown.rfind(b"\n") + 1]
        if whole:
            self._lock.check()
            self._store.write(f"{JOURNAL}/{part}/answers-{self._lock.number:05d}-{begin:012d}.jsonl", whole)
            self._put[part] = begin + len(whole)


def journals_in(sizes: Mapping[str, int]) -> list[str]:
    """Return the names of segments among those of all objects."""
    return [name for name in sizes if name.startswith(f"{JOURNAL}/") and name.count("/") == 2]
