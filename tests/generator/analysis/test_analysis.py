from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import united_states

from census_personas import (
    Population,
    audit_independences,
    augment,
    balanced,
    degrees_by_region,
    diversity,
    effective_size,
    evaluate_bias,
    find_personas,
    occupation_ages,
    rake_weights,
)
from census_personas.generator.analysis.augmentation import fill
from census_personas.generator.analysis.groups import AnalysisError, group_counts, group_labels

pytestmark = pytest.mark.quick


@cache
def population() -> Population:
    return Population.load(united_states())


@cache
def people() -> pd.DataFrame:
    return population().sample(1500, seed=7)


def test_every_criterion_finds_people() -> None:
    frame = people()
    found = find_personas(frame, sex="Female", age="30-39", state={"NY", "CA", "TX"})
    expected = frame[
        (frame.sex == "Female") & frame.age.between(30, 39) & frame.state.isin(["NY", "CA", "TX"])
    ]
    assert found.index.tolist() == expected.index.tolist()
    assert find_personas(frame, age={"min": 65}).age.min() == 65
    assert find_personas(frame, age="65+").equals(find_personas(frame, age=range(65, 131)))
    nurses = find_personas(frame, occupation={"contains": "NURSE"})
    assert len(nurses)
    assert nurses.equals(find_personas(frame, occupation="*nurse*"))
    assert find_personas(frame).equals(frame)
    assert find_personas(frame, occupation="astronaut").empty
    assert find_personas(frame.assign(note=[None, *["x"] * (len(frame) - 1)]), note=None).index.tolist() == [
        0
    ]


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({"agee": 30}, r"no column 'agee'; did you mean 'age'\?"),
        ({"age": "young"}, r"age='young' is no number; write 30, \"30-39\""),
        ({"age": "40-30"}, r"the range 40 to 30 is reversed; write 30-40"),
        ({"age": {"least": 3}}, r"age has 'least'; known keys are min, max, contains"),
        ({"sex": {"min": 3}}, r"column 'sex' holds '(Female|Male)' where a number is needed"),
        ({"age": {"min": "x"}}, r"'x' to None is no range; min and max are numbers"),
    ],
)
def test_unreadable_criteria_are_one_line(criteria: dict[str, object], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        find_personas(people(), **criteria)


def test_statistics_equal_those_of_pandas() -> None:
    frame = people()
    ages = occupation_ages(frame, top=3, locale=population())
    first = frame[frame.occupation == ages.occupation[0]].age
    assert ages.loc[0, ["people", "mean_age", "median_age", "std_age"]].tolist() == pytest.approx(
        [len(first), first.mean(), first.median(), first.std()]
    )
    degrees = degrees_by_region(frame, top=None, least=1, locale=population())
    adults = frame[frame.age >= 25]
    holders = adults.education_level.isin(["bachelors", "graduate"])
    one = degrees.set_index("region").loc["CA"]
    assert one.share == pytest.approx(holders[adults.state == "CA"].mean())
    assert ((degrees.low <= degrees.share) & (degrees.share <= degrees.high)).all()
    assert int(degrees.people.sum()) == len(adults)
    measured = diversity(frame, locale=population()).set_index("attribute").value
    assert measured["age"] == pytest.approx(frame.age.std() / frame.age.mean())
    shares = frame.sex.value_counts(normalize=True)
    assert measured["sex"] == pytest.approx(-(shares * np.log2(shares)).sum())


def test_balanced_groups_have_equal_sizes() -> None:
    frame = people()
    drawn = balanced(frame, ["sex", "age"], 104, seed=3)
    counts = group_counts(group_labels(drawn, ["sex", "age"], "test"))
    assert sorted(counts) == [10] * 6 + [11] * 4
    assert drawn.index.is_monotonic_increasing
    assert drawn.index.is_unique
    assert drawn.equals(balanced(frame, ["sex", "age"], 104, seed=3))
    assert not drawn.equals(balanced(frame, ["sex", "age"], 104, seed=4))
    assert set(group_labels(frame, "age", "test").age) == {"18-29", "30-44", "45-59", "60-74", "75+"}


def test_sets_that_cannot_be_balanced_are_refused() -> None:
    frame = people()
    with pytest.raises(AnalysisError, match=r"n=1500 is too large: \d+ people are age=75\+, 300 are wanted"):
        balanced(frame, "age", 1500)
    with pytest.raises(AnalysisError, match=r"nobody in the frame is age=45-59"):
        balanced(frame[frame.age < 40], "age", 10)
    with pytest.raises(AnalysisError, match=r"n=3 is less than the 5 groups"):
        balanced(frame, "age", 3)
    with pytest.raises(AnalysisError, match=r"the frame has no rows"):
        balanced(frame[:0], "age", 3)


def test_augmentation_fills_what_is_missing() -> None:
    base = people()[people().age < 45]
    found = augment(base, ["sex", "age"], n=120, locale=population())
    assert len(found.added) == 120
    assert found.added.age.min() >= 45
    assert found.reasons.added.sum() == 120
    assert found.reasons.base.sum() == len(base)
    by_group = group_counts(group_labels(found.added, ["sex", "age"], "test"))
    planned = found.reasons[found.reasons.added > 0].set_index(["sex", "age"]).added
    assert by_group.to_dict() == planned.to_dict()
    assert found.reasons.why[0].startswith("0 of ")
    again = augment(base, ["sex", "age"], n=120, locale=population())
    assert again.added.equals(found.added)
    change = evaluate_bias(
        base, pd.concat([base, found.added[base.columns]]), by=["age"], locale=population()
    )
    assert change.set_index("measure").verdict[["age_distance", "tvd", "srmse"]].tolist() == ["lower"] * 3


def test_target_table_may_have_own_bands() -> None:
    base = people()[:300]
    table = pd.DataFrame({"age": ["18-64", "65+"], "share": [0.2, 0.8]})
    found = augment(base, "age", n=50, target=table, locale=population())
    assert found.added.age.min() >= 65
    assert set(found.reasons.age) == {"18-64", "65+"}
    even = augment(base, "sex", n=50, target={"Female": 1, "Male": 1}, locale=population()).reasons
    assert (even.base + even.added).tolist() == [175, 175]


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"by": "shoe_size"}, r"the frame has no column 'shoe_size'"),
        ({"sex": "F"}, {"by": "sex"}, r"has 'F'; recode it, known: Female, Male"),
        ({"shoe": 40}, {"by": "shoe"}, r"column 'shoe' is no attribute of locale en_US"),
        ({}, {"by": "sex", "n": 0}, r"n=0; give a whole number, at least 1"),
        ({}, {"by": "sex", "target": "people"}, r"'people' is neither 'census' nor a table"),
        (
            {},
            {"by": "age", "target": {"18-29": 1, "60+": 1}},
            r"must follow each other and end with an open one",
        ),
        ({}, {"by": "sex", "target": {"Female": -1, "Male": 2}}, r"at least 0 and not all 0"),
        (
            {},
            {"by": ["age", "education_level"], "target": {("18", "graduate"): 1}},
            r"must follow each other|nobody in en_US is",
        ),
    ],
)
def test_bad_augmentations_are_one_line(
    change: dict[str, object], options: dict[str, object], message: str
) -> None:
    with pytest.raises(AnalysisError, match=message):
        augment(people()[:50].assign(**change), **{"n": 10, "locale": population(), **options})


