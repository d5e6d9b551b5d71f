"""Overlapping tables: shared margins are weighted by sample size, and interactions are kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.generator.model import fit_memory as footprint
from census_personas.generator.model.fitting import FitError, Margin, fit
from census_personas.generator.model.reconciliation import reconciled

pytestmark = pytest.mark.quick

PLAIN = {3: np.arange(3, dtype=np.int32), 2: np.arange(2, dtype=np.int32)}
COARSE = np.array([0, 0, 1], dtype=np.int32)


def margin(axes: tuple[int, ...], wanted: Any, persons: float, *codes: np.ndarray) -> Margin:
    table = np.asarray(wanted, dtype=np.float64)
    return Margin(
        f"{axes}/{persons}",
        axes,
        codes or tuple(PLAIN[size] for size in table.shape),
        table / table.sum(),
        persons,
    )


def odds(table: np.ndarray) -> float:
    return float(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))


def test_shared_margin_is_the_weighted_mean() -> None:
    small, large = margin((0, 1), [[3, 1], [1, 1]], 100), margin((0, 2), [[1, 1], [2, 2]], 900)
    one, other = reconciled([small, large], "toy")
    want = 0.1 * 4 / 6 + 0.9 * 2 / 6
    assert one.wanted.sum(axis=1)[0] == pytest.approx(want)
    assert other.wanted.sum(axis=1)[0] == pytest.approx(want)


def test_interactions_are_kept() -> None:
    small, large = margin((0, 1), [[3, 1], [1, 1]], 100), margin((0, 2), [[1, 1], [2, 2]], 900)
    one, _ = reconciled([small, large], "toy")
    assert odds(one.wanted) == pytest.approx(odds(small.wanted))


def test_samples_adopt_a_full_count() -> None:
    census, survey = margin((0,), [1, 3], 0), margin((0, 1), [[3, 1], [1, 1]], 1000)
    kept, moved = reconciled([census, survey], "toy")
    assert kept is census
    assert moved.wanted.sum(axis=1) == pytest.approx([0.25, 0.75])


def test_coarser_views_are_shared() -> None:
    fine = margin((0,), [1, 1, 2], 100)
    coarse = margin((0, 1), [[6, 2], [1, 1]], 100, COARSE, PLAIN[2])
    one, other = reconciled([fine, coarse], "toy")
    assert one.wanted[:2].sum() == pytest.approx(0.65)
    assert other.wanted.sum(axis=1)[0] == pytest.approx(0.65)
    assert one.wanted[0] == pytest.approx(one.wanted[1])


def test_agreeing_tables_are_unchanged() -> None:
    tables = [margin((0, 1), [[3, 1], [1, 1]], 100), margin((0, 2), [[4, 4], [2, 2]], 900)]
    assert all(new is old for new, old in zip(reconciled(tables, "toy"), tables, strict=True))


def test_contradicting_counts_are_named() -> None:
    tables = [margin((0,), [1, 3], 0), margin((0, 1), [[3, 1], [1, 1]], 0)]
    with pytest.raises(FitError, match="tables disagree"):
        fit(np.full((2, 2), 0.25, dtype=np.float32), reconciled(tables, "toy"), "toy")


def test_reconciliation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        reconciled([margin((0,), [1, 3], 50), margin((0,), [3, 1], 50)], "toy")
    assert "toy: (0,)/50 differs" in caplog.text


def test_three_tables_agree_and_fit() -> None:
    tables = [
        margin((0, 1), [[4, 1], [1, 2]], 300),
        margin((1, 2), [[2, 2], [1, 2]], 500),
        margin((0, 2), [[2, 1], [3, 3]], 200),
    ]
    array = np.full((2, 2, 2), 0.125, dtype=np.float32)
    assert fit(array, reconciled(tables, "toy"), "toy") < 0.01


def test_footprint_names_the_largest_part(toy_folder: Path) -> None:
    found = footprint.footprint(Priors.load(toy_folder))
    assert (found.part, found.cells) == ("mood", 3 * 6 * 2 * 2)
    assert found.stored == found.cells + 54 + 3 * 2 * 8 + 1 * 3 * 2 * 2 * 3 + 3 * 2 * 6 + 2 * 2 * 3
    assert found.width == 4
    assert found.fitting_bytes > 4 * found.stored


def test_oversized_model_is_refused(
    toy_locale: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    monkeypatch.setenv("PERSONAS_MEMORY_GB", "1e-6")
    with pytest.raises(FitError, match=r"mood: a table over .* fewer parents"):
        footprint.check(priors)
