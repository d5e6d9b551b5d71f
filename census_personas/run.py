"""Run: a run folder to read."""

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
    """The files of a run as values and data frames, read when they are asked for, so that a run may still grow.

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
            DatasetError: no run is there.
            ConfigError: its manifest cannot be read.
        """
        self.folder = Path(folder)
        _ = self.manifest

    @property
    def manifest(self) -> Manifest:
        """The account of the run: what was asked for, what came of it, and all that decides its rows."""
        manifest = Manifest.read(self.folder)
        if manifest is None:
            raise DatasetError(f"{self.folder}: no run is there; give a folder that `generate` wrote")
        return manifest

    @property
    def state(self) -> State:
        """`complete`, `short` of rejected rows, `stopped`, or `running` (or killed)."""
        return self.manifest.state

    @property
    def config(self) -> Config:
        """The configuration that the run was last called with."""
        return config_file.load(self.folder / "config.yaml")

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The dataset's rows one by one, in order, with memory for one block of them.

        Raises:
            DatasetError: an unknown column, a spoilt file, or no rows yet.
        """
        for frame in self._frames(columns):
            names = [str(name) for name in frame.columns]
            yield from (
                dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)
            )

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The dataset as one data frame, or some of its columns.

        Raises:
            DatasetError: as `rows`.
        """
        frame = pd.concat(list(self._frames(columns)), ignore_index=True)
        return frame if columns is None else frame[list(columns)]

    @property
    def findings(self) -> pd.DataFrame:
        """What rules say of the rows, a finding a row.

        Columns: row, uuid, rule, severity, field, message, evidence, accepted (whether the row was). Empty for a run of
        an earlier release, which kept none.
        """
        frames = [frame for frame in read_findings(self.folder) if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=SCHEMA.names)

    @property
    def rejections(self) -> pd.DataFrame:
        """The rejected rows with their reasons: shard, row, uuid, attempts, reasons, record."""
        return pd.DataFrame(list(read_rejections(self.folder)), columns=list(_REJECTION))

    @property
    def report(self) -> dict[str, Any]:
        """The numbers of the report: the dataset beside the census.

        Raises:
            DatasetError: there is none yet, as of a run that was stopped.
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
        """The dataset card, Markdown.

        Raises:
            DatasetError: there is none yet.
        """
        return self._text("README.md")

    def __repr__(self) -> str:
        """Place, state and counts."""
        manifest = self.manifest
        return f"Run({str(self.folder)!r}: {manifest.state}, {manifest.accepted} of {manifest.rows} rows)"

    def _repr_html_(self) -> str:
        """The same for notebooks."""
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
                f"{file}: is not there; it is written when a run ends, so resume the run with the same call"
            ) from error
