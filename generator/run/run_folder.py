"""RunFolder: the files of one run, locked, and which of its shards are finished."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from census_personas.foundation.atomic_file import PARTIAL, write_whole
from census_personas.foundation.record_reader import read_records
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.schema import Table
from census_personas.generator.config.config_file import with_places
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.findings import is_sealed_as, write_findings
from census_personas.generator.run.folder_lock import locked
from census_personas.generator.run.manifest import Manifest, State
from census_personas.generator.run.rejections import write_rejections
from census_personas.generator.run.shard_copies import write_copies
from census_personas.generator.run.shard_store import Shard, ShardInfo, is_of_run, read_shard, write_shard
from census_personas.generator.run.verdicts import write_verdicts

log = logging.getLogger(__name__)


class RunFolder:
    """The folder of one run. Progress is read from the finished shards on disk; the manifest summarizes them."""

    def __init__(self, path: Path, config: Config, manifest: Manifest, table: Table) -> None:
        """Use `opened`, which locks the folder and compares it with the configuration."""
        self.path = path
        self.layout = RunLayout(path)
        self.config = config
        self.manifest = manifest
        self.table = table

    @staticmethod
    def refuse(path: Path, manifest: Manifest) -> Manifest | None:
        """Refuse a folder that the run must not be written into; change nothing.

        Returns:
            The manifest of the run in the folder, which this one resumes; None for a new folder.

        Raises:
            ConfigError: the folder holds another run, something else, or more rows.
        """
        _refuse_foreign(path)
        if earlier := Manifest.read(path):
            _refuse_other(path, earlier, manifest)
        return earlier

    @classmethod
    @contextmanager
    def opened(cls, path: Path, config: Config, manifest: Manifest, table: Table) -> Iterator[RunFolder]:
        """Create or resume the folder and lock it.

        Raises:
            ConfigError: the folder holds another run, something else, or more rows; or is in use.
            UnwritableError: the disk is full, or writing is not permitted.
        """
        _refuse_foreign(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be created as a run folder ({error.strerror}); give a folder that you may write to"
            ) from error
        with locked(path):
            if earlier := cls.refuse(path, manifest):
                manifest = _continued(earlier, manifest)
            folder = cls(path, config, manifest, table)
            folder.tidy()
            manifest.write(path)  # first: the manifest marks a folder as a run, even if the process ends now
            folder.write_config()
            yield folder

    def tidy(self) -> None:
        """Delete the partial files of killed processes.

        Raises:
            ConfigError: the folder of parts holds a Parquet file that is not a part of the run.
        """
        for place in self.layout.by_shard:
            for partial in place.glob(f".*{PARTIAL}"):
                partial.unlink(missing_ok=True)
        ours = {self.layout.part(shard.index) for shard in self.shards()}
        for file in sorted(self.layout.parts.glob("*.parquet")):
            if file not in ours:
                raise ConfigError(f"{file}: is not a part of this run; move it out of the run's folder")

    @property
    def allowance(self) -> int:
        """Number of attempts that a row has in total: each round adds the configured attempts.

        The journal answers earlier attempts, so only new ones cost requests.
        """
        return self.config.validation.max_attempts * self.manifest.round

    def shards(self) -> tuple[Shard, ...]:
        """Return all shards of the run; the last one may be shorter."""
        step, rows = self.config.output.shard_rows, self.config.rows
        starts = range(0, rows, step)
        return tuple(Shard(index, start, min(start + step, rows)) for index, start in enumerate(starts))

    def own_shards(self) -> tuple[Shard, ...]:
        """Return the shards that this job writes: all of them, unless several jobs share the run."""
        return tuple(shard for shard in self.shards() if self.config.runtime.has_shard(shard.index))

    def pending(self) -> tuple[Shard, ...]:
        """Return the shards to write: missing, spoilt, extended, or with rows rejected in an earlier round.

        A shard that is extended keeps its rows if no journal has them.
        """
        judged = map(self.as_it_stands, self.own_shards())
        return tuple(shard for shard in judged if shard is not None)

    def as_it_stands(self, shard: Shard) -> Shard | None:
        """Return the shard with the number of rows that its part has; None if it needs no further work."""
        done = self._done(shard)
        return replace(shard, done=done) if done < shard.stop - shard.start else None

    def _done(self, shard: Shard) -> int:
        """Return the number of rows at the start of the shard that need no further work."""
        info = self._part(shard)
        if info is None or info.start != shard.start or info.stop > shard.stop:
            if os.path.lexists(file := self.layout.part(shard.index)):
                log.warning(
                    "%s: is damaged, or was not written by this run; its rows are narrated again", file
                )
            return 0
        if not self._has_findings(shard, info):
            file = self.layout.findings_part(shard.index)
            log.warning("%s: is missing, damaged or of another part; its rows are narrated again", file)
            return 0
        settled = info.rejected == 0 or info.round >= self.manifest.round
        kept = info.stop == shard.stop or not self.journaled
        return info.stop - info.start if settled and kept else 0

    @property
    def journaled(self) -> bool:
        """Whether answers are kept in a journal; the offline narrator repeats them as fast as they are read."""
        return self.config.llm.backend != "offline"

    def info(self, shard: Shard) -> ShardInfo | None:
        """Return the account in a shard's part; None unless part and findings are intact and of this run."""
        info = self._part(shard)
        return info if info is not None and self._has_findings(shard, info) else None

    def _part(self, shard: Shard) -> ShardInfo | None:
        """Return the account in a shard's part; None unless the part is intact and of this run."""
        info = read_shard(self.layout.part(shard.index), self.table.names)
        return info if info is not None and is_of_run(info, self.manifest) else None

    def _has_findings(self, shard: Shard, info: ShardInfo) -> bool:
        """Return whether the findings of a part are intact; a part of an earlier release has none."""
        file = self.layout.findings_part(shard.index)
        return not info.findings_sha256 or is_sealed_as(file, info.findings_sha256)

    def journal(self, shard: Shard) -> Path:
        """Return the folder of the shard's answers."""
        return self.layout.journal_part(shard.index)

    def rows_before(self, shard: Shard) -> Iterator[Mapping[str, Any]]:
        """Yield the accepted rows that the shard's part already holds."""
        if shard.done:
            yield from read_records(self.layout.part(shard.index))

    def write(self, shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        """Write a shard: rejections, findings and verdicts first, then the accepted rows as its part.

        If the process is killed in between, the next session writes all of it again. If the part already holds the
        shard's first `done` rows, `results` are the rows after them.
        """
        before = self.info(shard) if shard.done else None
        accepted = [result for result in results if result.accepted]
        info = self._account(shard, results, before or ShardInfo(shard.start, shard.start, 0, 0))
        write_rejections(self.path, shard.index, results, more=before is not None)
        findings = write_findings(
            self.layout.findings_part(shard.index),
            shard.begin,
            results,
            after=before.findings_sha256 if before else "",
        )
        info = replace(info, findings_sha256=findings)
        write_verdicts(self.path, shard.index, results)
        notes = {"narrator": self.manifest.model, "notice": self.manifest.notice}
        rows = [result.record for result in accepted]
        file = self.layout.part(shard.index)
        write_shard(file, self.table, rows, info, notes, after=None if before is None else file)
        write_copies(self.layout, shard.index, self.config.output.formats)
        return info

    def _account(self, shard: Shard, results: Sequence[Narrated], before: ShardInfo) -> ShardInfo:
        """Return the shard's account: these results added to those before them."""
        if before.stop != shard.begin:
            raise ConfigError(
                f"{self.layout.part(shard.index)}: was changed while the run was written; repeat the command"
            )
        accepted = [result for result in results if result.accepted]
        rejected = before.rejected + len(results) - len(accepted)
        findings = Counter(before.findings)
        findings.update(_count_findings(accepted))
        drawn = Counter(before.drawn)
        drawn.update(name for result in accepted for name in result.record.get("drawn") or ())
        return ShardInfo(
            start=shard.start,
            stop=shard.stop,
            accepted=before.accepted + len(accepted),
            rejected=rejected,
            prompt_tokens=before.prompt_tokens + sum(result.prompt_tokens for result in results),
            completion_tokens=before.completion_tokens + sum(result.completion_tokens for result in results),
            round=self.manifest.round if rejected else 0,
            findings=dict(sorted(findings.items())),
            run=self.manifest.run_digest,
            drawn=dict(sorted(drawn.items())),
        )

    def write_config(self) -> None:
        """Write the resolved configuration with absolute paths; it never holds a secret."""
        values = with_places(self.config.model_dump(mode="json", by_alias=True), Path())
        write_whole(self.layout.config, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))

    def close(
        self,
        *,
        whole: bool,
        started: str,
        finished: str,
        seconds: float,
        account: Mapping[str, Any] = MappingProxyType({}),
    ) -> Manifest:
        """Rewrite the manifest with the counts of all finished shards and this session's time and account.

        `whole` states that every shard is written; otherwise the run was stopped and can be resumed.
        """
        infos = []
        for shard in self.shards():
            if info := self.info(shard):
                infos.append(info)
                write_copies(self.layout, shard.index, self.config.output.formats)
        if whole and (lost := self.pending()):
            log.warning(
                "%s: %d parts were damaged or deleted during the run, the first is %s; repeat the command",
                self.layout.parts,
                len(lost),
                self.layout.part(lost[0].index).name,
            )
            whole = False
        share = len(self.own_shards()) < len(self.shards())
        full: State = "short" if any(info.rejected for info in infos) else "complete"
        state: State = "stopped" if not whole else "share" if share else full
        prompt = sum(info.prompt_tokens for info in infos)
        completion = sum(info.completion_tokens for info in infos)
        prices = self.config.llm
        self.manifest = self.manifest.model_copy(
            update={
                "state": state,
                "accepted": sum(info.accepted for info in infos),
                "rejected": sum(info.rejected for info in infos),
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "cost": (prompt * prices.price_prompt + completion * prices.price_completion) / 1e6,
                "started": self.manifest.started or started,
                "finished": finished,
                "seconds": round(self.manifest.seconds + seconds, 3),
                "endpoint": self.manifest.asked(account),
                "drawn": dict(sorted(sum((Counter(info.drawn) for info in infos), Counter()).items())),
            }
        )
        self.manifest.write(self.path)
        return self.manifest


