"""Completed people: the distribution of drawn facts, and impossible rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.foundation.arrays import Floats
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.known_facts import known_of
from census_personas.generator.population.population import Population

NAMES = ("region", "age", "sex", "status", "trade", "transport", "mood", "age_band", "trade_group", "voter")
ROWS = 4000
BANDS = {"18-19": range(18, 20), "20+": range(20, 26), "22-24": range(22, 25)}


def weights(population: Population, frame: pd.DataFrame) -> Floats:
    """P(what each row says), as rows are drawn by it."""
    engine = population.completion
    known, possible = known_of(engine.reader.read(frame), population.priors, engine.completer.columns)
    return np.where(possible, engine.completer.probability(known), 0.0)


def with_gaps(people: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    gaps = np.random.default_rng(seed).random(people.shape) < share
    return people.astype(object).mask(gaps)


def oracle(cells: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    """The cells that a row leaves open."""
    for name, cell in row.items():
        wanted = BANDS[cell] if name == "age" and isinstance(cell, str) else cell
        cells = cells[cells[name].isin(list(wanted) if isinstance(wanted, list | range) else [wanted])]
    return cells


@given(st.lists(st.sampled_from(NAMES), unique=True), st.data())
@settings(max_examples=40, deadline=None)
def test_fact_weights_match_enumeration(
    toy: Population, toy_cells: pd.DataFrame, names: list[str], data: st.DataObject
) -> None:
    row: dict[str, Any] = {}
    for name in names:
        states = sorted(toy_cells[name].unique().tolist())
        row[name] = data.draw(
            st.one_of(st.sampled_from(states), st.lists(st.sampled_from(states), min_size=2))
        )
    found = weights(
        toy,
        pd.DataFrame(
            {name: pd.Series([cell], dtype=object) for name, cell in row.items()} or None, index=[0]
        ),
    )
    assert found[0] == pytest.approx(oracle(toy_cells, row)["p"].sum(), rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"age": "22-24", "sex": "Male"},
        {"age": "20+", "mood": "grim"},
        {"transport": "foot", "region": ["north", "west"]},
        {"mood": "glad", "voter": "21+"},
        {"trade_group": "minds", "mood": "grim", "age_band": "20-22"},
        {"trade": ["mason", "lawyer"], "transport": "cart"},
        {"status": "resting"},
    ],
    ids=str,
)
def test_draws_match_enumeration(toy: Population, toy_cells: pd.DataFrame, row: dict[str, Any]) -> None:
    frame = pd.DataFrame(
        {name: pd.Series([cell] * ROWS, dtype=object) for name, cell in row.items()}, index=range(ROWS)
    )
    people = toy.complete(frame, seed=3).people
    open_cells = oracle(toy_cells, row)
    keys = ["region", "age", "sex", "status", "trade", "transport", "mood"]
    expected = open_cells.set_index(keys)["p"] / open_cells["p"].sum() * ROWS
    counts = (
        people.astype(dict.fromkeys(keys, object)).groupby(keys).size().reindex(expected.index, fill_value=0)
    )
    assert counts.sum() == ROWS
    # Pearson's statistic over cells that are expected to be met; its mean is their number.
    met = expected >= 5
    statistic = ((counts - expected)[met] ** 2 / expected[met]).sum()
    assert statistic < met.sum() + 5 * np.sqrt(2 * met.sum())


def test_rows_match_conditioning_one_by_one(toy: Population) -> None:
    frame = with_gaps(
        toy.sample(200, seed=1)[["region", "age", "sex", "status", "trade", "transport", "mood"]], 0.5, 2
    )
    said = [{n: c for n, c in row.items() if not pd.isna(c)} for row in frame.to_dict("records")]
    alone = [toy.probability(row) if row else 1.0 for row in said]
    np.testing.assert_allclose(weights(toy, frame), alone, rtol=1e-5)


def test_names_places_and_work_are_evidence(population: Population) -> None:
    people = population.sample(5, seed=5).drop(columns=["row", "uuid", "country"])
    frame = with_gaps(people[[name for name in people if not name.endswith("_label")]], 0.5, 1)
    traits = {"openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"}
    frame = frame.drop(columns=sorted(traits))
    said = [{n: c for n, c in row.items() if not pd.isna(c)} for row in frame.to_dict("records")]
    np.testing.assert_allclose(
        weights(population, frame), [population.probability(row) for row in said], rtol=1e-5
    )


def test_row_is_the_same_in_any_frame(population: Population) -> None:
    people = population.sample(60, seed=4)
    frame = with_gaps(
        people[["age", "sex", "state", "occupation", "income_band", "city", "ethnicity"]], 0.5, 6
    )
    frame.loc[::5, "age"] = "30-44"
    whole = population.complete(frame, seed=9, start=1000).people.astype(str)
    for first, last in ((0, 1), (7, 8), (20, 59)):
        part = population.complete(frame.iloc[first:last], seed=9, start=1000 + first).people.astype(str)
        pd.testing.assert_frame_equal(part, whole.loc[part.index])
    other = population.complete(frame, seed=10, start=1000).people.astype(str)
    assert not other["uuid"].isin(whole["uuid"]).any()


def test_known_facts_stay_and_others_are_marked(population: Population) -> None:
    frame = population.sample(40, seed=2)[["age", "state", "occupation"]].set_axis(range(70, 110))
    completion = population.complete(frame, seed=1)
    assert list(completion.people) == list(population.sample(1))
    assert completion.people.index.tolist() == completion.drawn.index.tolist() == list(range(70, 110))
    for name in frame:
        assert completion.people[name].tolist() == frame[name].tolist()
    marks = completion.drawn
    assert list(marks) == list(completion.people)
    assert not marks[["age", "birth_year", "state", "occupation", "occupation_code", "country"]].any(
        axis=None
    )
    assert marks[["sex", "ethnicity", "zipcode", "first_name", "openness", "income_band"]].all(axis=None)


def test_fully_known_person_is_unchanged(population: Population) -> None:
    people = population.sample(50, seed=8)
    completion = population.complete(people, seed=3)
    pd.testing.assert_frame_equal(completion.people.astype(str), people.astype(str))
    assert not completion.drawn.any(axis=None)


def test_views_and_ranges_leave_their_states(population: Population) -> None:
    frame = pd.DataFrame(
        {
            "city": ["Chicago", None, "Dayton"],
            "county": [None, "Cook County", None],
            "state": [None, "IL", "OH"],
            "age": ["25-34", {40, 50}, "65+"],
        }
    )
    people = population.complete(frame).people
    assert people["state"].tolist() == ["IL", "IL", "OH"]
    assert people["city"].tolist()[::2] == ["Chicago", "Dayton"]
    assert people["county"].tolist()[1] == "Cook County"
    assert (
        people["age"].iloc[0] in range(25, 35),
        people["age"].iloc[1] in {40, 50},
        people["age"].iloc[2] >= 65,
    ) == (
        True,
        True,
        True,
    )


def test_unknown_name_is_kept(population: Population) -> None:
    frame = pd.DataFrame(
        {"first_name": ["Zzyzx", "Maria"], "last_name": ["Nguyen", "Qwrtzy"], "age": [30, 40]}
    )
    completion = population.complete(frame)
    assert (
        completion.people[["first_name", "last_name"]].to_numpy().tolist()
        == frame.iloc[:, :2].to_numpy().tolist()
    )
    assert not completion.drawn[["first_name", "last_name"]].any(axis=None)


def test_impossible_people_are_named(population: Population) -> None:
    frame = pd.DataFrame(
        {
            "sex": ["Male", "Female", "Male"],
            "age": [18, 30, 75],
            "education_level": ["graduate", "bachelors", None],
            "state": ["TX", "CA", "NY"],
            "labor_force_status": [None, None, "armed_forces"],
        },
        index=["a", "b", "c"],
    )
    completion = population.complete(frame)
    assert completion.people.index.tolist() == ["b"]
    assert completion.impossible["facts"].to_dict() == {
        "a": {"age": 18, "education_level": "graduate"},
        "c": {"age": 75, "labor_force_status": "armed_forces"},
    }
    assert completion.impossible["reason"]["a"] == "nobody in en_US has age 18 and education_level graduate"


def test_views_of_one_attribute_may_conflict(population: Population) -> None:
    frame = pd.DataFrame({"zipcode": ["10001"], "state": ["CA"], "sex": ["Male"], "birth_year": [1980]})
    impossible = population.complete(frame).impossible
    assert impossible["facts"].tolist() == [{"zipcode": "10001", "state": "CA"}]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"stat": ["NY"]}, r"column 'stat': unknown attribute 'stat'; did you mean 'state'\?"),
        (
            {"occupation": [None, "registered nurse"]},
            r"column 'occupation', row 1: .*did you mean registered_nurse\?",
        ),
        ({"age": ["young"]}, r"column 'age', row 0: 'young' is neither a whole number nor a range"),
        ({"sex": ["*"]}, r"column 'sex', row 0: unknown value '\*'"),
        ({"sex": [[]]}, r"column 'sex', row 0: an empty list"),
        ({"country": ["France"]}, r"column 'country', row 0: 'France'"),
        ({"row": ["first"]}, r"column 'row', row 0: 'first' is no whole number"),
    ],
)
def test_unreadable_cell_is_named(population: Population, frame: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        population.complete(pd.DataFrame(frame))


@pytest.mark.parametrize("options", [{"seed": -1}, {"start": 1.5}])
def test_number_out_of_range_is_refused(toy: Population, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give a whole number"):
        toy.complete(pd.DataFrame({"sex": ["Male"]}), **options)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"age": [], "sex": []}),
        pd.DataFrame(index=["a", "b"]),
        pd.DataFrame({"age": [None, None], "sex": [np.nan, np.nan]}, index=[7, 7]),
        pd.DataFrame({"age": pd.Series([30, None], dtype="Int64"), "sex": pd.Categorical(["Male", None])}),
        pd.DataFrame({"age": [30.0, np.nan], "state": pd.Series(["NY", None], dtype="string[pyarrow]")}),
    ],
    ids=lambda frame: str(list(frame.dtypes.items()) or len(frame)),
)
def test_frames_of_any_shape_are_completed(population: Population, frame: pd.DataFrame) -> None:
    completion = population.complete(frame)
    assert completion.people.index.tolist() == completion.drawn.index.tolist() == frame.index.tolist()
    assert {"age", "sex", "state", "uuid"} <= {*completion.people.columns}
    for name in frame:
        said = frame[name].notna()
        assert completion.people[name][said].tolist() == frame[name][said].tolist()
    assert completion.impossible.empty


def test_impossible_number_spoils_its_row_alone(population: Population) -> None:
    completion = population.complete(pd.DataFrame({"age": [17, 30, "150+", [17, 40]]}))
    assert completion.people["age"].tolist() == [30, 40]
    assert completion.impossible["reason"].to_dict() == {
        0: "age 17: en_US has people from 18 to 100",
        2: "age 150+: en_US has people from 18 to 100",
    }
    assert population.complete(pd.DataFrame({"age": [17]})).people.empty
