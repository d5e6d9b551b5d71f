"""RunLayout: the path of each file in a run folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

COPIES = ("csv", "jsonl")
"""Formats that a run's dataset may have beside Parquet; each is the suffix of its files and the name of its folder."""


@dataclass(frozen=True, slots=True)
class RunLayout:
    """Every path of the run in folder `path`; all code that reads or writes files of a run uses it.

    A run is written shard by shard. The files of shard *i* share the name `part-0000i` in the folder of each kind.
    """

    path: Path

    @property
    def manifest(self) -> Path:
        """Identity and progress of the run; a folder with a manifest is a run."""
        return self.path / "manifest.json"

    @property
    def config(self) -> Path:
        """The resolved configuration, without secrets."""
        return self.path / "config.yaml"

    @property
    def lock(self) -> Path:
        """Lock file, held by the process that writes the run."""
        return self.path / ".lock"

    @property
    def parts(self) -> Path:
        """Folder of the dataset: accepted rows."""
        return self.path / "personas"

    def copies(self, suffix: str) -> Path:
        """Folder of the dataset in another format, `csv` or `jsonl`."""
        return self.path / suffix

    @property
    def findings(self) -> Path:
        """Folder of findings of the rules, row by row, about accepted and rejected rows."""
        return self.path / "findings"

    @property
    def rejected(self) -> Path:
        """Folder of rejected rows with their reasons."""
        return self.path / "rejected"

    @property
    def rejected_earlier(self) -> Path:
        """File with the rejected rows of all shards, from earlier releases; no longer written."""
        return self.path / "rejected.jsonl"

    @property
    def judged(self) -> Path:
        """Folder of the judge's verdicts."""
        return self.path / "judged"

    @property
    def journal(self) -> Path:
        """Folder of the endpoint's answers, with one subfolder per shard."""
        return self.path / "journal"

    @property
    def batches(self) -> Path:
        """Folder of the requests that went to a batch endpoint, and of what came back, one folder in it a round."""
        return self.path / "batches"

    @property
    def batch_state(self) -> Path:
        """Which requests a batch endpoint has, and how far it is with them."""
        return self.batches / "state.json"

    @property
    def batch_lock(self) -> Path:
        """Held by the process that submits batches or fetches what came back."""
        return self.path / ".batch.lock"

    @property
    def counterfactual(self) -> Path:
        """Folder of texts about people with one fact swapped."""
        return self.path / "counterfactual"

    @property
    def card(self) -> Path:
        """The dataset card."""
        return self.path / "README.md"

    @property
    def keys(self) -> Path:
        """Which row of an input each uuid is of, by the input's own key; only of an input that has one."""
        return self.path / "keys.parquet"

    @property
    def report_json(self) -> Path:
        """The report's numbers."""
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        """The report's page."""
        return self.path / "report.html"

    def part(self, shard: int) -> Path:
        """Return the file of accepted rows of a shard."""
        return self.parts / f"{part_name(shard)}.parquet"

    def copy(self, shard: int, suffix: str) -> Path:
        """Accepted rows of a shard in another format."""
        return self.copies(suffix) / f"{part_name(shard)}.{suffix}"

    def findings_part(self, shard: int) -> Path:
        """Return the file of findings about the rows of a shard."""
        return self.findings / f"{part_name(shard)}.parquet"

    def rejected_part(self, shard: int) -> Path:
        """Return the file of rejected rows of a shard; it exists only if a row was rejected."""
        return self.rejected / f"{part_name(shard)}.jsonl"

    def judged_part(self, shard: int) -> Path:
        """Return the file of the judge's verdicts on rows of a shard; it exists only if the judge read a row."""
        return self.judged / f"{part_name(shard)}.jsonl"

    def batch_file(self, batch_round: int, kind: str, part: int) -> Path:
        """One file of a round of batches: `ask`, `answers` or `errors`."""
        return self.batches / f"round-{batch_round:03d}" / f"{kind}-{part:05d}.jsonl"

    def journal_part(self, shard: int) -> Path:
        """Return the folder of answers about rows of a shard."""
        return self.journal / part_name(shard)

    @property
    def by_shard(self) -> tuple[Path, ...]:
        """Folders whose files are written whole, one a shard."""
        return (self.parts, *map(self.copies, COPIES), self.findings, self.rejected, self.judged)

    @property
    def is_run(self) -> bool:
        """Whether the folder holds a run: a manifest with another file of a run, or a journal."""
        if os.path.lexists(self.manifest):
            return any(map(os.path.lexists, (self.lock, self.config, self.parts, self.journal)))
        return any(self.journal.glob("part-*"))

    def owns(self, place: Path) -> bool:
        """Return whether a path directly in the folder is one that only the run writes."""
        own = (
            *(
                self.manifest,
                self.config,
                self.lock,
                self.card,
                self.keys,
                self.report_json,
                self.report_html,
            ),
            *(*self.by_shard, self.rejected_earlier, self.journal, self.batches, self.counterfactual),
        )
        return place in own


def part_name(shard: int) -> str:
    """Return the name of a shard's files, without suffix."""
    return f"part-{shard:05d}"
