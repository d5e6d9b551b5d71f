"""Records collected in one pass, or in blocks that are joined: the same facts, digests and sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.validators.collected_facts import CollectedColumns, CollectedFacts
from census_personas.validators.record_collection import RecordCollection

pytestmark = pytest.mark.quick
COLUMNS = CollectedColumns(("sex", "state", "age"), ("hours",), ("uuid", "persona"))
CELLS = st.sampled_from([None, "", "Female", "Male", "Texas", 3, 40.5, "17"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("sex", "state", "age", "hours", "uuid", "persona"), CELLS)
    ),
    max_size=30,
)


@settings(deadline=None)
@given(rows=ROWS, block=st.integers(1, 7))
def test_blocks_joined_in_their_order_are_one_pass(rows: list[dict[str, Any]], block: int) -> None:
    whole, joined = (RecordCollection(COLUMNS, 4, np.random.default_rng(5)) for _ in range(2))
    for row in rows:
        whole.add(row)
    for start in range(0, len(rows), block):
        part = CollectedFacts(COLUMNS)
        for row in rows[start : start + block]:
            part.add(row)
        joined.extend(part, rows[start : start + block])
    pd.testing.assert_frame_equal(joined.facts.frame(), whole.facts.frame())
    assert joined.rows == whole.rows == len(rows)
    assert joined.facts.digests.duplication(("persona",)) == whole.facts.digests.duplication(("persona",))
    assert joined.records == whole.records
    assert joined.rng.integers(2**62) == whole.rng.integers(2**62)
