"""Targets against the toy's enumeration: marginals are met, with the smallest change of the model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from census_personas.foundation.errors import DatasetError
from census_personas.generator.config.selection import EvidenceError, Selection
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

AGES = ["18-19", "20-21", "22-25"]
TARGETS: Mapping[str, Mapping[str, Any]] = {
    "a core attribute": {"sex": {"Female": 0.5, "Male": 0.5}},
    "part of a core attribute": {"region": {"west": 0.6}},
    "a view": {"age_half": {"18-22": 0.9, "23+": 0.1}},
    "a refined child, in ranges": {"age": dict(zip(AGES, (0.2, 0.5, 0.3), strict=True))},
    "a refined child, evenly": {"age": "uniform"},
    "a list, evenly": {"age": AGES},
    "a child, by counts": {"mood": {"glad": 30, "grim": 10}},
    "a child that others make certain": {"transport": {"none": 0.1}},
    "two attributes together": {"sex,status": {"Female, working": 0.4, "Male, looking": 0.3}},
    "two attributes of two children": {"mood,trade_group": {"glad, hands": 0.5}},
    "several at once": {
        "sex": "uniform",
        "mood": {"glad": 0.9},
        "age": AGES,
        "voter,sex": {"21+, Male": 0.4},
    },
}


def oracle(people: pd.DataFrame, shares: Mapping[str, Any]) -> pd.Series:
    """Fit every single person iteratively until convergence."""
    p = people["p"].to_numpy() / people["p"].sum()
    cells = [(people.eval(cell).to_numpy(), share) for cell, share in shares.items()]
    for _ in range(500):
        for inside, share in cells:
            have = p[inside].sum()
            p = p * np.where(inside, share / have, (1 - share) / (1 - have))
    return pd.Series(p)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_target_shares_are_met(toy: Population, target: Mapping[str, Any]) -> None:
    for cells in toy.given(Selection(target=target)).achieved.values():
        for wanted, share in cells.values():
            assert share == pytest.approx(wanted, abs=1e-6)


def test_tilted_model_is_the_nearest(toy: Population, toy_cells: pd.DataFrame) -> None:
    target = {"sex": {"Female": 0.5, "Male": 0.5}, "mood": {"glad": 0.8}, "age": {"18-20": 0.7}}
    p = oracle(toy_cells, {"sex == 'Female'": 0.5, "mood == 'glad'": 0.8, "age < 21": 0.7})
    for names in (["region"], ["trade", "sex"], ["age", "mood"], ["transport", "status"]):
        model = toy.marginal(names, target=target)
        want = p.groupby([toy_cells[name] for name in names]).sum()
        for states, share in want.items():
            key = states if isinstance(states, tuple) else (states,)
            at = tuple(model.domain.code(name, state) for name, state in zip(names, key, strict=True))
            assert model.weights[at] == pytest.approx(share, abs=1e-6)


def test_other_conditionals_are_unchanged(toy: Population) -> None:
    before = toy.marginal(["sex", "trade"]).weights
    after = toy.marginal(["sex", "trade"], target={"sex": {"Female": 0.9}}).weights
    np.testing.assert_allclose(
        after / after.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True), atol=1e-6
    )


def test_target_and_condition_combine(toy: Population) -> None:
    selection = Selection({"region": "west", "mood": "glad"}, {"sex": {"Female": 0.75}})
    given = toy.given(selection)
    people = toy.select(selection, 4000)
    assert set(people["region"]) == {"west"}
    assert set(people["mood"]) == {"glad"}
    assert (people["sex"] == "Female").mean() == pytest.approx(0.75, abs=0.03)
    assert given.conditioned.probability == pytest.approx(toy.probability(selection.where))


def test_table_file_is_a_target(toy: Population, tmp_path: Path) -> None:
    table = pd.DataFrame({"sex": ["Female", "Male"], "share": [30, 70]})
    table.to_csv(tmp_path / "shares.csv", index=False)
    table.to_parquet(tmp_path / "shares.parquet")
    pd.DataFrame({"sex": ["Male"] * 7 + ["Female"] * 3}).to_parquet(tmp_path / "people.parquet")
    for name in ("shares.csv", "shares.parquet", "people.parquet"):
        achieved = toy.given(Selection(target={"sex": str(tmp_path / name)})).achieved["sex"]
        assert achieved["Female"][1] == pytest.approx(0.3)


def test_table_content_decides_not_its_name(toy: Population, tmp_path: Path) -> None:
    for name, share in (("a.csv", 30), ("b.csv", 30), ("c.csv", 31)):
        pd.DataFrame({"sex": ["Female", "Male"], "share": [share, 70]}).to_csv(tmp_path / name, index=False)
    a, b, c = (toy.sample(5, target={"sex": str(tmp_path / name)}) for name in ("a.csv", "b.csv", "c.csv"))
    assert a.equals(b)
    assert not set(a["uuid"]) & set(c["uuid"])


def test_unmet_targets_cost_nats(toy: Population) -> None:
    female = toy.marginal(["sex"]).weights[0]
    assert toy.given(Selection(target={"sex": {"Female": female}})).nats == pytest.approx(0, abs=1e-6)
    assert toy.given(Selection(target={"sex": {"Female": 0.99}})).nats > 0.1


@pytest.mark.parametrize(
    ("target", "where", "message"),
    [
        ({"sex": {"Female": 0.7, "Male": 0.7}}, {}, "sum to 1.4"),
        ({"sex": {"Female": -1}}, {}, "numbers from 0 to"),
        ({"sex": {"Female": 1e308, "Male": 1e308}}, {}, r"numbers from 0 to 1e\+15"),
        ({"sex": {"Femal": 0.5}}, {}, "did you mean Female"),
        ({"sexx": "uniform"}, {}, "did you mean 'sex'"),
        ({"sex": 0.5}, {}, "give shares"),
        ({"sex": "even"}, {}, "uniform"),
        ({"age": {"18-20": 0.5, "20-25": 0.5}}, {}, "overlaps"),
        ({"sex,status": {"Female": 0.5}}, {}, "2 values"),
        ({"region": {"west": 0.5}}, {"region": ["north", "south"]}, "nobody is in this cell"),
        ({"sex": {"Female": 0.5}}, {"sex": "Female"}, "nobody is left"),
        ({"trade": {"no_trade": 0.5}, "transport": {"none": 0.2}}, {}, "no population meets"),
        ({"sex": "people.parquet"}, {}, "no dataset there"),
        ({"openness,sex": "uniform"}, {}, "cannot be combined"),
        ({",".join(["age"] * 9): "uniform"}, {}, "8 x 8 x .* cells is too large; name fewer attributes"),
    ],
)
def test_impossible_target_is_explained(
    toy: Population, target: Mapping[str, Any], where: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as failure:
        toy.given(Selection(where, target))
    assert isinstance(failure.value, EvidenceError | DatasetError)