def test_base_without_known_columns_is_refused() -> None:
    with pytest.raises(
        AnalysisError, match=r"none of the columns sex, age, education_level; name some with by"
    ):
        augment(people()[["state"]][:20], n=3, locale=population())


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1, max_size=8).filter(
        lambda groups: any(share for _, share in groups)
    ),
    st.integers(1, 200),
)
@settings(max_examples=60, deadline=None)
def test_filling_raises_the_smallest_ratio(groups: list[tuple[int, int]], n: int) -> None:
    have, shares = (np.array(values, dtype=float) for values in zip(*groups, strict=True))
    shares /= shares.sum()
    added = fill(have, shares, n)
    assert added.sum() == n
    assert (added >= 0).all()
    assert not added[shares == 0].any()
    level = np.divide(have + added, shares, out=np.full(len(have), np.inf), where=shares > 0)
    filled = (added > 1) & (shares > 0)
    # Nobody was added, but for rounding, where somebody else has less.
    assert all(
        ((have + added - 1)[i] / shares[i]) <= level.min() + 1e-9 + 1 / shares[shares > 0].min()
        for i in np.flatnonzero(filled)
    )


def test_a_perfect_sample_shows_no_change() -> None:
    one, other = population().sample(1500, seed=1), population().sample(1500, seed=2)
    for against in ("census", people()):
        found = evaluate_bias(one, other, against, by=["sex", ("sex", "age")], locale=population())
        assert set(found.attribute) == {"age", "sex", "education_level", "sex x age"}
        assert (found.verdict != "no clear change").sum() <= 1  # each interval has its own 95 %
        distances = found[found.measure == "tvd"]
        assert (distances.before < 3 * distances.before_floor).all()
    with pytest.raises(AnalysisError, match=r"no column 'shoe'"):
        evaluate_bias(one, other, by=["shoe"], locale=population())


