"""Rules applied to a dataset from Python."""

from __future__ import annotations

import pytest

from census_personas import Run, avalidate, validate
from census_personas.foundation.errors import DatasetError

pytestmark = pytest.mark.quick


async def test_run_passes_and_wrong_facts_fail(finished: Run) -> None:
    result = validate(finished.folder)
    assert result.passed
    assert (result.rows, result.missing_columns) == (12, ())
    frame = finished.to_pandas()
    frame.loc[4, "age"] = 250
    wrong = await avalidate(frame, sampled=True, limit=8)
    assert not wrong.passed
    assert wrong.rows == 8
    assert 4 in set(wrong.findings["row"])
    assert {"rule", "severity", "field", "message"} <= set(wrong.findings.columns)


def test_dataset_without_rows_is_refused(finished: Run) -> None:
    with pytest.raises(DatasetError, match="no rows; nothing was checked"):
        validate(finished.to_pandas()[:0])
