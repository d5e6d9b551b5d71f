"""Run: reads a run folder."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from census_personas.foundation.dataset_reader import columns_of, read_frames
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.user_path import check_input
from census_personas.generator.config import config_file
from census_personas.generator.run.findings import SCHEMA, read_findings
from census_personas.generator.run.manifest import Manifest, State
from census_personas.generator.run.rejections import read_rejections
from census_personas.generator.run.shard_store import check_parts

if TYPE_CHECKING:
    from census_personas.generator.config.run_config import Config

_REJECTION = ("shard", "row", "uuid", "attempts", "reasons", "record")


class Run:
    """The files of a run as values and data frames. Each access reads them, so the run may still grow.

    ```python
    run = Run("runs/first")
    run.state, run.manifest.accepted
    run.to_pandas(columns=["age", "persona"])
    run.rejections[["row", "reasons"]]
    run.report["fidelity"]
    ```
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        """Open a run folder.

        Raises:
            DatasetError: the folder holds no run.
            ConfigError: its manifest cannot be read.
        """
        self.folder = Path(folder)
        _ = self.manifest

    @property
    def manifest(self) -> Manifest:
        """The manifest: the run's identity, state and counts, and everything that decides its rows."""
        manifest = Manifest.read(self.folder)
        if manifest is None:
            raise DatasetError(f"{self.folder}: holds no run; give a folder that `generate` wrote")
        return manifest

    @property
    def state(self) -> State:
        """`complete`, `short` (rows were rejected), `stopped`, or `running` (also if killed)."""
        return self.manifest.state

    @property
    def config(self) -> Config:
        """The configuration of the run's last call."""
        return config_file.load(self.folder / "config.yaml")

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the dataset's rows one by one, in order, holding one block in memory.

        Raises:
            DatasetError: a column is unknown, a file is damaged, or there are no rows yet.
        """
        for frame in self._frames(columns):
            names = [str(name) for name in frame.columns]
            yield from (
                dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)
            )

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the dataset as one data frame, or some of its columns.

        Raises:
            DatasetError: as for `rows`.
        """
        frame = pd.concat(list(self._frames(columns)), ignore_index=True)
        return frame if columns is None else frame[list(columns)]

    @property
    def findings(self) -> pd.DataFrame:
        """The rules' findings, one per row of the frame.

        Columns: row, uuid, rule, severity, field, message, evidence, accepted (whether the row was accepted). Empty for
        a run of an earlier release without stored findings.
        """
        frames = [frame for frame in read_findings(self.folder) if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=SCHEMA.names)

    @property
    def rejections(self) -> pd.DataFrame:
        """The rejected rows with their reasons: shard, row, uuid, attempts, reasons, record."""
        return pd.DataFrame(list(read_rejections(self.folder)), columns=list(_REJECTION))

    @property
    def report(self) -> dict[str, Any]:
        """The numbers of the report, which compares the dataset with the census.

        Raises:
            DatasetError: there is no report yet, for example because the run was stopped.
        """
        text = self._text("report.json")
        try:
            values: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise DatasetError(
                f"{self.folder / 'report.json'}: cannot be read; delete it and repeat the run's command"
            ) from error
        return values

    @property
    def card(self) -> str:
        """The dataset card, in Markdown.

        Raises:
            DatasetError: there is no card yet.
        """
        return self._text("README.md")

    def __repr__(self) -> str:
        """Return folder, state and counts."""
        manifest = self.manifest
        return f"Run({str(self.folder)!r}: {manifest.state}, {manifest.accepted} of {manifest.rows} rows)"

    def _repr_html_(self) -> str:
        """Return the same for notebooks."""
        manifest = self.manifest
        shown = {
            "folder": self.folder,
            "state": manifest.state,
            "rows": f"{manifest.accepted} of {manifest.rows}",
            "rejected": manifest.rejected,
            "narrator": manifest.model,
        }
        cells = "".join(f"<tr><th>{k}</th><td>{html.escape(str(v))}</td></tr>" for k, v in shown.items())
        return f"<table>{cells}</table>"

    def _frames(self, columns: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        check_parts(self.folder)
        if columns is not None:
            known = columns_of(self.folder)
            if unknown := [name for name in columns if name not in known]:
                raise DatasetError(f"{self.folder}: no column {unknown[0]!r}; it has {', '.join(known)}")
        return read_frames(self.folder, columns)

    def _text(self, name: str) -> str:
        file = self.folder / name
        try:
            check_input(file)
            return file.read_bytes().decode(errors="replace")
        except FileNotFoundError as error:
            raise DatasetError(
                f"{file}: does not exist; it is written when a run ends, so resume the run with the same call"
            ) from error
