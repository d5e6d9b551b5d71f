"""Origin: where the people of a dataset come from."""

from __future__ import annotations

from pathlib import Path

from census_personas.foundation.dataset_reader import is_sample
from census_personas.generator.run.manifest import Manifest


def is_sampled(dataset: Path) -> bool:
    """Whether a dataset says that this engine sampled its people, which makes rare ones right by design.

    Raises:
        DatasetError: no dataset is there.
        ConfigError: a run whose manifest cannot be read.
    """
    manifest = Manifest.read(dataset) if dataset.is_dir() else None
    return "input" not in manifest.identity["digests"] if manifest else is_sample(dataset)
