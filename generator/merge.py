"""Merge: the shares of a run, written by jobs that knew nothing of each other, as one run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from census_personas.foundation.atomic_file import sync, whole_file
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.config_file import load
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.executor.ledger import add_accounts
from census_personas.generator.run.folder_lock import locked
from census_personas.generator.run.keys import write_keys
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder
from census_personas.generator.run.shard_store import Shard
from census_personas.generator.session import sum_up

_SHOWN = 8


def merge(runs: Sequence[Path], out: Path) -> Manifest:
    """Copy the shards of several run folders into one, and write its report and card.

    The folder is, but for times in its manifest, the one that a single process would have written. Journals come
    with it, so that a later call of `personas generate` there asks again for nothing.

    Args:
        runs: folders that `personas generate --shards` wrote; each shard is in at least one of them.
        out: where the merged run is written; the same call again goes on with a merge that was interrupted.

    Raises:
        ConfigError: folders of different runs, shards that none has or that differ, a run that is being written, or
            data that are no longer those of the runs.
    """
    manifests = [_manifest_of(run) for run in runs]
    if any(run.resolve() == out.resolve() for run in runs):
        raise ConfigError(f"{out}: is one of the runs that are merged; give a new folder")
    for run, manifest in zip(runs[1:], manifests[1:], strict=True):
        _refuse_other_run(run, manifest, runs[0], manifests[0])
    config = _config_of(runs[0])
    resources = RunResources.load(config)
    merged = _merged_manifest(config, resources, manifests)
    if differences := manifests[0].differences(merged):
        raise ConfigError(
            f"{runs[0]}: was written from other data than those that are here now ({'; '.join(differences)}); "
            "merge where the runs were written"
        )
    table = resources.table()
    with ExitStack() as held:
        for run in runs:
            held.enter_context(locked(run))
        sources = [RunFolder(run, config, m, table) for run, m in zip(runs, manifests, strict=True)]
        places = _places(sources)
        folder = held.enter_context(RunFolder.opened(out, config, merged, table))
        if resources.input is not None:
            write_keys(out, resources.input.keys(config.rows))
        for shard, source in places.items():
            _copy(source.layout, folder.layout, shard.index)
        final = folder.close(
            whole=True,
            started=min(manifest.started for manifest in manifests),
            finished=max(manifest.finished for manifest in manifests),
            seconds=sum(manifest.seconds for manifest in manifests),
            account=add_accounts(manifest.endpoint for manifest in manifests),
        )
    sum_up(resources, out, final)
    return final


def _manifest_of(run: Path) -> Manifest:
    manifest = Manifest.read(run)
    if manifest is None:
        raise ConfigError(f"{run}: is no run folder; give folders that `personas generate --shards` wrote")
    return manifest


def _refuse_other_run(run: Path, manifest: Manifest, first: Path, expected: Manifest) -> None:
    differences = [*manifest.differences(expected)]
    if manifest.rows != expected.rows:
        differences.append(f"rows: {manifest.rows} in the folder, {expected.rows} there")
    if differences:
        shown = "; ".join(differences).replace(" now", " there")
        raise ConfigError(f"{run}: is of another run than {first} ({shown}); merge the shares of one run")


def _config_of(run: Path) -> Config:
    config = load(RunLayout(run).config)
    return config.model_copy(update={"runtime": config.runtime.model_copy(update={"shards": None})})


def _merged_manifest(config: Config, resources: RunResources, manifests: Sequence[Manifest]) -> Manifest:
    first = manifests[0]
    manifest = Manifest.of(config, resources.digests(), first.model, first.notice)
    # A shard with rejected rows was tried at least so often as in the run that tried least.
    return manifest.model_copy(update={"notes": first.notes, "round": min(m.round for m in manifests)})


def _places(sources: Sequence[RunFolder]) -> dict[Shard, RunFolder]:
    """Which run has each shard."""
    places: dict[Shard, RunFolder] = {}
    missing = []
    for shard in sources[0].shards():
        holders = [
            (source, info) for source in sources if (info := source.info(shard)) and info.stop == shard.stop
        ]
        if not holders:
            missing.append(shard)
            continue
        places[shard] = holders[0][0]
        for source, info in holders[1:]:
            if (info.sha256, info.findings_sha256) != (holders[0][1].sha256, holders[0][1].findings_sha256):
                raise ConfigError(
                    f"{source.layout.part(shard.index)}: is not the same as in {holders[0][0].path}; "
                    "leave one of the two runs out"
                )
    if missing:
        names = ", ".join(f"part-{shard.index:05d}" for shard in missing[:_SHOWN])
        more = f", … ({len(missing)} in all)" if len(missing) > _SHOWN else ""
        raise ConfigError(
            f"{names}{more}: not finished in any of the {len(sources)} runs; repeat the commands that write them, "
            "or name the runs that have them"
        )
    return places


def _copy(source: RunLayout, target: RunLayout, shard: int) -> None:
    """Copy the files of a shard; its part last, as a run writes them."""
    kinds = (RunLayout.findings_part, RunLayout.rejected_part, RunLayout.judged_part, RunLayout.part)
    pairs = [(kind(source, shard), kind(target, shard)) for kind in kinds]
    journal = source.journal_part(shard)
    pairs[:0] = [(file, target.journal_part(shard) / file.name) for file in sorted(journal.glob("*.jsonl"))]
    for there, here in pairs:
        if there.exists():
            with whole_file(here) as partial:
                shutil.copyfile(there, partial)
        elif here.exists():
            here.unlink()
            sync(here.parent)
