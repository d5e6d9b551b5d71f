"""Sampled dataset: whether this engine sampled a dataset's people."""

from __future__ import annotations

from pathlib import Path

from census_personas.foundation.dataset_reader import is_sample
from census_personas.generator.run.manifest import Manifest


def is_sampled(dataset: Path) -> bool:
    """Return whether a dataset states that this engine sampled its people; rare combinations are then expected.

    Raises:
        DatasetError: there is no dataset.
        ConfigError: the run's manifest cannot be read.
    """
    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    return "input" not in manifest.identity["digests"] if manifest else is_sample(dataset)
