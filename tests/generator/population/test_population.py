"""The population's public behaviour: rows, conditions and queries, on the toy and on the United States."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.census_priors.declaration import DeclarationError
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.fitting import FitError
from census_personas.generator.population.population import Population

MANY = 200_000
DIGEST = """
import hashlib, json, sys
from census_personas.generator.population.population import Population
where = eval(sys.argv[3]) or None
frame = Population.load(sys.argv[1]).sample(int(sys.argv[2]), seed=6, where=where, start=100)
print(hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def many(population: Population) -> pd.DataFrame:
    return population.sample(MANY, seed=6)


def digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()


def elsewhere(locale: str, n: int, where: str = "None", hash_seed: str = "1") -> str:
    """The digest of a sample that another process draws."""
    command = [sys.executable, "-c", DIGEST, locale, str(n), where]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return found.stdout.strip()


def within_chance(count: float, n: int, share: float) -> bool:
    """Whether a binomial count lies within five standard deviations (and three persons) of its mean."""
    return bool(abs(count - n * share) <= 5 * (n * share * (1 - share)) ** 0.5 + 3)


def test_first_rows_do_not_depend_on_size(population: Population, many: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(population.sample(1000, seed=6), many.head(1000))


@pytest.mark.parametrize(("start", "n"), [(1, 1), (999, 70), (65_000, 1500), (131_071, 2)])
def test_rows_do_not_depend_on_shards(population: Population, many: pd.DataFrame, start: int, n: int) -> None:
    shard = population.sample(n, seed=6, start=start)
    pd.testing.assert_frame_equal(shard, many.iloc[start : start + n].reset_index(drop=True))


def test_another_process_draws_the_same_rows(many: pd.DataFrame) -> None:
    assert elsewhere("en_US", 3000) == digest(many.iloc[100:3100])


def test_conditioned_rows_do_not_depend_on_shards(population: Population) -> None:
    where = {"state": "WY", "age": "65-", "first_name": "Mary"}
    whole = population.sample(600, seed=2, where=where)
    shard = population.sample(200, seed=2, where=where, start=300)
    pd.testing.assert_frame_equal(shard, whole.iloc[300:500].reset_index(drop=True))
    assert set(whole["state"]) == {"WY"}
    assert set(whole["first_name"]) == {"Mary"}
    assert whole["age"].min() >= 65


def test_sets_draw_the_same_rows_everywhere(
    toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path))
    where = {"trade": {"mason", "clerk", "lawyer", "teacher"}}
    drawn = {elsewhere(str(toy_folder), 50, repr(where), seed) for seed in ("1", "2", "3")}
    assert len(drawn) == 1


def test_long_conditions_differ(toy: Population) -> None:
    ages = np.tile(np.arange(18, 26), 400)
    few = np.where(np.isin(ages, (21, 22)), 18, ages)
    assert set(toy.sample(500, where={"age": ages})["age"]) == set(range(18, 26))
    assert set(toy.sample(500, where={"age": few})["age"]) == {18, 19, 20, 23, 24, 25}


def test_degrees_and_fields_go_together(many: pd.DataFrame) -> None:
    degree = many["education_level"].isin(["bachelors", "graduate"])
    assert (degree == (many["bachelors_field"] != "no_degree")).all()


def test_only_workers_have_occupations(many: pd.DataFrame) -> None:
    job = many["labor_force_status"].isin(["employed", "armed_forces"])
    none = {"unemployed": "no_occupation", "not_in_workforce": "not_in_workforce"}
    for status, occupation in none.items():
        assert set(many["occupation"][many["labor_force_status"] == status]) == {occupation}
    assert not many["occupation"][job].isin(none.values()).any()
    for name in ("industry", "class_of_worker"):
        assert ((many[name] != "none") == job).all()
    assert (many["commute_mode"][~job] == "none").all()
    assert ((many["occupation_code"] != "") == job).all()


def test_active_duty_means_armed_forces(many: pd.DataFrame) -> None:
    armed = many["labor_force_status"] == "armed_forces"
    assert armed.any()
    assert (many["veteran_status"][armed].isin(["active_duty", "training_only"])).all()
    assert (many["labor_force_status"][many["veteran_status"] == "active_duty"] == "armed_forces").all()


def test_armed_forces_are_federal(
    many: pd.DataFrame,
) -> None:
    armed = many["labor_force_status"] == "armed_forces"
    assert not many["occupation_code"][armed].str.startswith("98").all()  # 9800 to 9830 are the military ones
    assert (many["class_of_worker"][armed] == "federal_government").mean() > 0.95
    assert ((many["industry"] == "military") == armed).all()


def test_places_are_in_their_state(population: Population, many: pd.DataFrame) -> None:
    for row in many.head(3000).itertuples():
        place = population.priors.places.get(row.zipcode)
        assert (place.region, place.municipality, place.subregion) == (row.state, row.city, row.county)


PAIRS = [
    ("state", "ethnicity"),
    ("age", "marital_status"),
    ("age", "occupation_group"),
    ("education_level", "income_band"),
    ("occupation_group", "industry"),
    ("nativity", "class_of_worker"),
    ("household_type", "veteran_status"),
    ("openness", "sex"),
]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_sample_has_the_marginals_of_the_model(
    population: Population, many: pd.DataFrame, pair: tuple[str, str]
) -> None:
    found = population.marginal(pair)
    columns = {}
    for name in pair:
        if name == "occupation_group":
            column = many["occupation"].astype(str).map(population.priors.occupation_group)
        else:
            column = many[name]
        columns[name] = column.map({state: i for i, state in enumerate(found.domain[name])}).to_numpy(int)
    observed = np.zeros(found.domain.shape)
    np.add.at(observed, tuple(columns.values()), 1)
    expected = found.weights / found.weights.sum() * MANY
    assert found.weights.sum() == pytest.approx(1, abs=1e-5)
    rare = expected < 5
    assert within_chance(observed[rare].sum(), MANY, float(expected[rare].sum() / MANY))
    square = float(((observed - expected)[~rare] ** 2 / expected[~rare]).sum())
    freedom = int((~rare).sum())
    assert square < freedom + 5 * (2 * freedom) ** 0.5


CONDITIONS: dict[str, dict[str, Any]] = {
    "core": {"state": "CA", "sex": "Female"},
    "range": {"age": "30-45"},
    "pattern": {"occupation": "*engineer*"},
    "list": {"education_level": ["bachelors", "graduate"], "marital_status": ["divorced", "widowed"]},
    "ZIP prefix": {"zipcode": "100*"},
    "county": {"county": "Los Angeles County"},
    "name": {"last_name": "Garcia"},
    "first name": {"first_name": "Mary", "ethnicity": "white"},
    "trait": {"openness": "60-", "neuroticism_label": ["low", "very_low"]},
    "far child": {"class_of_worker": "self_employed", "state": "TX"},
    "birth year": {"birth_year": "1990-1994", "industry": "health"},
}


def filtered(frame: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    for name, wanted in where.items():
        text = frame[name].astype(str)
        if isinstance(wanted, list):
            met = text.isin(wanted)
        elif "*" in wanted:
            met = (
                text.str.contains(wanted.strip("*")) if wanted[0] == "*" else text.str.startswith(wanted[:-1])
            )
        elif frame[name].dtype.kind == "i":
            low, high = wanted.split("-")
            met = frame[name].between(int(low), int(high or 9999))
        else:
            met = text == wanted
        frame = frame[met]
    return frame


@pytest.mark.parametrize("where", CONDITIONS.values(), ids=CONDITIONS)
def test_probability_is_the_share_of_a_sample(
    population: Population, many: pd.DataFrame, where: dict[str, Any]
) -> None:
    assert within_chance(len(filtered(many, where)), MANY, population.probability(where))


@pytest.mark.parametrize(
    "where", [CONDITIONS[name] for name in ("pattern", "list", "county", "name", "far child")], ids=str
)
def test_conditioned_sample_is_like_a_filtered_one(
    population: Population, many: pd.DataFrame, where: dict[str, Any]
) -> None:
    drawn, kept = population.sample(20_000, seed=3, where=where), filtered(many, where)
    assert len(filtered(drawn, where)) == len(drawn)
    for name in ("sex", "ethnicity", "marital_status", "education_level", "labor_force_status", "nativity"):
        one, other = (frame[name].astype(str).value_counts() for frame in (drawn, kept))
        both = pd.DataFrame({"one": one, "other": other}).fillna(0)
        share = both.sum(axis=1) / both.to_numpy().sum()
        for state, row in both.iterrows():
            spread = (share[state] * (1 - share[state]) * (1 / len(drawn) + 1 / len(kept))) ** 0.5
            assert abs(row["one"] / len(drawn) - row["other"] / len(kept)) <= 5 * spread + 3 / len(kept), (
                name,
                state,
            )


@pytest.mark.parametrize(
    ("where", "named", "unnamed"),
    [
        ({"region": "north", "status": "working", "transport": "none"}, ["status", "transport"], "region"),
        ({"mood": "glad", "age": "18-19", "status": "resting"}, ["age", "status"], "mood"),
        ({"region": "west", "trade": "mason"}, ["region", "trade"], "age"),
    ],
    ids=str,
)
def test_impossible_conditions_are_minimal(
    toy: Population, where: dict[str, Any], named: list[str], unnamed: str
) -> None:
    with pytest.raises(
        EvidenceError, match="nobody in toy meets these together; loosen one of them"
    ) as error:
        toy.sample(1, where=where)
    assert all(name in str(error.value) for name in named)
    assert unnamed not in str(error.value)


def test_impossible_us_conditions_are_explained(population: Population) -> None:
    with pytest.raises(EvidenceError, match="nobody in en_US meets these together"):
        population.probability({"occupation": "*engineer*", "labor_force_status": "not_in_workforce"})


@pytest.mark.parametrize(
    "wrong",
    [{"n": 0}, {"n": -5}, {"n": "5"}, {"n": 2.5}, {"n": True}, {"start": -1}, {"seed": -1}, {"seed": 1.5}],
)
def test_numbers_out_of_range_are_refused(toy: Population, wrong: dict[str, Any]) -> None:
    (name, value), *_ = wrong.items()
    with pytest.raises(ValueError, match=rf"sample: {name}={value!r}; give a whole number"):
        toy.sample(**{"n": 3, **wrong})


def test_empty_condition_has_probability_one(toy: Population) -> None:
    assert toy.probability({}) == 1
    pd.testing.assert_frame_equal(toy.sample(20, where={}), toy.sample(20))


def test_unknown_locale_lists_the_known() -> None:
    with pytest.raises(DeclarationError, match=r"xx_XX: no such locale .*shipped: .*en_US"):
        Population.load("xx_XX")


def test_unknown_attribute_lists_the_known(toy: Population) -> None:
    with pytest.raises((FitError, EvidenceError), match=r"height.*known|no attribute of the model"):
        toy.marginal(("height",))


def test_model_explains_itself(toy: Population) -> None:
    found = toy.explain()
    assert found["core"] == {"attributes": ["region", "age_band", "sex", "status"], "cells": 54}
    assert {node["child"]: node["parents"] for node in found["nodes"]}["trade"] == [
        "region",
        "age_half",
        "trade_group",
    ]
    assert ["voter", "transport", "mood"] in found["tables"]
    assert found["independences"] == ["mood does not depend on region given trade"]
    assert max(found["distances"].values()) < 0.02


def test_conditions_share_no_draws(population: Population) -> None:
    texas = population.sample(500, seed=7, where={"state": "TX"})
    florida = population.sample(500, seed=7, where={"state": "FL"})
    same = (texas["openness"].to_numpy() == florida["openness"].to_numpy()).mean()
    assert same < 0.15  # equal scores of independent people: about 0.028


def test_repr_is_one_short_line(population: Population) -> None:
    assert repr(population) == f"Population('en_US', model {population.digest[:12]})"


@pytest.mark.parametrize("given", ["state=NY", ["state"], {1: 2}, pd.Series({"state": "NY"}), 3])
@pytest.mark.parametrize("ask", ["sample", "probability", "marginal"])
def test_other_arguments_are_refused(population: Population, ask: str, given: Any) -> None:
    asked = {
        "sample": lambda: population.sample(1, where=given),
        "probability": lambda: population.probability(given),
        "marginal": lambda: population.marginal("sex", where=given),
    }
    with pytest.raises(EvidenceError, match=r"^where: give a mapping of attributes, such as"):
        asked[ask]()


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"n": 10**30}, "draw at most 1000000000 rows at once, and continue with `start`"),
        ({"n": 1, "start": 2**63 - 1}, "rows are numbered up to 9223372036854775807"),
        ({"n": 1, "start": 10**30}, "rows are numbered up to"),
    ],
)
def test_too_many_rows_are_refused(population: Population, numbers: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        population.sample(**numbers)


def test_model_can_be_restricted(population: Population) -> None:
    with pytest.raises(EvidenceError, match="no attribute is named"):
        population.model_of()
    assert set(population.model_of(["sex"]).nodes()) == set(population.model_of("sex").nodes())
