from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.validators.dataset.association import LOST, Association, associations, edges
from census_personas.validators.dataset.coded_columns import information

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def priors() -> Priors:
    return Priors.load("en_US")


def _drawn(priors: Priors, rows: int, *, together: bool) -> pd.DataFrame:
    """Sex and occupation group as the census has them, or each for itself."""
    rng = np.random.default_rng(7)
    table = priors.marginal(("sex", "occupation_group"))
    cells = rng.choice(table.domain.size, rows, p=table.probabilities().ravel())
    sex, group = np.unravel_index(cells, table.domain.shape)
    group = group if together else rng.permutation(group)
    names = [np.array(table.domain[name]) for name in ("sex", "occupation_group")]
    return pd.DataFrame({"sex": names[0][sex], "occupation_group": names[1][group]})


def _only(found: tuple[Association, ...]) -> Association:
    (one,) = found
    return one


def test_an_association_that_the_census_has_is_kept_where_rows_follow_it(priors: Priors) -> None:
    found = _only(associations(_drawn(priors, 20_000, together=True), priors, np.random.default_rng(0)))
    assert found.verdict == "kept"
    assert found.edge
    assert found.excess == pytest.approx(found.census, rel=0.15)


def test_an_association_that_rows_do_not_have_is_lost(priors: Priors) -> None:
    found = _only(associations(_drawn(priors, 20_000, together=False), priors, np.random.default_rng(0)))
    assert (found.verdict, found.depends) == ("lost", False)
    assert abs(found.excess) < 0.005


def test_few_rows_do_not_lose_an_association() -> None:
    weak = Association("age", "sex", True, rows=500, bits=0.02, chance=0.016, deviation=0.004, census=0.02)
    assert weak.excess < LOST * 0.02
    assert weak.verdict == "not judged"
    assert replace(weak, rows=50_000, deviation=0.0001).verdict == "lost"


def test_levels_too_fine_for_the_rows_give_way_to_coarser_ones(priors: Priors) -> None:
    jobs, states = list(priors.domain["occupation"])[:40], list(priors.domain["state"])[:40]
    frame = pd.DataFrame(list(product(jobs, states)), columns=["occupation", "state"])
    found = _only(associations(frame, priors, np.random.default_rng(0)))
    assert {found.one, found.other} == {"occupation_group", "division"}


def test_the_graph_joins_what_it_declares_and_nothing_else(priors: Priors) -> None:
    known = edges(priors)
    assert frozenset({"occupation", "ethnicity"}) in known
    assert frozenset({"veteran_status", "disability_status"}) not in known
    assert all(len(pair) == 2 for pair in known)


def test_information_is_zero_within_groups_that_explain_everything() -> None:
    within = np.repeat([0, 1], 50)
    assert information(within, within, np.zeros(100, dtype=np.int64)) == pytest.approx(1.0)
    assert information(within, within, within) == pytest.approx(0.0, abs=1e-12)
