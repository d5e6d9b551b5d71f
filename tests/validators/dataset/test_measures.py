from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from shipped import united_states

from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import Marginal
from census_personas.validators.dataset.bias import guide_bias, representation, word_associations
from census_personas.validators.dataset.diversity import people_diversity, text_diversity
from census_personas.validators.dataset.duplication import duplication, near_duplication, sentence_sharing
from census_personas.validators.dataset.fidelity import fidelity
from census_personas.validators.dataset.vendi import vendi_score

pytestmark = pytest.mark.quick

US = united_states()
FIELDS = ("sex", "education_level", "state", "occupation")
CENSUS = Marginal(
    Domain({"sex": ("Female", "Male"), "age": (18, 19, 20)}), np.array([[1.0, 2, 3], [3, 2, 1]]), None, "test"
)


def _sample(rows: int, seed: int = 0) -> pd.DataFrame:
    cells = np.random.default_rng(seed).choice(6, size=rows, p=CENSUS.probabilities().ravel())
    return pd.DataFrame({"sex": np.array(["Female", "Male"])[cells // 3], "age": 18 + cells % 3})


def test_distances_are_those_computed_by_hand() -> None:
    frame = pd.DataFrame({"sex": ["Female", "Female", "Male", "Male"], "age": [18, 18, 18, 18]})
    found = fidelity(frame, CENSUS.project(("age",)))
    assert found.tvd == pytest.approx(2 / 3)
    assert found.tae == pytest.approx(2 * 4 * 2 / 3)
    assert found.srmse == pytest.approx(np.sqrt((4 / 9 + 1 / 9 + 1 / 9) / 3) / (1 / 3))
    assert not found.passes or found.limit > 2 / 3


def test_a_perfect_sample_passes_and_a_distorted_one_fails() -> None:
    sample = _sample(20_000)
    assert fidelity(sample, CENSUS).passes
    assert not fidelity(sample.assign(sex="Male"), CENSUS).passes


def test_a_table_that_is_certain_allows_no_departure() -> None:
    women = Marginal(Domain({"sex": ("Female", "Male")}), np.array([1.0, 0.0]), None, "test")
    found = fidelity(pd.DataFrame({"sex": ["Female"] * 40}), women)
    assert (found.floor, found.limit, found.passes) == (0, 0, True)
    assert not fidelity(pd.DataFrame({"sex": ["Female"] * 40 + ["Male"]}), women).passes


def test_a_small_group_drawn_as_anybody_is_marked_though_its_cells_are_thin() -> None:
    rng, jobs = np.random.default_rng(4), 400
    anybody = rng.dirichlet(np.full(jobs, 2.0))
    special = np.where(rng.random(jobs) < 0.5, anybody * 0.1, anybody)
    weights = np.stack([anybody * 0.995, special / special.sum() * 0.005])
    census = Marginal(
        Domain({"of": ("all", "few"), "job": tuple(map(str, range(jobs)))}), weights, None, "test"
    )

    def people(shares: npt.NDArray[np.float64]) -> pd.DataFrame:
        cells = np.random.default_rng(1).choice(2 * jobs, size=60_000, p=shares.ravel())
        return pd.DataFrame(
            {"of": np.array(["all", "few"])[cells // jobs], "job": (cells % jobs).astype(str)}
        )

    assert fidelity(people(weights), census).passes
    found = fidelity(people(np.stack([anybody * 0.995, anybody * 0.005])), census)
    assert not found.passes
    assert found.cell.states == ("few", "with what hardly goes with it")


def test_unknown_values_count_as_misplaced() -> None:
    frame = pd.DataFrame({"sex": ["Female", "Male", "X", "X"], "age": [18, 20, 18, 19]})
    found = fidelity(frame, CENSUS.project(("sex",)))
    assert found.unknown == 0.5
    assert found.tvd == pytest.approx(0.5)


def test_an_empty_dataset_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no rows"):
        fidelity(_sample(0), CENSUS)


def test_entropy_is_in_bits_and_age_varies_by_its_coefficient() -> None:
    frame = pd.DataFrame({"sex": ["Female", "Male"] * 2, "state": ["MN"] * 4, "age": [20, 40, 20, 40]})
    found = people_diversity(frame, FIELDS)
    assert found.entropy == {"sex": 1.0, "state": 0.0}
    assert found.age_variation == pytest.approx(frame["age"].std() / frame["age"].mean())


def test_measures_take_frames_and_records_alike() -> None:
    rows: list[dict[str, Any]] = [
        {"uuid": u, "sex": sex, "age": age, "persona": "Ana sings alto in a choir. She bakes."}
        for u, sex, age in (("a", "Female", 30), ("b", "Male", 40), ("c", "Male", 50))
    ]
    diversity = partial(people_diversity, fields=FIELDS)
    for measure in (diversity, text_diversity, duplication, sentence_sharing, vendi_score):
        of_records, of_frame = measure(rows), measure(pd.DataFrame(rows))  # type: ignore[operator]
        assert of_records == of_frame


def test_values_that_nobody_has_are_none_that_could_be_as_frequent() -> None:
    sex = pd.Categorical(["Female", "Male", "Male", "Male"], categories=["Female", "Male", "Other"])
    found = people_diversity(pd.DataFrame({"sex": sex}), FIELDS)
    assert found.most == {"sex": 1.0}
    assert found.entropy["sex"] == pytest.approx(0.811, abs=1e-3)


def test_repeated_texts_are_less_distinct_and_compress_better() -> None:
    varied = [
        {"persona": f"Ana Wu likes {a} and {b} on quiet mornings."}
        for a in ("tea", "jam", "rye")
        for b in ("go", "art")
    ]
    same = [{"persona": "Ana Wu likes tea and jam on quiet mornings."}] * 6
    (first,), (second,) = text_diversity(varied, ["persona"]), text_diversity(same, ["persona"])
    assert first.distinct[2] > second.distinct[2]
    assert first.compression < second.compression
    assert second.commonest_opening == ("likes tea and", 1.0)


def test_duplicates_are_counted_whatever_their_case_and_quotes() -> None:
    rows: list[dict[str, Any]] = [
        {"uuid": "a", "persona": "Ana\u2019s garden."},
        {"uuid": "b", "persona": "ana's garden."},
        {"uuid": "a", "persona": "Leo's garden."},
    ]
    found = duplication(rows, ["persona"])
    assert (found.rows, found.uuids, found.texts) == (3, 1, {"persona": 1})
    assert not found.none


def test_rows_that_share_a_whole_sentence_are_counted_whoever_is_named() -> None:
    rows = [
        {
            "first_name": "Ana",
            "last_name": "Wu",
            "persona": "Ana Wu bakes bread on Sundays. She sings alto at home.",
        },
        {
            "first_name": "Leo",
            "last_name": "Roe",
            "arts_persona": "He paints. “Leo Roe bakes bread on Sundays!”",
        },
        {"first_name": "Mia", "last_name": "Poe", "persona": "Mia Poe sleeps late on most mornings."},
        {"sex": "Male"},
    ]
    found = sentence_sharing(rows, ["persona", "arts_persona"])
    assert (found.rows, found.sharing) == (3, 2)
    assert found.commonest == ("bakes bread on sundays", 2)
    assert sentence_sharing([]).share == 0


def test_near_duplicates_are_found_behind_other_names() -> None:
    pytest.importorskip("datasketch")
    story = "{} folds dumplings on Sundays, reads long novels to the plants, and sails a small green boat in the {}."
    rows = [
        {"persona": story.format("Ana Wu", "bay")},
        {"persona": story.format("Leo Park", "bay")},
        {"persona": "Mia Roe sleeps late on most free mornings."},
    ]
    found = near_duplication(rows)
    assert (found.texts, found.alike) == (3, 2)
    assert found.example is not None


def test_bias_measures_are_those_of_the_guide() -> None:
    frame = pd.DataFrame(
        {"sex": ["Female"] * 3 + ["Male"], "age": [18, 19, 20, 20], "education_level": ["graduate"] * 4}
    )
    found = guide_bias(frame, US, {"age": CENSUS.project(("age",))})
    assert found.age_distance == pytest.approx(19.25 - 19)
    assert found.sex_balance == pytest.approx(0.25)
    assert found.education_gini == pytest.approx(6 / 7)


def test_a_constant_that_was_asked_for_is_no_imbalance() -> None:
    women = Marginal(Domain({"sex": ("Female", "Male")}), np.array([1.0, 0.0]), None, "test")
    frame = pd.DataFrame({"sex": ["Female"] * 4})
    assert guide_bias(frame, US, {"sex": women}).sex_balance is None
    assert guide_bias(frame, US, {"sex": CENSUS.project(("sex",))}).sex_balance == 0.5


def test_gaps_are_named_largest_first_with_their_error() -> None:
    frame = pd.DataFrame({"sex": ["Female"] * 90 + ["Male"] * 10})
    first = representation(frame, CENSUS.project(("sex",)))[0]
    assert first.ratio is not None
    assert abs(first.share - first.census) == pytest.approx(0.4)
    assert first.deviates


def test_a_few_people_of_a_rare_group_are_no_gap_and_a_lost_group_is() -> None:
    states = Domain({"state": ("CA", "DE", *map(str, range(50)))})
    census = Marginal(states, np.array([0.5, 0.003, *[0.497 / 50] * 50]), None, "test")
    lucky = pd.DataFrame({"state": ["CA"] * 100 + ["DE"] * 3 + [str(i % 50) for i in range(97)]})
    assert not any(gap.deviates for gap in representation(lucky, census))
    lost = {gap.group: gap for gap in representation(lucky.assign(state="DE"), census)}
    assert lost["CA"].deviates
    assert lost["DE"].deviates


def test_groups_of_perfect_samples_seldom_deviate() -> None:
    rng, census = np.random.default_rng(3), CENSUS.project(("age",))
    said = 0
    for _ in range(300):
        ages = rng.choice(census.domain["age"], size=40, p=census.probabilities())
        said += any(gap.deviates for gap in representation(pd.DataFrame({"age": ages}), census))
    assert said <= 3


def test_words_that_tell_groups_apart_are_found_and_grammar_is_not() -> None:
    rows = [{"sex": "Female", "persona": "Ana Wu enjoys quilting and she hums."} for _ in range(60)]
    rows += [{"sex": "Male", "persona": "Leo Park enjoys welding and he hums."} for _ in range(60)]
    female, male = word_associations(rows, attribute="sex")
    assert next(iter(female.words)) == "quilting"
    assert next(iter(male.words)) == "welding"
    assert "she" not in female.words


def test_no_words_are_named_of_a_handful_of_texts() -> None:
    rows = [{"sex": "Female", "persona": "Ana Wu enjoys quilting."} for _ in range(60)]
    rows += [{"sex": "Male", "persona": "Leo Park enjoys welding."} for _ in range(5)]
    female, male = word_associations(rows, attribute="sex")
    assert (male.texts, male.words) == (5, {})
    assert "quilting" in female.words


def test_every_measure_is_plain_json(good: dict[str, Any]) -> None:
    frame = _sample(50)
    measures = [
        fidelity(frame, CENSUS).as_dict(),
        people_diversity(frame, FIELDS).as_dict(),
        duplication([good]).as_dict(),
        guide_bias(frame, US).as_dict(),
        *(measure.as_dict() for measure in text_diversity([good])),
        *(gap.as_dict() for gap in representation(frame, CENSUS.project(("sex",)))),
        *(found.as_dict() for found in word_associations([good, {**good, "sex": "Male"}], attribute="sex")),
    ]
    assert json.loads(json.dumps(measures))
