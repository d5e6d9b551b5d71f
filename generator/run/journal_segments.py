"""JournalSegments: the answers of open shards at a URL, in pieces that are put as they come.

A store cannot append. What a shard's journal has grown by is put as an object of its own,
`journal/part-00000/answers-00001-000000000000.jsonl`: the number of the lock's holder, then the byte of the local
journal that it begins with. In the order of their names they are the journal.
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
    """Fetches journals from a store, and puts there what they grow by."""

    def __init__(self, store: ObjectStore, lock: StoreLock, folder: Path) -> None:
        """`folder` is the run's local folder of journals."""
        self._store, self._lock, self._folder = store, lock, folder
        self._put: dict[str, int] = {}
        self._one_at_a_time = threading.Lock()

    def fetch(self, names: Iterable[str], is_open: Callable[[str], bool]) -> None:
        """Have the answers of the shards that are open, as `is_open` says of `part-00000`, in local journals."""
        by_part = {part: list(its) for part, its in groupby(sorted(names), lambda name: name.split("/")[1])}
        for place in self._folder.glob(f"*/{_ANSWERS}"):
            if not is_open(place.parent.name):
                self._put[place.parent.name] = place.stat().st_size
        for part, segments in by_part.items():
            if is_open(part):
                self._fetch_one(part, segments)

    def publish(self) -> None:
        """Put what has come since the last time.

        Raises:
            StoreError: the store refuses, or the lock was lost; what is local stays and is put the next time.
        """
        with self._one_at_a_time:
            for file in sorted(self._folder.glob(f"*/{_ANSWERS}")):
                self._publish_one(file.parent.name, file)

    def _fetch_one(self, part: str, segments: list[str]) -> None:
        """Join the segments; where the local journal does not begin with them, its answers follow."""
        stored = b"".join(self._store.read(segments))
        file = self._folder / part / _ANSWERS
        local = file.read_bytes() if file.exists() else b""
        if not local.startswith(stored):
            with whole_file(file) as partial:
                partial.write_bytes(stored if stored.startswith(local) else stored + local)
        self._put[part] = len(stored)

    def _publish_one(self, part: str, file: Path) -> None:
        size = file.stat().st_size
        begin = min(self._put.get(part, 0), size)  # a write that failed, as on a full disk, is cut off again
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
    """The names of segments among those of all objects."""
    return [name for name in sizes if name.startswith(f"{JOURNAL}/") and name.count("/") == 2]
