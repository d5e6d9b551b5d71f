"""RunFolder: the files of one run, locked, and what in them is finished."""

from __future__ import annotations

import fcntl
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import yaml

from persona_engine.generator.config import Config, ConfigError
from persona_engine.generator.narration.judge import Verdict
from persona_engine.generator.narration.narrator import Narrated
from persona_engine.generator.run.atomic import whole_file, write_whole
from persona_engine.generator.run.manifest import Manifest, State
from persona_engine.generator.run.schema import Table
from persona_engine.generator.run.store import Shard, ShardInfo, read_shard, write_shard

log = logging.getLogger(__name__)

_JUDGED = "judged"


class RunFolder:
    """One run's folder. The finished shards on disk are the truth about progress; the manifest sums them up."""

    def __init__(self, path: Path, config: Config, manifest: Manifest, table: Table) -> None:
        """Use `opened`, which locks the folder and compares it with the configuration."""
        self.path = path
        self.config = config
        self.manifest = manifest
        self.table = table

    @classmethod
    @contextmanager
    def opened(cls, path: Path, config: Config, manifest: Manifest, table: Table) -> Iterator[RunFolder]:
        """Create or resume the folder and hold it against other processes.

        Raises:
            ConfigError: the folder holds another run, something else, or more rows; or is in use.
        """
        _refuse_foreign(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be made a run folder ({error.strerror})") from error
        with _locked(path):
            if earlier := Manifest.read(path):
                _refuse_other(path, earlier, manifest)
                manifest = _continued(earlier, manifest)
            folder = cls(path, config, manifest, table)
            manifest.write(path)  # first: it is what makes a folder a run, whenever the process should end
            folder.write_config()
            yield folder

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

    def pending(self) -> tuple[Shard, ...]:
        """Shards to be written: missing, torn, shorter than now asked for, or short of rows since an earlier round."""
        return tuple(shard for shard in self.shards() if not self._finished(shard, self.info(shard)))

    def _finished(self, shard: Shard, info: ShardInfo | None) -> bool:
        whole = info is not None and (info.start, info.stop) == (shard.start, shard.stop)
        return whole and info is not None and (info.rejected == 0 or info.round >= self.manifest.round)

    def info(self, shard: Shard) -> ShardInfo | None:
        """What the shard's file says, if it is there and whole."""
        return read_shard(self.path / "personas" / shard.file)

    def journal(self, shard: Shard) -> Path:
        """Where the shard's answers are kept."""
        return self.path / "journal" / f"part-{shard.index:05d}"

    def write(self, shard: Shard, results: Sequence[Narrated]) -> ShardInfo:
        """Write a finished shard: accepted rows to its file, the others to `rejected.jsonl` first."""
        accepted = [result for result in results if result.accepted]
        rejected = [result for result in results if not result.accepted]
        info = ShardInfo(
            start=shard.start,
            stop=shard.stop,
            accepted=len(accepted),
            rejected=len(rejected),
            prompt_tokens=sum(result.prompt_tokens for result in results),
            completion_tokens=sum(result.completion_tokens for result in results),
            round=self.manifest.round if rejected else 0,
            findings=_count_findings(accepted),
        )
        self._write_rejected(shard, rejected)
        self._write_verdicts(shard, [r.verdict for r in accepted if r.verdict is not None])
        notes = {"narrator": self.manifest.model, "notice": self.manifest.notice}
        rows = [result.record for result in accepted]
        write_shard(self.path / "personas" / shard.file, self.table, rows, info, notes)
        return info

    def _write_rejected(self, shard: Shard, rejected: Sequence[Narrated]) -> None:
        path = self.path / "rejected.jsonl"
        if not rejected and not path.exists():
            return
        with whole_file(path) as partial, partial.open("wb") as out:
            if path.exists():
                for line, rejection in _rejections(path):
                    if rejection["shard"] != shard.index:
                        out.write(line)
            for result in rejected:
                out.write(orjson.dumps(_rejection(shard, result), option=orjson.OPT_APPEND_NEWLINE))

    def _write_verdicts(self, shard: Shard, verdicts: Sequence[Verdict]) -> None:
        if verdicts:
            path = self.path / _JUDGED / Path(shard.file).with_suffix(".jsonl").name
            with whole_file(path) as partial, partial.open("wb") as out:
                out.writelines(
                    orjson.dumps(verdict, option=orjson.OPT_APPEND_NEWLINE) for verdict in verdicts
                )

    def write_config(self) -> None:
        """Write the resolved configuration; it never holds a secret."""
        values = self.config.model_dump(mode="json", by_alias=True)
        write_whole(self.path / "config.yaml", yaml.safe_dump(values, sort_keys=False, allow_unicode=True))

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
        infos = [info for shard in self.shards() if (info := self.info(shard))]
        state: State = (
            "stopped" if not whole else "short" if any(info.rejected for info in infos) else "complete"
        )
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


def _rejection(shard: Shard, result: Narrated) -> dict[str, Any]:
    return {
        "shard": shard.index,
        "row": result.record.get("row"),
        "uuid": result.record.get("uuid"),
        "attempts": result.attempts,
        "reasons": list(result.reasons),
        "record": result.record,
    }


def _refuse_foreign(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{path}: is a file; give a folder for the run")
    if (path / "manifest.json").exists():
        return
    if path.is_dir() and any(not item.name.startswith(".") for item in path.iterdir()):
        raise ConfigError(f"{path}: is not empty and holds no run; give a new folder")


def _refuse_other(path: Path, earlier: Manifest, manifest: Manifest) -> None:
    if differences := earlier.differences(manifest):
        raise ConfigError(f"{path}: holds another run ({'; '.join(differences)}); give a new folder")
    if manifest.rows < earlier.rows:
        raise ConfigError(
            f"{path}: holds a run of {earlier.rows} rows and {manifest.rows} are asked for; "
            "a run can be extended, not cut: give a new folder"
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


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # The lock is the kernel's and goes with the process: nothing to clean up after a crash.
    handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"{path}: another process is writing this run; wait for it or stop it"
            ) from error
        yield
    finally:
        os.close(handle)


def verdicts(path: Path) -> Iterator[Verdict]:
    """The judge's verdicts in a run folder, in row order."""
    for file in sorted((path / _JUDGED).glob("*.jsonl")):
        with file.open("rb") as lines:
            yield from map(orjson.loads, lines)


def rejected_reasons(path: Path) -> Mapping[str, int]:
    """How often each reason stands in a run folder's `rejected.jsonl`."""
    reasons: dict[str, int] = {}
    file = path / "rejected.jsonl"
    if file.exists():
        for _, rejection in _rejections(file):
            for reason in rejection["reasons"]:
                reasons[reason] = reasons.get(reason, 0) + 1
    return reasons


def _rejections(file: Path) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """Lines of `rejected.jsonl`; a torn one is dropped, its row is asked for again anyway."""
    with file.open("rb") as lines:
        for line in lines:
            try:
                yield line, orjson.loads(line)
            except orjson.JSONDecodeError:
                log.warning("%s: a line that is no JSON was dropped: %r", file, line[:60])
