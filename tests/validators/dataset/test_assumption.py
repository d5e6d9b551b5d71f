from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.validators.dataset.assumption import Assumption, assumptions
from census_personas.validators.dataset.multiple_testing import counted_together

ROWS = 6_000


@pytest.fixture(scope="module")
def priors() -> Priors:
    return Priors.load("en_US")


def _people(seed: int = 3) -> pd.DataFrame:
    """People of two states whose disability, military service and county hang on their state, age and sex alone."""
    rng = np.random.default_rng(seed)
    state, sex = rng.integers(0, 2, ROWS), rng.integers(0, 2, ROWS)
    age = rng.choice([30, 50, 80], ROWS)
    risk = 0.1 + 0.2 * (age > 60) + 0.1 * state
    county = rng.random(ROWS) < 0.3 + 0.3 * state
    return pd.DataFrame(
        {
            "state": np.where(state, "NY", "CA"),
            "sex": np.where(sex, "Female", "Male"),
            "age": age,
            "ethnicity": "white",
            "marital_status": "divorced",
            "education_level": "high_school",
            "bachelors_field": "no_degree",
            "labor_force_status": "not_in_workforce",
            "county": np.where(county, "A County", "B County"),
            "veteran_status": np.where(rng.random(ROWS) < risk, "veteran", "never_served"),
            "disability_status": np.where(rng.random(ROWS) < risk, "with_disability", "without_disability"),
            "openness_label": rng.choice(["low", "high"], ROWS),
        }
    )


def _found(frame: pd.DataFrame, priors: Priors) -> dict[tuple[str, str], Assumption]:
    return {(a.one, a.other): a for a in assumptions(frame, priors, np.random.default_rng(0))}


def test_shared_causes_alone_hold(priors: Priors) -> None:
    found = _found(_people(), priors)
    assert {a.verdict for a in found.values()} <= {"holds", "not judged"}
    judged = found["disability_status", "veteran_status"]
    assert judged.verdict == "holds"
    assert set(judged.given) == {
        "labor_force_status", "state", "age_group", "sex", "ethnicity", "marital_status", "education_level"
    }  # fmt: skip
    assert judged.missing == ()
    assert judged.census is None
    assert ("openness_label", "sex") in found


def test_a_dependence_that_the_graph_denies_fails_and_stands_first(priors: Priors) -> None:
    people = _people()
    rng = np.random.default_rng(5)
    served = (people["veteran_status"] == "veteran") & (rng.random(ROWS) < 0.2)
    tied = people.assign(disability_status=people["disability_status"].mask(served, "with_disability"))
    first = assumptions(tied, priors, rng)[0]
    assert (first.one, first.other, first.verdict) == ("disability_status", "veteran_status", "fails")
    assert first.p < 1e-6
    assert first.excess > 5 * first.deviation


def test_a_dependence_that_runs_differently_in_every_group_is_found_too(priors: Priors) -> None:
    people = _people()
    opposed = (people["sex"] == "Male") ^ (people["state"] == "NY")
    found = _found(people.assign(county=np.where(opposed, "A County", "B County")), priors)
    assert found["county", "sex"].verdict == "fails"
    assert found["county", "sex"].excess == pytest.approx(1.0, abs=0.05)


def test_without_a_parent_dependence_proves_nothing(priors: Priors) -> None:
    people = _people().drop(columns="age")
    judged = _found(people, priors)["disability_status", "veteran_status"]
    assert judged.missing == ("age_group",)
    assert (judged.p < 0.01, judged.verdict) == (True, "not judged")


def test_few_rows_are_not_judged(priors: Priors) -> None:
    assert {a.verdict for a in _found(_people()[:150], priors).values()} == {"not judged"}


def test_assumptions_that_hold_are_rarely_said_to_fail(priors: Priors) -> None:
    found = [_found(_people(seed), priors).values() for seed in range(10, 22)]
    failing = [[a for a in counted_together(list(run), len(run)) if a.verdict == "fails"] for run in found]
    assert sum(map(bool, failing)) <= 1
