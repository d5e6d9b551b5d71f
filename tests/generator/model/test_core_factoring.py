"""A core too large for memory becomes a cascade: small cliques, matched tables, listed assumptions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from census_personas.census_priors.priors import Priors
from census_personas.generator.model import core_factoring as cascade
from census_personas.generator.model import fit_memory as footprint
from census_personas.generator.model.fitting import FitError, informs
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population

Toy = Callable[..., Path]
SIZES = {"a": 4, "b": 3, "c": 2, "d": 5}
TIES = {
    frozenset(pair): value
    for pair, value in {("a", "b"): 0.3, ("b", "c"): 0.2, ("c", "d"): 0.1, ("a", "d"): 0.05}.items()
}
LONG = 10


def wide_locale(folder: Path) -> Path:
    """Ten attributes of ten states in a ring, each tied to the next: a core of ten billion cells."""
    names = [f"a{number}" for number in range(LONG)]
    plain = {"publisher": "Toy", "title": "Ring", "vintage": "2024", "universe": "all"}
    declared = {
        "locale": "ring",
        "title": "A ring",
        "country": "RING",
        "language": "English",
        "vintage": "2024",
        "attributes": {
            name: {"label": name, "states": {f"s{code}": f"s{code}" for code in range(10)}} for name in names
        },
        "sources": {"census": plain | {"url": "https://example.org", "licence": "none"}},
        "tables": {"census": [[one, other] for one, other in pairwise(names)]},
        "model": {"core": names},
    }
    (folder / "tables").mkdir(parents=True)
    (folder / "priors.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    near = np.exp(-np.abs(np.subtract.outer(np.arange(10), np.arange(10))) / 3)
    for one, other in declared["tables"]["census"]:
        cells = [(f"s{i}", f"s{j}", near[i, j] + near[j, i]) for i in range(10) for j in range(10)]
        frame = pd.DataFrame(cells, columns=[one, other, "weight"])
        frame.to_csv(folder / "tables" / f"{one}-{other}.csv", index=False)
    return folder


@pytest.mark.parametrize("cells", [5, 12, 24, 60, 120])
def test_cliques_fit_and_hold_all_parents(cells: int) -> None:
    core, families = cascade.factored(SIZES, TIES, cells)
    cliques = [core]
    for family in families:
        assert any(set(family.parents) <= set(clique) for clique in cliques)
        cliques.append((*family.parents, family.child))
    assert max(int(np.prod([SIZES[name] for name in clique])) for clique in cliques) <= cells
    assert sorted({name for clique in cliques for name in clique}) == sorted(SIZES)


def test_strongest_ties_are_kept() -> None:
    core, families = cascade.factored(SIZES, TIES, 24)
    assert core == ("a", "b", "c")
    assert families == [cascade.Family("d", ("a",))] or families == [cascade.Family("d", ("c",))]
    kept = {frozenset(pair) for pair in combinations(core, 2)} | {frozenset((families[0].parents[0], "d"))}
    assert frozenset("cd") in kept


def test_untied_attributes_have_no_parents() -> None:
    assert cascade.factored({"a": 4, "b": 4}, {}, 8)[1] == [cascade.Family("b", ())]


def test_information_has_its_known_extremes() -> None:
    assert cascade.information(np.full((2, 2), 0.25)) == pytest.approx(0)
    assert cascade.information(np.eye(4) / 4) == pytest.approx(np.log(4))


def test_small_core_is_unchanged(toy_folder: Path) -> None:
    priors = Priors.load(toy_folder)
    assert cascade.within_memory(priors) is priors


def test_cascade_matches_tables_and_lists_assumptions(
    toy_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        priors = cascade.cascaded(Priors.load(toy_folder), 27)
    model = priors.declaration.model
    assert model.core == ("region", "age_band", "status")  # a structural zero binds age_band to status
    assert [(node.child, node.parents) for node in model.conditionals[:1]] == [("sex", ("region", "status"))]
    assert (
        "core of 54 cells does not fit in memory; fitted as a cascade: region, age_band, status"
        in caplog.text
    )
    population = Population(priors, fit_network(priors))
    found = population.explain()
    assert found["core"]["cells"] == 27
    assert (
        "Because memory is short, sex is independent of age_band given region, status."
        in found["independences"]
    )
    cliques = [model.core, *((*node.parents, node.child) for node in model.conditionals[:1])]
    for clique in cliques:
        for _, names in priors.tables:
            if informs(names, clique, priors.hierarchy):
                wanted = priors.table(names).probabilities()
                np.testing.assert_allclose(population.marginal(names).weights, wanted, atol=2e-3)


def test_cascade_predicts_slightly_worse(toy: Population, toy_cells: pd.DataFrame) -> None:
    priors = cascade.cascaded(toy.priors, 27)
    people = toy_cells.drop(columns="p")
    weights = toy_cells["p"].to_numpy()
    small = Population(priors, fit_network(priors)).log_likelihood(people)
    whole, here = toy.log_likelihood(people), weights > 0
    assert np.isfinite(small[here]).all()
    lost = float(weights[here] @ (whole - small)[here])
    assert 0 < lost < 0.1


def test_cascade_is_sampled_and_conditioned(toy: Population) -> None:
    priors = cascade.cascaded(toy.priors, 27)
    population = Population(priors, fit_network(priors))
    where = {"sex": "Female", "trade": ["lawyer", "clerk"]}
    people = population.sample(4000, seed=5, where=where)
    assert set(people["sex"]) == {"Female"}
    expected = population.marginal(["region"], where=where).weights
    shares = people["region"].value_counts(normalize=True).reindex(list(priors.domain["region"]))
    np.testing.assert_allclose(shares, expected, atol=0.03)


def test_cascade_passes_the_pgmpy_check(toy: Population) -> None:
    priors = cascade.cascaded(toy.priors, 27)
    model = Population(priors, fit_network(priors)).model
    assert model.check_model()
    assert set(model.get_parents("sex")) == {"region", "status"}


def test_ten_billion_cells_fit_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAS_MEMORY_GB", "0.01")
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))
    population = Population.load(wide_locale(tmp_path / "ring"))
    network = population.network
    assert max(network.core.size, *(node.table.size for node in network.nodes)) <= 100_000
    for _, names in population.priors.tables:
        wanted = population.priors.table(names).probabilities()
        np.testing.assert_allclose(population.marginal(names).weights, wanted, atol=1e-3)
    ends = population.marginal(["a0", "a9"]).weights
    assert ends.sum() == pytest.approx(1, abs=1e-5)
    assert len(population.sample(1000, seed=1)) == 1000


def test_cascade_has_its_own_digest(
    toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy: Population
) -> None:
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))
    small = Population.load(cascade.cascaded(toy.priors, 27))
    assert small.digest != Population.load(toy_folder).digest
    assert small.network.core_attributes == ("region", "age_band", "status")
    again = Population.load(cascade.cascaded(toy.priors, 27))
    np.testing.assert_array_equal(again.network.core, small.network.core)


def test_oversized_attribute_is_named(toy_folder: Path) -> None:
    with pytest.raises(FitError, match="core: region alone has 3 states, and memory has room for 2 cells"):
        cascade.cascaded(Priors.load(toy_folder), 2)


def test_container_memory_counts(toy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(footprint, "CONTAINER", limit)
    limit.write_text("3000\n")
    assert footprint.room_for_core(Priors.load(toy_folder)) is not None
    limit.write_text("max\n")
    assert footprint.room_for_core(Priors.load(toy_folder)) is None


def test_non_numeric_memory_is_refused(toy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAS_MEMORY_GB", "plenty")
    with pytest.raises(FitError, match="PERSONAS_MEMORY_GB='plenty': not a number of gigabytes"):
        footprint.check(Priors.load(toy_folder))
