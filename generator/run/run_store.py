"""RunStore: a run folder at a URL, with a local copy that the run works in.

The run works in the local folder, the staging folder, as in any run folder. This class alone downloads the files at
the URL into it, and uploads what the run finishes: the answers of open shards every few seconds, the files of a shard
when it is closed (its part last, as on a disk), and report, card and manifest at the end. The URL decides: files in
the staging folder that differ from it are replaced, and an empty staging folder is enough.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.run_layout import COPIES, RunLayout
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.run.findings import is_sealed_as
from census_personas.generator.run.folder_lock import locked
from census_personas.generator.run.journal_segments import JournalSegments, journals_in
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.object_store import ObjectStore, StoreError
from census_personas.generator.run.pipeline import Tally
from census_personas.generator.run.repeating import Repeating
from census_personas.generator.run.shard_store import read_shard
from census_personas.generator.run.store_lock import FOLDER, StoreLock

log = logging.getLogger(__name__)
_MARK = ".url"
_MANIFEST = "manifest.json"
_END = 1 << 16  # bytes at the end of a Parquet file: its footer, with the digest of the whole file
_TRANSFERS = 8

Signature = tuple[int, int, int]


def staging_of(url: str, config: Config) -> Path:
    """Return the staging folder of a run at a URL."""
    if config.runtime.staging is not None:
        return Path(config.runtime.staging)
    url = url.rstrip("/")
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    return platformdirs.user_cache_path("census-personas") / "staging" / f"{url.rpartition('/')[2]}-{digest}"


@contextmanager
def local_folder(
    config: Config, place: Path | str, observe: Callable[[Tally], None]
) -> Iterator[tuple[Path, Callable[[Tally], None]]]:
    """Yield the local folder of a run and its observer; for a run at a URL, those of its store."""
    if isinstance(place, Path):
        yield place, observe
        return
    store = RunStore(place, config)
    with store.opened() as staging:
        yield staging, store.watched(observe)


class RunStore:
    """One run at a URL, written by one coordinator."""

    def __init__(self, url: str, config: Config) -> None:
        """Take URL and config; send no request yet.

        Raises:
            ConfigError: a run cannot be written to this URL, or the library for it is not installed.
        """
        if str(config.runtime.executor) != "local" and config.runtime.staging is None:
            raise ConfigError(
                f"{url}: workers on other machines write to its staging folder; set runtime.staging to a folder that "
                "all of them share"
            )
        self._store = ObjectStore(url)
        self._shard_rows = config.output.shard_rows
        self._layout = layout = RunLayout(staging_of(url, config).absolute())
        # The files of a shard, in the order of their upload. Copies in other formats are uploaded at the end.
        self._kinds = (layout.findings, layout.rejected, layout.judged, layout.parts)
        runtime = config.runtime
        self._lock = StoreLock(self._store, runtime.lease_s)
        self._segments = JournalSegments(self._store, self._lock, self._layout.journal)
        every, patience = runtime.publish_s, runtime.lease_s + runtime.publish_s
        # Two, so that the upload of a large part does not delay that of answers.
        self._loops = (
            Repeating(self._segments.publish, every, patience),
            Repeating(self._publish_closed, every, patience),
        )
        self._parts: dict[str, Signature] = {}
        self._running: Signature | None = None

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Lock the run, download it, upload what it finishes, and at the end everything else.

        Yields:
            The staging folder, to be used as the run's folder.

        Raises:
            ConfigError: another process is writing the run, or the URL holds something else.
            StoreError: the store cannot be reached or refuses access.
        """
        with self._lock.held():
            self._claim()
            with locked(self._layout.path):
                self._fetch()
            try:
                with self._publishing():
                    yield self._layout.path
            except (
                BaseException
            ):  # Ctrl-C and a cancelled task too: their paid answers are put there before they go on
                try:
                    self._publish_all()
                except StoreError as error:  # the error that ended the run matters more, and is raised
                    log.warning("%s; files that were not uploaded are in %s", error, self._layout.path)
                raise
            self._publish_all()

    def watched(self, observe: Callable[[Tally], None]) -> Callable[[Tally], None]:
        """Return an observer that ends the run when uploads fail for good."""

        def observed(tally: Tally) -> None:
            self._lock.check()
            for loop in self._loops:
                if loop.error is not None:
                    raise loop.error
            observe(tally)

        return observed

    def _claim(self) -> None:
        """Use the staging folder if it is empty or belongs to this URL; refuse it otherwise."""
        folder, mark = self._layout.path, self._layout.path / _MARK
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder}: is a file; set runtime.staging to a folder")
        if folder.is_dir() and any(folder.iterdir()):
            owner = mark.read_text(encoding="utf-8").strip() if mark.is_file() else "something else"
            if owner != self._store.url:
                raise ConfigError(
                    f"{folder}: holds {owner} and cannot be the staging folder of {self._store.url}; set "
                    "runtime.staging to an empty folder"
                )
        write_whole(mark, f"{self._store.url}\n")

    def _fetch(self) -> None:
        sizes = {
            name: size for name, size in self._store.sizes().items() if not name.startswith(f"{FOLDER}/")
        }
        segments = journals_in(sizes)
        if _MANIFEST not in sizes and len(segments) < len(sizes):
            raise ConfigError(f"{self._store.url}: is not empty and holds no run; give another URL")
        if _MANIFEST not in sizes:
            self._clear()
        for name in sizes:
            if "/" not in name:
                self._store.get(name, self._layout.path / name)
        self._fetch_shards(sizes)
        self._segments.fetch(segments, self._is_open)

    def _clear(self) -> None:
        """Delete the files of a run that the store does not have; keep its answers."""
        for place in (
            *self._layout.path.iterdir(),
            *(f for kind in self._layout.by_shard for f in kind.glob("*")),
        ):
            if place.is_file() and place.name not in {_MARK, self._layout.lock.name}:
                place.unlink()

    def _fetch_shards(self, sizes: dict[str, int]) -> None:
        """Make the local files of each shard that has a part at the URL equal to those there."""
        kinds = [kind.name for kind in self._kinds]
        parts = {Path(name).stem for name in sizes if name.startswith(f"{self._layout.parts.name}/")}
        wanted = [name for name in sizes if Path(name).parent.name in kinds and Path(name).stem in parts]
        for kind in self._kinds:
            for file in kind.glob("part-*"):
                if file.stem in parts and f"{kind.name}/{file.name}" not in sizes:
                    file.unlink()
        missing = [name for name in wanted if name not in self._same(wanted, sizes)]
        with ThreadPoolExecutor(_TRANSFERS) as pool:
            for _ in pool.map(lambda name: self._store.get(name, self._layout.path / name), missing):
                pass
        for part in parts:
            self._parts[part] = _signature(self._layout.parts / f"{part}.parquet")

    def _same(self, names: list[str], sizes: dict[str, int]) -> set[str]:
        """Return the names of files that are the same locally: same size and same footer, which holds the seal."""
        sealed = [name for name in names if name.endswith(".parquet")]
        there = [name for name in sealed if _size(self._layout.path / name) == sizes[name]]
        ends = self._store.read_ends(there, [sizes[name] for name in there], _END)
        return {name for name, end in zip(there, ends, strict=True) if _end(self._layout.path / name) == end}

    def _is_open(self, part: str) -> bool:
        """Return whether a shard may be written again and therefore needs its answers."""
        info = read_shard(self._layout.parts / f"{part}.parquet")
        if info is None or info.rejected or info.stop - info.start < self._shard_rows:
            return True
        findings = self._layout.findings / f"{part}.parquet"
        return bool(info.findings_sha256) and not is_sealed_as(findings, info.findings_sha256)

    @contextmanager
    def _publishing(self) -> Iterator[None]:
        for loop in self._loops:
            loop.start()
        try:
            yield
        finally:
            for loop in self._loops:
                loop.stop(0.0 if self._lock.is_lost else None)

    def _publish_closed(self) -> None:
        """Upload the files of shards that were closed since the last time; first the run's config and manifest."""
        self._publish_running()
        for file in sorted(self._layout.parts.glob("part-*.parquet")):
            signature = _signature(file)
            if self._parts.get(file.stem) != signature:
                self._publish_shard(file.stem)
                self._parts[file.stem] = signature

    def _publish_running(self) -> None:
        """Upload the manifest of a running run, which marks the URL as a run; a final manifest is uploaded last."""
        layout = self._layout
        if layout.manifest.exists() and self._running != (signature := _signature(layout.manifest)):
            manifest = Manifest.read(layout.path)
            if manifest is not None and manifest.state == "running":
                self._put(layout.config)
                self._put(layout.manifest)
                self._running = signature

    def _publish_shard(self, part: str) -> None:
        """Upload the files about a shard's rows, and last its part, which closes the shard."""
        self._segments.publish()
        for kind in self._kinds:
            files = [*kind.glob(f"{part}.*")]
            for file in files:
                self._put(file)
            if not files:
                self._remove(f"{kind.name}/{part}{'.parquet' if kind == self._layout.findings else '.jsonl'}")

    def _publish_all(self) -> None:
        """Upload everything that is not there yet, the manifest last."""
        self._segments.publish()
        self._publish_closed()
        self._publish_copies()
        for file in sorted(self._layout.path.iterdir()):
            if file.is_file() and file.name[0] != "." and file != self._layout.manifest:
                self._put(file)
        if self._layout.manifest.exists():
            self._put(self._layout.manifest)

    def _publish_copies(self) -> None:
        """Upload the copies in other formats, and remove those that the config no longer names."""
        for kind in map(self._layout.copies, COPIES):
            files = sorted(kind.glob("part-*"))
            for file in files:
                self._put(file)
            for name in self._store.sizes(kind.name).keys() - {f"{kind.name}/{file.name}" for file in files}:
                self._remove(name)

    def _remove(self, name: str) -> None:
        self._lock.check()
        self._store.remove(name)

    def _put(self, file: Path) -> None:
        self._lock.check()
        self._store.put(file.relative_to(self._layout.path).as_posix(), file)


def _signature(file: Path) -> Signature:
    """Return size, time and inode of a file, which change when it is rewritten."""
    state = file.stat()
    return state.st_size, state.st_mtime_ns, state.st_ino


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else -1


def _end(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _END))
        return opened.read()
