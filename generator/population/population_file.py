"""Population file: writes a sampled population's context columns in blocks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from census_personas.foundation.dataset_writer import frame_writer, kinds_of
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import Table, context_table
from census_personas.generator.config.run_config import Config
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.scarcity import more_rows_than_people

LEAST_BYTES = 15
"""Fewest bytes of a row on disk: its uuid alone has 122 random bits, which cannot be compressed."""
_SOON_WRITTEN = 10**9  # bytes; smaller files fail soon enough on a full disk


class PopulationFile:
    """The population of a configuration, ready to be written.

    Raises:
        ConfigError, TableError, DomainError: on construction, before any file is touched.
    """

    def __init__(self, config: Config) -> None:
        """Load the population and draw its first row, which reveals any fault of a condition."""
        self._config = config
        self._population = Population.load(config.locale)
        self.table: Table = context_table(
            config.output.schema_, kinds_of(self._sample(1, 0)), self._population.priors.context_columns
        )

    def notes(self) -> Iterator[str]:
        """Yield one line each about the condition, the targets and the quota."""
        selection = self._config.selection
        given = self._population.given(selection)
        if selection.where:
            yield f"where: {given.conditioned.probability:.6g} of the population"
            yield from self._unseen(selection.where)
        adults = self._population.priors.adults
        note = more_rows_than_people(self._config.rows, given.conditioned.probability, adults)
        if note is not None:
            yield note
        for name, cells in given.achieved.items():
            worst = max(abs(wanted - share) for wanted, share in cells.values())
            shown = ", ".join(f"{label} {share:.4f}" for label, (_, share) in list(cells.items())[:8])
            more = f", … ({len(cells)} cells)" if len(cells) > 8 else ""
            yield f"{name}: {shown}{more}; largest miss {worst:.1g}"
        if given.achieved:
            yield f"targets change the model by {given.nats:.4f} nats per person (KL divergence)"

    def _unseen(self, where: Mapping[str, Any]) -> Iterator[str]:
        """Yield a note for each condition on a column that the file will not have."""
        written = {column.name for column in self.table.columns}
        locale = self._population.priors.context_columns
        for column in context_table("full", kinds_of(self._sample(1, 0)), locale).columns:
            if column.name in where and column.name not in written:
                schema = self._config.output.schema_
                yield f"note: {column.name} is not in schema {schema}, so it is not written; use --schema full"

    def frames(self, block: int) -> Iterator[pd.DataFrame]:
        """Yield the rows, at most `block` at a time."""
        for start in range(0, self._config.rows, block):
            yield self._sample(min(block, self._config.rows - start), start)

    def write(self, path: Path, block: int) -> None:
        """Write `.parquet`, `.csv` or `.jsonl`; the file appears when it is complete.

        Raises:
            DatasetError: the suffix is another one, or the disk has too little room.
            UnwritableError: the file cannot be written.
        """
        _check_room(path, self._config.rows)
        notes = {"locale": self._config.locale, "seed": str(self._config.seed)}
        # One block is written while the next is sampled; both release the interpreter's lock.
        with frame_writer(path, self.table, notes) as write, ThreadPoolExecutor(1) as thread:
            writing: Future[None] | None = None
            for frame in self.frames(block):
                if writing is not None:
                    writing.result()
                writing = thread.submit(write, frame)
            if writing is not None:
                writing.result()

    def _sample(self, n: int, start: int) -> pd.DataFrame:
        return self._population.select(self._config.selection, n, self._config.seed, start)


def _check_room(path: Path, rows: int) -> None:
    folder = next(parent for parent in path.parents if parent.is_dir())
    needed, free = rows * LEAST_BYTES, shutil.disk_usage(folder).free
    if needed > max(free, _SOON_WRITTEN):
        raise DatasetError(
            f"{path}: {rows} rows need at least {needed / 1e9:,.0f} GB, and {free / 1e9:,.0f} GB are free; "
            "ask for fewer, or write elsewhere"
        )
