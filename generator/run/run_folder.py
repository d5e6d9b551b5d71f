"""RunFolder: the files of one run, locked, and what in them is finished."""

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
    """One run's folder. The finished shards on disk are the truth about progress; the manifest sums them up."""

    def __init__(self, path: Path, config: Config, manifest: Manifest, table: Table) -> None:
        """Use `opened`, which locks the folder and compares it with the configuration."""
        self.path = path
        self.layout = RunLayout(path)
        self.config = config
        self.manifest = manifest
        self.table = table

    @staticmethod
    def refuse(path: Path, manifest: Manifest) -> Manifest | None:
        """Refuse a folder that the run may not be written into; nothing is changed.

        Returns:
            The manifest of the run that is there, which this one goes on with; None in a new folder.

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
        """Create or resume the folder and hold it against other processes.

        Raises:
            ConfigError: the folder holds another run, something else, or more rows; or is in use.
            UnwritableError: there is no room, or no permission.
        """
        _refuse_foreign(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be made a run folder ({error.strerror}); give a place that you may write to"
            ) from error
        with locked(path):
            if earlier := cls.refuse(path, manifest):
                manifest = _continued(earlier, manifest)
            folder = cls(path, config, manifest, table)
            folder.tidy()
            manifest.write(path)  # first: it is what makes a folder a run, whenever the process should end
            folder.write_config()
            yield folder

    def tidy(self) -> None:
        """Clear away what killed processes left half written.

        Raises:
            ConfigError: a Parquet file that is none of the run's stands among its shards, and would be read as one.
        """
        for place in self.layout.by_shard:
            for partial in place.glob(f".*{PARTIAL}"):
                partial.unlink(missing_ok=True)
        ours = {self.layout.part(shard.index) for shard in self.shards()}
        for file in sorted(self.layout.parts.glob("*.parquet")):
            if file not in ours:
                raise ConfigError(f"{file}: is no part of this run; move it out of the run's folder")

    @property
    def allowance(self) -> int:
        """How many times the narrator may try a row: each round grants the configured attempts once more.

        Earlier attempts are answered by the journal, so that only the new ones are asked for.
        """
        return self.config.validation.max_attempts * self.manifest.round

    def shards(self) -> tuple[Shard, ...]:
        """All shards of the run, the last one as short as the rows ask for."""
        step, rows = self.config.output.shard_rows, self.config.rows
        starts = range(0, rows, step)
        return tuple(Shard(index, start, min(start + step, rows)) for index, start in enumerate(starts))

    def own_shards(self) -> tuple[Shard, ...]:
        """The shards that this job is to write: all of them, unless several jobs share the run."""
        return tuple(shard for shard in self.shards() if self.config.runtime.has_shard(shard.index))

    def pending(self) -> tuple[Shard, ...]:
        """Shards to be written: missing, spoilt, shorter than now asked for, or short of rows since an earlier round.

        A shard that is shorter than now asked for keeps its rows where no journal does.
        """
        judged = map(self.as_it_stands, self.own_shards())
        return tuple(shard for shard in judged if shard is not None)

    def as_it_stands(self, shard: Shard) -> Shard | None:
        """The shard with the rows that its part has by now; None where it needs no further work."""
        done = self._done(shard)
        return replace(shard, done=done) if done < shard.stop - shard.start else None

    def _done(self, shard: Shard) -> int:
        """Rows of the shard, from its first on, that need no further work."""
        info = self._part(shard)
        if info is None or info.start != shard.start or info.stop > shard.stop:
            if os.path.lexists(file := self.layout.part(shard.index)):
                log.warning("%s: is spoilt, or was not written by this run; its rows are narrated anew", file)
            return 0
        if not self._has_findings(shard, info):
            file = self.layout.findings_part(shard.index)
            log.warning("%s: is missing, spoilt or not of its part, whose rows are narrated anew", file)
            return 0
        settled = info.rejected == 0 or info.round >= self.manifest.round
        kept = info.stop == shard.stop or not self.journaled
        return info.stop - info.start if settled and kept else 0

    @property
    def journaled(self) -> bool:
        """Whether answers are kept in a journal; a grammar writes them anew as fast as they are read."""
        return self.config.llm.backend != "offline"

    def info(self, shard: Shard) -> ShardInfo | None:
        """What the shard's file says, if it is there, of this run and as it was written, and its findings too."""
        info = self._part(shard)
        return info if info is not None and self._has_findings(shard, info) else None

    def _part(self, shard: Shard) -> ShardInfo | None:
        """What the shard's file says, if it is there, of this run and as it was written."""
        info = read_shard(self.layout.part(shard.index), self.table.names)
        return info if info is not None and is_of_run(info, self.manifest) else None

    def _has_findings(self, shard: Shard, info: ShardInfo) -> bool:
        """Whether the findings that belong to a part are there; a part of an earlier release has none."""
        file = self.layout.findings_part(shard.index)
        return not info.findings_sha256 or is_sealed_as(file, info.findings_sha256)

    def journal(self, shard: Shard) -> Path:
        """Where the shard's answers are kept."""
        return self.layout.journal_part(shard.index)

    def rows_before(self, shard: Shard) -> Iterator[Mapping[str, Any]]:
        """The accepted rows that the shard's file has already."""
        if shard.done:
            yield from read_records(self.layout.part(shard.index))

    def write(self, shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        """Write the rows of a shard: what is said about them first, then the accepted ones to the shard's part.

        Where a process was killed in between, whoever resumes the run writes all of it again. Where the part has the
        shard's first `done` rows, `results` are those that follow.
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
        """The shard's account of itself: these results added to those before them."""
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
        """Write the resolved configuration, its paths whole; it never holds a secret."""
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
        """Write the manifest anew, with the counts of all finished shards and this session's time and account.

        `whole` says that every shard is written; without it the run was stopped and may be resumed.
        """
        infos = []
        for shard in self.shards():
            if info := self.info(shard):
                infos.append(info)
                write_copies(self.layout, shard.index, self.config.output.formats)
        if whole and (lost := self.pending()):
            log.warning(
                "%s: %d parts were spoilt or deleted while the run was written, the first %s; repeat the command",
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
    spoken = (
        code
        for result in results
        for code in {f"{finding.code}:{finding.severity}" for finding in result.findings}
    )
    return dict(sorted(Counter(spoken).items()))


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path}: is a file; give a folder for the run")
    layout = RunLayout(path)
    if layout.manifest.exists():
        return
    # A journal alone is welcome: its answers are kept by all that decides them, and are right in any run.
    if path.is_dir() and any(item != layout.journal and item.name[0] != "." for item in path.iterdir()):
        raise ConfigError(f"{path}: is not empty and holds no run; give a new folder")


def _refuse_other(path: Path, earlier: Manifest, manifest: Manifest) -> None:
    if differences := earlier.differences(manifest):
        raise ConfigError(f"{path}: holds another run ({'; '.join(differences)}); give a new folder")
    if manifest.rows < earlier.rows:
        raise ConfigError(
            f"{path}: holds a run of {earlier.rows} rows and {manifest.rows} are asked for; a run can be extended, "
            f"not cut: ask with -n {earlier.rows}, or more, to go on, or give a new folder"
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
