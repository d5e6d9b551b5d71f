from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal
from census_personas.validators.rarity import LiftTable

pytestmark = pytest.mark.quick

DOMAIN = Domain({"age": (18, 19, 20), "status": ("single", "widowed")})


def _table(samples: Sequence[Sequence[float]]) -> LiftTable:
    counts = np.array(samples)
    return LiftTable(Marginal(DOMAIN, counts * 100, counts, "test"), "status", ("age",))


def test_lift_compares_a_cell_with_independence_in_persons() -> None:
    table = _table([[90, 10], [50, 50], [10, 90]])
    found = table.oddity({"age": 18, "status": "widowed"})
    assert found is not None
    assert found.lift == pytest.approx((10 + 2) / (50 + 2))
    assert found.probability == pytest.approx(found.lift * 0.5)


def test_the_tail_is_the_share_of_people_who_are_at_least_as_odd() -> None:
    table = _table([[90, 10], [50, 50], [10, 90]])
    odd, plain = (table.oddity({"age": age, "status": "widowed"}) for age in (18, 20))
    assert odd is not None
    assert plain is not None
    assert odd.tail == pytest.approx(20 / 300)
    assert plain.tail == pytest.approx(1.0)


def test_an_empty_cell_of_a_thin_table_proves_little() -> None:
    thin, thick = (
        _table(rows).oddity({"age": 18, "status": "widowed"})
        for rows in ([[1, 0], [1, 1], [1, 1]], [[1000, 0], [10, 1000], [10, 1000]])
    )
    assert thin is not None
    assert thick is not None
    assert thin.lift > 0.6
    assert thick.lift < 0.01


def test_ages_beyond_the_table_belong_to_its_last_state() -> None:
    table = _table([[90, 10], [50, 50], [10, 90]])
    assert table.oddity({"age": 97, "status": "single"}) == table.oddity({"age": 20, "status": "single"})


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"age": 18},
        {"age": 12, "status": "single"},
        {"age": 18, "status": "engaged"},
        {"age": "x", "status": "single"},
    ],
)
def test_a_record_that_the_table_does_not_know_is_not_judged(record: dict[str, object]) -> None:
    assert _table([[90, 10], [50, 50], [10, 90]]).oddity(record) is None