def _count_findings(results: Sequence[Narrated]) -> dict[str, int]:
    kinds = (
        code
        for result in results
        for code in {f"{finding.code}:{finding.severity}" for finding in result.findings}
    )
    return dict(sorted(Counter(kinds).items()))


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path}: is a file; give a folder for the run")
    layout = RunLayout(path)
    if layout.manifest.exists():
        return
    # A journal alone is allowed: answers are stored under everything that decides them, so they fit any run.
    if path.is_dir() and any(item != layout.journal and item.name[0] != "." for item in path.iterdir()):
        raise ConfigError(f"{path}: is not empty and holds no run; give a new folder")


def _refuse_other(path: Path, earlier: Manifest, manifest: Manifest) -> None:
    if differences := earlier.differences(manifest):
        raise ConfigError(f"{path}: holds another run ({'; '.join(differences)}); give a new folder")
    if manifest.rows < earlier.rows:
        raise ConfigError(
            f"{path}: holds a run of {earlier.rows} rows, and {manifest.rows} are requested; a run can be extended but "
            f"not shortened: resume it with -n {earlier.rows} or more, or give a new folder"
        )


def _continued(earlier: Manifest, manifest: Manifest) -> Manifest:
    return manifest.model_copy(
        update={
            "round": earlier.round + (earlier.state == "short"),
            "started": earlier.started,
            "seconds": earlier.seconds,
            "endpoint": earlier.endpoint,
        }
    )
