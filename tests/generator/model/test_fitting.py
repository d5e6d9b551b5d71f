"""Raking, shrinking and fitting: margins are matched, and zeros stay zero."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.priors import Priors
from census_personas.generator.model import fitting
from census_personas.generator.model.fitting import FitError, Margin, coarsen, fit
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.model.shrinkage import child_axis, rake, shrink
from census_personas.generator.population.population import Population

pytestmark = pytest.mark.quick

Toy = Callable[..., Path]
TABLES = arrays(np.float64, (3, 4, 2), elements=st.floats(0.01, 1.0))


def margin(name: str, axes: tuple[int, ...], wanted: Any) -> Margin:
    codes = tuple(np.arange(size, dtype=np.int32) for size in np.shape(wanted))
    return Margin(name, axes, codes, np.asarray(wanted, dtype=np.float64))


@given(table=TABLES, wanted=TABLES)
@settings(deadline=None, max_examples=50)
def test_raked_table_has_the_target_margins(table: Any, wanted: Any) -> None:
    margins = [wanted.sum(axis=axis, keepdims=True) for axis in range(3)]
    raked = rake(table, margins, rounds=200)
    for axis, want in enumerate(margins):
        np.testing.assert_allclose(raked.sum(axis=axis, keepdims=True), want, rtol=1e-4)


@given(table=TABLES)
@settings(deadline=None, max_examples=50)
def test_census_table_is_not_shrunk(table: Any) -> None:
    assert shrink(table, 0.0, 1.0) is table


@given(table=TABLES, persons=st.floats(1, 1e6), effect=st.floats(1, 5))
@settings(deadline=None, max_examples=50)
def test_shrinking_keeps_total_and_support(table: Any, persons: float, effect: float) -> None:
    table = table / table.sum()
    shrunk = shrink(table, persons, effect)
    assert shrunk.sum() == pytest.approx(1, abs=1e-6)
    for axes in ((0, 1), (0, 2), (1, 2)):
        np.testing.assert_allclose(shrunk.sum(axis=axes), table.sum(axis=axes), atol=1e-5)


@pytest.mark.parametrize(("persons", "kept"), [(10, 0.0), (1e12, 1.0)], ids=["few persons", "a billion"])
def test_more_persons_keep_more_interaction(persons: float, kept: float) -> None:
    table = np.array([[0.3, 0.2], [0.2, 0.3]])
    free = np.full((2, 2), 0.25)
    np.testing.assert_allclose(shrink(table, persons, 1.0), free + kept * (table - free), atol=1e-6)


def test_shrinking_fills_unsampled_cells() -> None:
    shrunk = shrink(np.array([[0.5, 0.0], [0.2, 0.3]]), 100, 1.0)
    assert shrunk[0, 1] > 0


def test_shrinking_reduces_the_error() -> None:
    random = np.random.default_rng(5)
    one, two = random.dirichlet(np.ones(12)), random.dirichlet(np.ones(15))
    truth = np.outer(one, two)
    seen = random.multinomial(600, truth.ravel()).reshape(truth.shape) / 600
    assert np.abs(shrink(seen, 600, 1.0) - truth).sum() < 0.7 * np.abs(seen - truth).sum()


@given(truth=TABLES)
@settings(deadline=None, max_examples=30)
def test_fitted_array_has_every_margin(truth: Any) -> None:
    truth = truth / truth.sum()
    margins = [
        margin(f"{axis}", tuple(a for a in range(3) if a != axis), truth.sum(axis=axis)) for axis in range(3)
    ]
    array = np.full(truth.shape, 1 / truth.size, dtype=np.float32)
    distance = fit(array, margins, "core")
    assert distance < 2e-3
    for wanted in margins:
        np.testing.assert_allclose(wanted.project(array), wanted.wanted, atol=4e-3)


def test_start_zeros_stay_zero() -> None:
    array = np.full((3, 3), 1 / 8, dtype=np.float32)
    array[1, 2] = 0
    fit(array, [margin("rows", (0,), [0.5, 0.3, 0.2]), margin("columns", (1,), [0.4, 0.4, 0.2])], "core")
    assert array[1, 2] == 0
    np.testing.assert_allclose(array.sum(axis=1), [0.5, 0.3, 0.2], atol=1e-4)
    np.testing.assert_allclose(array.sum(axis=0), [0.4, 0.4, 0.2], atol=1e-4)


def test_fit_adds_no_interaction() -> None:
    array = np.full((2, 2), 0.25, dtype=np.float32)
    fit(array, [margin("rows", (0,), [0.9, 0.1]), margin("columns", (1,), [0.2, 0.8])], "core")
    np.testing.assert_allclose(array, np.outer([0.9, 0.1], [0.2, 0.8]), atol=1e-6)


def test_contradicting_tables_are_named() -> None:
    array = np.full((2, 2, 2), 1 / 8, dtype=np.float32)
    same, different = [[0.5, 0.0], [0.0, 0.5]], [[0.0, 0.5], [0.5, 0.0]]
    tables = [margin("a-b", (0, 1), same), margin("b-c", (1, 2), same), margin("a-c", (0, 2), different)]
    with pytest.raises(FitError, match=r"core: tables disagree, .*a-b \(missed by 0\.\d{3}\)"):
        fit(array, tables, "core")


def test_shared_codes_are_summed() -> None:
    table = np.arange(6.0).reshape(3, 2)
    codes = [np.array([0, -1, 0], dtype=np.int32), np.arange(2, dtype=np.int32)]
    np.testing.assert_array_equal(coarsen(table, codes, (1, 2)), [[4.0, 6.0]])


def test_tables_inform_coarser_views(toy: Population) -> None:
    hierarchy: Hierarchy = toy.priors.hierarchy
    assert fitting.informs(("age_half", "sex"), ("sex", "age_band"), hierarchy)
    assert not fitting.informs(("age", "sex"), ("sex", "age_band"), hierarchy)
    assert not fitting.informs(("age_half", "age_band"), ("sex", "age_band"), hierarchy)


def test_core_matches_its_tables(toy: Population) -> None:
    for names in (("region", "age_band", "status"), ("region", "sex"), ("age_band", "sex", "status")):
        wanted = toy.priors.table(names).probabilities()
        np.testing.assert_allclose(toy.marginal(names).weights, wanted, atol=1e-4)


def test_child_matches_its_table(toy: Population) -> None:
    names = ("trade_group", "sex", "transport")
    wanted = toy.priors.table(names).probabilities()
    found = toy.marginal(names).weights
    totals = wanted.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found / found.sum(axis=-1, keepdims=True), wanted / totals, atol=1e-4)


def test_refined_child_sums_to_its_parent(toy: Population) -> None:
    found = toy.marginal(("age_band", "age")).weights
    np.testing.assert_allclose(found.sum(axis=1), toy.marginal(("age_band",)).weights, atol=1e-6)
    np.testing.assert_allclose(found[0, 2:], 0)


def test_structural_zeros_hold(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    path = folder / "tables" / "region-trade.csv"
    table = pd.read_csv(path)
    table.loc[len(table)] = {"region": "west", "trade": "mason", "weight": 3000.0}
    table.to_csv(path, index=False)
    priors = Priors.load(folder)
    population = Population(priors, fit_network(priors))
    found = population.marginal(("region", "trade")).weights
    assert found[priors.domain.code("region", "west"), priors.domain.code("trade", "mason")] == 0


def test_child_zero_keeps_its_parents(toy_locale: Toy, tmp_path: Path) -> None:
    """Trade by region and by sex, no masons in the west: both tables can be matched."""

    def change(declared: dict[str, Any]) -> None:
        declared["tables"] = {"census": [["region", "sex"], ["region", "trade"], ["sex", "trade"]]}
        zeros = [{"region": ["west"], "trade": ["mason", "clerk", "teacher"]}]
        children = [{"child": "trade", "parents": ["region", "sex"]}]
        declared["model"] = {"core": ["region", "sex"], "zeros": zeros, "conditionals": children}

    priors = redeclared(toy_locale(tmp_path / "toy"), change)
    domain, random = priors.domain, np.random.default_rng(4)
    people = random.dirichlet(np.ones(6), size=(3, 2)) * np.array(
        [[[3.0], [1.0]], [[1.0], [1.0]], [[1.0], [6.0]]]
    )
    never = [domain.code("trade", state) for state in ("mason", "clerk", "teacher")]
    people[domain.code("region", "west")][:, never] = 0
    wanted = {}
    for names, axis in ((("region", "sex"), 2), (("region", "trade"), 1), (("sex", "trade"), 0)):
        wanted[names] = people.sum(axis=axis) / people.sum()
        cells = [
            (*(domain[name][code] for name, code in zip(names, at, strict=True)), weight)
            for at, weight in np.ndenumerate(wanted[names])
        ]
        path = priors.folder / "tables" / f"{'-'.join(names)}.csv"
        pd.DataFrame(cells, columns=[*names, "weight"]).to_csv(path, index=False)
    population = Population(priors, fit_network(priors))
    for names, shares in wanted.items():
        np.testing.assert_allclose(population.marginal(names).weights, shares, atol=2e-4, err_msg=str(names))


def test_zeros_leaving_no_child_state_are_refused(toy_locale: Toy, tmp_path: Path) -> None:
    def change(declared: dict[str, Any]) -> None:
        states = ["foot", "cart", "none"]
        declared["model"]["zeros"].append({"trade_group": ["minds"], "sex": ["Male"], "transport": states})

    with pytest.raises(
        FitError, match="transport: zeros leave no state of it where trade_group=minds, sex=Male"
    ):
        fit_network(redeclared(toy_locale(tmp_path / "toy"), change))


def test_zero_joined_only_by_a_child_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    def change(declared: dict[str, Any]) -> None:
        declared["model"]["zeros"].append({"transport": ["cart"], "voter": ["18-20"]})

    with pytest.raises(FitError, match="zeros: no part of the model has transport, voter together"):
        fit_network(redeclared(toy_locale(tmp_path / "toy"), change))


def test_zero_outside_the_model_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    path = folder / "priors.yaml"
    declared = yaml.safe_load(path.read_text())
    declared["model"]["zeros"].append({"region": ["west"], "mood": ["glad"]})
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    with pytest.raises(FitError, match="zeros: no part of the model has region, mood together"):
        fit_network(Priors.load(folder))


def rewritten(folder: Path, table: str, column: str, value: object) -> Path:
    """Change one weight of a table."""
    path = folder / "tables" / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str)
    frame.loc[1, column] = value
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-5", r"weights of region='north', sex='Male' are -5\.0; counts must be >= 0"),
        ("", r"weights of region='north', sex='Male' are nan; counts must be >= 0"),
        ("many", r"weight 'many' is not a number"),
        ("inf", r"weights of region='north', sex='Male' are inf"),
    ],
)
def test_bad_count_is_named(toy_locale: Toy, tmp_path: Path, value: str, message: str) -> None:
    folder = toy_locale(tmp_path / "toy")
    rewritten(folder, "region-sex", "weight", value)
    with pytest.raises(TableError, match=rf"region-sex\.csv: {message}"):
        fit_network(Priors.load(folder))


def test_all_zero_table_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    path = folder / "tables" / "region-sex.csv"
    pd.read_csv(path).assign(weight=0.0).to_csv(path, index=False)
    with pytest.raises(
        TableError, match=r"region-sex\.csv: all weights are zero; a table needs at least one"
    ):
        fit_network(Priors.load(folder))


def test_unknown_state_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    rewritten(folder, "region-sex", "sex", "male")
    with pytest.raises(
        TableError, match=r"region-sex\.csv: sex='male' is not a state of the domain \(Female, Male\)"
    ):
        fit_network(Priors.load(folder))


def test_repeated_cell_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    rewritten(folder, "region-sex", "sex", "Female")
    with pytest.raises(TableError, match="the cell region=north, sex=Female is given twice"):
        fit_network(Priors.load(folder))


def test_missing_table_file_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    (folder / "tables" / "region-sex.csv").unlink()
    with pytest.raises(
        TableError, match=r"region-sex\.parquet: no such table, nor a \.csv; build the locale"
    ):
        fit_network(Priors.load(folder))


def test_child_without_table_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    declared = yaml.safe_load((toy_locale(tmp_path / "whole") / "priors.yaml").read_text())
    folder = toy_locale(tmp_path / "toy", {"tables": {"census": declared["tables"]["census"]}})
    with pytest.raises(FitError, match="toy: no table has mood, which is in the model"):
        fit_network(Priors.load(folder))


def test_contradicting_core_tables_are_named(toy_locale: Toy, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    rewritten(folder, "region-sex", "weight", "9000000")
    with pytest.raises(
        FitError, match=r"core: tables disagree, no distribution matches them all: .*region-sex"
    ):
        fit_network(Priors.load(folder))


def test_tables_of_different_totals_agree(toy_locale: Toy, tmp_path: Path, toy: Population) -> None:
    folder = toy_locale(tmp_path / "toy")
    path = folder / "tables" / "region-sex.csv"
    frame = pd.read_csv(path)
    frame.assign(weight=frame["weight"] * 7).to_csv(path, index=False)
    assert fit_network(Priors.load(folder)).core == pytest.approx(toy.network.core, abs=1e-6)


def test_marginal_over_counts_follows_array_order(toy: Population) -> None:
    domain = toy.priors.domain.project(("sex", "age_half"))
    table = Marginal(domain, np.array([[1.0, 2.0], [3.0, 4.0]]))
    found = fitting.margin_of(table, table.weights, ("age_band", "sex"), toy.priors.hierarchy)
    assert found.axes == (0, 1)
    np.testing.assert_array_equal(found.wanted, [[1.0, 3.0], [2.0, 4.0]])
    np.testing.assert_array_equal(found.codes[0], [0, 0, 1])


def redeclared(folder: Path, change: Callable[[dict[str, Any]], None]) -> Priors:
    """The locale with something changed in its priors.yaml."""
    path = folder / "priors.yaml"
    declared = yaml.safe_load(path.read_text())
    change(declared)
    path.write_text(yaml.safe_dump(declared, sort_keys=False))
    return Priors.load(folder)


def test_scattered_refinement_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    def change(declared: dict[str, Any]) -> None:
        states = declared["attributes"]["trade"]["states"]
        declared["attributes"]["trade"]["states"] = dict(sorted(states.items()))

    with pytest.raises(
        FitError, match="trade: states that belong to one state of trade_group must be adjacent"
    ):
        fit_network(redeclared(toy_locale(tmp_path / "toy"), change))


def test_refinement_with_otherwise_is_refused(toy_locale: Toy, tmp_path: Path) -> None:
    def change(declared: dict[str, Any]) -> None:
        trade = next(node for node in declared["model"]["conditionals"] if node["child"] == "trade")
        trade["otherwise"] = {"trade_group": {"no_trade": "no_trade"}}

    with pytest.raises(FitError, match="trade: `otherwise` is not allowed for a child that refines a parent"):
        fit_network(redeclared(toy_locale(tmp_path / "toy"), change))


@given(table=TABLES, persons=st.floats(1, 1e6), effect=st.floats(1, 5), along=st.integers(0, 2))
@settings(deadline=None, max_examples=50)
def test_axis_shrinking_keeps_total_and_support(
    table: Any, persons: float, effect: float, along: int
) -> None:
    table = table / table.sum()
    shrunk = shrink(table, persons, effect, along)
    for axes in ((0, 1), (0, 2), (1, 2)):
        np.testing.assert_allclose(shrunk.sum(axis=axes), table.sum(axis=axes), atol=1e-4)


def test_rare_interaction_survives_shrinking() -> None:
    random = np.random.default_rng(6)
    truth = np.outer(np.full(10, 0.1), np.full(200, 0.005))
    truth[:5, :4] *= 1.9
    truth[5:, :4] *= 0.1
    seen = random.multinomial(20_000, truth.ravel()).reshape(truth.shape) / 20_000
    apart, whole = shrink(seen, 20_000, 1.0, along=1), shrink(seen, 20_000, 1.0)
    assert np.abs(apart - truth).sum() < np.abs(whole - truth).sum()
    assert np.abs(apart - truth)[:, :4].sum() < 0.6 * np.abs(whole - truth)[:, :4].sum()


def test_tables_shrink_along_their_child(toy: Population) -> None:
    axes = {"-".join(names): child_axis(toy.priors, names) for _, names in toy.priors.tables}
    assert axes == {
        "region-age_band-status": None,
        "region-sex": None,
        "age_band-sex-status": None,
        "region-sex-age": 2,
        "status-region-sex-trade_group": 3,
        "status-age_half-trade_group": 2,
        "region-trade": 1,
        "age_half-trade": 1,
        "trade_group-sex-transport": 2,
        "trade-mood": 1,
        "voter-transport-mood": 2,
    }


@given(
    table=arrays(np.float32, (3, 6, 2), elements=st.floats(0, 1, width=32)),
    code=st.lists(st.integers(-1, 3), min_size=6, max_size=6),
)
@settings(deadline=None, max_examples=50)
def test_unmapped_states_are_dropped(table: Any, code: list[int]) -> None:
    keep = [np.arange(3, dtype=np.int32), np.array(code, dtype=np.int32), np.arange(2, dtype=np.int32)]
    summed = coarsen(table, keep, (3, 4, 2))
    for state in range(4):
        wanted = table[:, [i for i, c in enumerate(code) if c == state]].sum(axis=1)
        np.testing.assert_allclose(summed[:, state], wanted, rtol=1e-5, atol=1e-7)


FIT = """
import hashlib, sys
from census_personas.census_priors.priors import Priors
from census_personas.generator.model.network_fit import fit_network
network = fit_network(Priors.load(sys.argv[1]))
print(hashlib.sha256(b"".join(a.tobytes() for a in (network.core, *(n.table for n in network.nodes)))).hexdigest())
"""


def test_fit_is_bitwise_stable_across_machines(toy_folder: Path) -> None:
    machines = (
        {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"},
        {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"},
        {},
    )
    command = [sys.executable, "-W", "ignore", "-c", FIT, str(toy_folder)]
    found = {
        subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | machine).stdout
        for machine in machines
    }
    assert len(found) == 1
