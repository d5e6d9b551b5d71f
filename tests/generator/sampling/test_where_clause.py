"""Reading `where`: the states that each form allows, and the message for an unreadable one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.population.population import Population
from census_personas.generator.sampling.target import read_targets
from census_personas.generator.sampling.where_clause import attributes, masks

pytestmark = pytest.mark.quick


def taken(toy: Population, where: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the states that a `where` allows, by attribute of the model."""
    states = {leaf.child: leaf.table.states for leaf in toy.leaves}
    states |= {name: np.array(values, dtype=object) for name, values in toy.priors.domain.states.items()}
    return {name: states[name][mask].tolist() for name, mask in masks(where, toy.priors, toy.leaves).items()}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"sex": "Male"}, {"sex": ["Male"]}),
        ({"region": ["north", "west"]}, {"region": ["north", "west"]}),
        ({"region": ("north", "nor*")}, {"region": ["north"]}),
        ({"age": 21}, {"age": [21]}),
        ({"age": "21"}, {"age": [21]}),
        ({"age": 21.0}, {"age": [21]}),
        ({"age": "19-20"}, {"age": [19, 20]}),
        ({"age": " 19 - 20 "}, {"age": [19, 20]}),
        ({"age": "24-"}, {"age": [24, 25]}),
        ({"age": "-19"}, {"age": [18, 19]}),
        ({"age": {"min": 24}}, {"age": [24, 25]}),
        ({"age": {"max": 18}}, {"age": [18]}),
        ({"age": {"min": 20, "max": 21}}, {"age": [20, 21]}),
        ({"age": [18, "24-", {"min": 20, "max": 20}]}, {"age": [18, 20, 24, 25]}),
        ({"age": range(19, 22)}, {"age": [19, 20, 21]}),
        ({"trade": "*AS*"}, {"trade": ["mason"]}),
        ({"trade": "c?[er]*"}, {"trade": ["carpenter", "clerk"]}),
        ({"trade_group": "hands"}, {"trade_group": ["hands"]}),
        ({"voter": "18-20"}, {"age": [18, 19, 20]}),
        ({"age_half": "18-22"}, {"age_band": ["18-19", "20-22"]}),
        ({"birth_year": 2000}, {"age": [24]}),
        ({"birth_year": "2005-"}, {"age": [18, 19]}),
        ({"age": "19-22", "voter": "21+"}, {"age": [21, 22]}),
        ({"age_band": ["18-19", "23+"], "age_half": "18-22"}, {"age_band": ["18-19"]}),
        ({"openness": "78-"}, {"openness": [78, 79, 80]}),
        ({"openness_label": "very_low"}, {"openness": list(range(20, 35))}),
        ({"openness_label": ["low", "high"], "openness": "44-56"}, {"openness": [44, 55, 56]}),
    ],
    ids=str,
)
def test_conditions_allow_the_named_states(
    toy: Population, where: dict[str, Any], expected: dict[str, list[Any]]
) -> None:
    assert taken(toy, where) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            {"sexx": "Male"},
            r"where\.sexx: unknown attribute 'sexx'; did you mean 'sex'\? known: age, age_band",
        ),
        ({"qqqqq": 1}, r"where\.qqqqq: unknown attribute 'qqqqq'; known: age"),
        ({"sex": "male"}, r"where\.sex: unknown value 'male'; did you mean Male\?"),
        ({"sex": None}, r"where\.sex: unknown value 'None'; known: Female, Male"),
        ({"region": []}, r"where\.region: an empty list matches nobody"),
        ({"trade": "*smith*"}, r"where\.trade: no state matches the pattern '\*smith\*'"),
        ({"age": "old"}, r"where\.age: 'old' is neither a whole number nor a range; write 30"),
        ({"age": "-"}, r"where\.age: '-' is neither a whole number nor a range"),
        ({"age": 30.5}, r"where\.age: '30\.5' is neither a whole number nor a range"),
        ({"age": True}, r"where\.age: 'True' is neither a whole number nor a range"),
        ({"age": "60-70"}, r"where\.age: 60 to 70 is outside the values 18 to 25"),
        ({"age": "9" * 5000}, r"where\.age: '9{100}' is neither a whole number nor a range"),
        ({"age": "-3"}, r"where\.age: to 3 is outside the values 18 to 25"),
        ({"age": "24-20"}, r"where\.age: the range 24 to 20 is reversed; write 20-24"),
        ({"age": -30}, r"where\.age: '-30' is neither a whole number nor a range"),
        (
            {"age": {"min": 10**400}},
            r"where\.age: '10{99}' is not a number; min and max of a range are numbers",
        ),
        ({"age": {}}, r"where\.age: a range without bounds matches everybody; give min, max or both"),
        ({"age": {"min": 20, "most": 30}}, r"where\.age: unknown key 'most'; a range has min and max"),
        ({"age": {"min": "twenty"}}, r"where\.age: 'twenty' is not a number; min and max of a range are"),
        ({"sex": {"min": 1}}, r"where\.sex: ranges are for numbers"),
        (
            {"age": "18-19", "voter": "21+"},
            r"where\.voter: nothing meets it together with the other conditions",
        ),
        ({"region": ["north", "nowhere"]}, r"where\.region: unknown value 'nowhere'"),
    ],
    ids=str,
)
def test_unreadable_condition_is_refused(toy: Population, where: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        masks(where, toy.priors, toy.leaves)


def test_every_offered_attribute_is_accepted(toy: Population) -> None:
    for name in attributes(toy.priors, toy.leaves):
        value = {"birth_year": 2000}.get(name)
        if value is None:
            states = dict(toy.priors.domain.states) | {f.child: f.table.states for f in toy.leaves}
            value = states[name][0] if name in states else "average"
        assert masks({name: value}, toy.priors, toy.leaves)


def test_every_row_value_can_be_a_condition(population: Population) -> None:
    row = population.sample(1, seed=8).iloc[0].to_dict()
    own = {name: value for name, value in row.items() if name not in {"row", "uuid", "country"}}
    for name, value in own.items():
        found = masks({name: value}, population.priors, population.leaves)
        assert all(mask.any() for mask in found.values()), name
    assert population.probability(own) > 0


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ({"state": "ca"}, "unknown value 'ca'; did you mean CA?"),
        ({"state": "California"}, "did you mean CA?"),
        ({"sex": "female"}, "did you mean Female?"),
        ({"occupation": "Registered Nurse"}, "did you mean registered_nurse?"),
        ({"occupation": "nurse"}, "did you mean registered_nurse, nurse_anesthetist, nurse_practitioner?"),
        ({"last_name": "SMITH"}, "did you mean Smith?"),
        ({"State": "CA"}, "unknown attribute 'State'; did you mean 'state'?"),
    ],
    ids=str,
)
def test_close_value_is_suggested(population: Population, where: dict[str, Any], hint: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        masks(where, population.priors, population.leaves)
    assert hint in str(caught.value)


@pytest.mark.parametrize("within", ["target", "quota"])
def test_unknown_attribute_is_named(toy: Population, within: str) -> None:
    with pytest.raises(EvidenceError, match=rf"^{within}\.sex,nope: unknown attribute 'nope'; known"):
        read_targets({"sex,nope": "uniform"}, toy.priors, toy.leaves, within)
