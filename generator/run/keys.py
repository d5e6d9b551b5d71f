"""Keys: the file of a run that joins its rows to the rows of the input."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.run_layout import RunLayout


def write_keys(folder: Path, keys: pd.DataFrame | None) -> None:
    """Write place, uuid and key of each row of an input; write nothing if the input has no key.

    Raises:
        DestinationError, UnwritableError: the file cannot be written.
    """
    if keys is None:
        return
    with whole_file(RunLayout(folder).keys) as partial:
        keys.to_parquet(partial, index=False)