def test_raked_weights_have_the_margins() -> None:
    frame = people()
    raked = rake_weights(frame, {"sex": {"Female": 0.4, "Male": 0.6}, "age": "census"}, locale=population())
    assert raked.margins.weighted.to_numpy() == pytest.approx(raked.margins.target.to_numpy(), abs=1e-6)
    assert raked.weights[frame.sex == "Female"].sum() / raked.weights.sum() == pytest.approx(0.4, abs=1e-6)
    assert raked.weights.mean() == pytest.approx(1)
    assert raked.effective_size == pytest.approx(effective_size(raked.weights))
    assert raked.effective_size < len(frame)
    assert raked.design_effect == pytest.approx(len(frame) / raked.effective_size)
    assert effective_size([1, 1, 1, 0]) == pytest.approx(3)


def test_weights_that_cannot_be_raked_are_refused() -> None:
    frame = people()
    with pytest.raises(AnalysisError, match=r"nobody in the frame is age=45-59, 23 % of the target"):
        rake_weights(frame[frame.age < 40], ["age"], locale=population())
    with pytest.raises(AnalysisError, match=r"the frame has sex=Male, which the target lacks"):
        rake_weights(frame, {"sex": {"Female": 1}}, locale=population())
    with pytest.raises(AnalysisError, match=r"1500 rows have no value in sex"):
        rake_weights(frame.assign(sex=None), ["sex"], locale=population())
    contrary = {"sex": {"Female": 0.5, "Male": 0.5}, "also": {"Female": 0.9, "Male": 0.1}}
    with pytest.raises(AnalysisError, match=r"no weights have all margins; sex misses its target"):
        rake_weights(frame.assign(also=frame.sex), contrary, locale=population())
    with pytest.raises(AnalysisError, match=r"at least 0 and not all 0"):
        effective_size([])


def test_audit_finds_what_an_independence_costs() -> None:
    frame = population().sample(4000, seed=11)
    shuffled = frame.assign(marital_status=frame.marital_status.sample(frac=1, random_state=0).to_numpy())
    declared = ["education_level, marital_status", "age_group, marital_status"]
    ours, independent = (audit_independences(one, declared, locale=population()) for one in (frame, shuffled))
    assert ours.agrees.tolist() == [True, True]
    assert ours.holds.tolist() == [False, False]
    assert independent.agrees.tolist() == [False, False]
    assert independent.holds.tolist() == [True, True]
    assert set(ours.source) == {"table"}
    # Made independent, the dataset is as far away as the assumption alone says, but for chance.
    assert (independent.tvd - independent.assumed).abs().max() < independent.floor.max()
    again = audit_independences(shuffled, declared, locale=population())
    assert again.equals(independent)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ([], r"nothing is declared"),
        (["sex"], r"'sex' declares no independence; write 'ONE, OTHER'"),
        (["sex, shoe"], r"'shoe' is no attribute of locale en_US"),
        (["occupation, age | state"], r"has 2,\d+,\d+ cells; use coarser attributes"),
        (["sex, labor_force_status"], r"the frame has no column 'labor_force_status'"),
    ],
)
def test_bad_declarations_are_one_line(declared: list[str], message: str) -> None:
    frame = people()[["sex", "age", "occupation", "state"]]
    with pytest.raises(AnalysisError, match=message):
        audit_independences(frame, declared, locale=population())
