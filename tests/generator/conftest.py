"""Fixtures: two sampled rows, their locale, and a toy locale that is small enough to enumerate."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from census_personas.census_priors.priors import Priors
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population
from census_personas.prompts.template import PromptSet


@pytest.fixture(scope="module", autouse=True)
def freed_memory() -> Iterator[None]:
    """Free memory after each test module: the garbage collector counts objects, not the arrays that they hold."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def priors() -> Priors:
    return Priors.load("en_US")


@pytest.fixture(scope="session")
def prompts() -> PromptSet:
    return PromptSet.load("en_US")


@pytest.fixture
def nurse() -> dict[str, Any]:
    return {
        "row": 7,
        "uuid": "3f1c9b52-8c14-4a3e-9d7a-0f6a5b1c2d3e",
        "first_name": "Ruth",
        "middle_name": "Ann",
        "last_name": "Castellano",
        "sex": "Female",
        "age": 47,
        "birth_year": 1977,
        "ethnicity": "white",
        "marital_status": "married_present",
        "education_level": "bachelors",
        "bachelors_field": "stem_related",
        "labor_force_status": "employed",
        "occupation": "registered_nurse",
        "occupation_code": "3255",
        "state": "OH",
        "city": "Dayton",
        "zipcode": "45402",
        "county": "Montgomery County",
        "metro_area": "Dayton-Kettering-Beavercreek, OH",
        "country": "USA",
        "openness": 58,
        "conscientiousness": 66,
        "extraversion": 41,
        "agreeableness": 52,
        "neuroticism": 33,
        "openness_label": "high",
        "conscientiousness_label": "very_high",
        "extraversion_label": "low",
        "agreeableness_label": "average",
        "neuroticism_label": "very_low",
    }


@pytest.fixture
def retiree(nurse: dict[str, Any]) -> dict[str, Any]:
    changes = {
        "row": 8,
        "uuid": "5b0d7c11-2f7b-4d52-8a0e-6c4f1e2d3b4a",
        "first_name": "Walter",
        "middle_name": "",
        "last_name": "Nguyen",
        "sex": "Male",
        "age": 74,
        "birth_year": 1950,
        "ethnicity": "asian",
        "marital_status": "widowed",
        "education_level": "high_school",
        "bachelors_field": "no_degree",
        "labor_force_status": "not_in_workforce",
        "occupation": "not_in_workforce",
        "occupation_code": "",
        "metro_area": "",
    }
    return nurse | changes


@pytest.fixture(scope="session")
def population() -> Population:
    return Population.load("en_US", cache_bytes=256 << 20)


TOY = """
locale: toy
title: A country of three regions, with what can go wrong in a model
country: TOY
language: English
vintage: "2024"
attributes:
  region: {label: Region, states: {north: north, south: south, west: west}}
  age: {label: Age, range: [18, 25]}
  age_band: {label: Age band, of: age, edges: [20, 23]}
  age_half: {label: Age half, of: age_band, edges: [23]}
  voter: {label: Of voting age, of: age, edges: [21]}
  sex: {label: Sex, states: {Female: female, Male: male}}
  status: {label: Status, states: {working: working, looking: looking, resting: resting}}
  trade:
    label: Trade
    states: {carpenter: carpenter, mason: mason, lawyer: lawyer, clerk: clerk, teacher: teacher, no_trade: none}
  trade_group:
    label: Trade group
    of: trade
    map: {hands: [carpenter, mason], minds: [lawyer, clerk, teacher], no_trade: [no_trade]}
  transport: {label: Transport, states: {foot: on foot, cart: by cart, none: none}}
  mood: {label: Mood, states: {glad: glad, grim: grim}}
sources:
  census: &source
    {publisher: Toy, title: Count, vintage: "2024", universe: all, url: "https://example.org", licence: none}
  survey: {<<: *source, title: Survey, design_effect: 1.5}
tables:
  census:
    - [region, age_band, status]
    - [region, sex]
    - [age_band, sex, status]
    - [region, sex, age]
    - [status, region, sex, trade_group]
    - [status, age_half, trade_group]
    - [region, trade]
    - [age_half, trade]
    - [trade_group, sex, transport]
  survey:
    - [trade, mood]
    - [voter, transport, mood]
model:
  core: [region, age_band, sex, status]
  zeros:
    - {age_band: [18-19], status: [resting]}
    - {region: [west], trade: [mason]}
  conditionals:
    - {child: age, parents: [age_band, region, sex]}
    - child: trade_group
      parents: [status, region, sex, age_half]
      otherwise: {status: {looking: no_trade, resting: no_trade}}
    - {child: trade, parents: [trade_group, region, age_half]}
    - {child: transport, parents: [trade_group, sex], otherwise: {trade_group: {no_trade: none}}}
    - {child: mood, parents: [transport, trade, voter]}
independences: [mood does not depend on region given trade]
"""


def toy_people() -> pd.DataFrame:
    """Return every possible combination of the toy's attributes, with views written out by hand."""
    states = yaml.safe_load(TOY)["attributes"]
    names = ("region", "age", "sex", "status", "trade", "transport", "mood")
    values = [range(18, 26) if name == "age" else list(states[name]["states"]) for name in names]
    people = pd.DataFrame(list(product(*values)), columns=list(names))
    age, trade = people["age"], people["trade"]
    people["age_band"] = np.select([age < 20, age < 23], ["18-19", "20-22"], "23+")
    people["age_half"] = np.where(age < 23, "18-22", "23+")
    people["voter"] = np.where(age < 21, "18-20", "21+")
    people["trade_group"] = np.select(
        [trade.isin(["carpenter", "mason"]), trade == "no_trade"], ["hands", "no_trade"], "minds"
    )
    idle = people["trade_group"] == "no_trade"
    possible = (idle == (people["status"] != "working")) & (idle == (people["transport"] == "none"))
    possible &= ~((people["age_band"] == "18-19") & (people["status"] == "resting"))
    possible &= ~((people["region"] == "west") & (trade == "mason"))
    return people[possible].reset_index(drop=True)


def toy_weights(people: pd.DataFrame) -> np.ndarray:
    """Return invented shares of the people, in the form that the toy model assumes."""
    random = np.random.default_rng(11)
    model = yaml.safe_load(TOY)["model"]
    nodes = [(model["core"], []), *(([n["child"]], n["parents"]) for n in model["conditionals"])]
    weights = np.ones(len(people))
    for children, parents in nodes:
        cells = people[[*parents, *children]].drop_duplicates()
        cells["weight"] = random.gamma(2.0, size=len(cells))
        total = cells.groupby(parents)["weight"].transform("sum") if parents else cells["weight"].sum()
        cells["weight"] /= total
        weights = weights * people.merge(cells, how="left")["weight"].to_numpy()
    return np.asarray(weights / weights.sum())


@pytest.fixture(scope="session")
def toy_locale() -> Callable[..., Path]:
    """Write the toy locale into a folder: `toy_locale(folder, changes to priors.yaml)`."""
    people = toy_people()
    people["weight"] = toy_weights(people) * 1e6

    def write(folder: Path, changes: Mapping[str, Any] | None = None) -> Path:
        declared = yaml.safe_load(TOY) | dict(changes or {})
        (folder / "tables").mkdir(parents=True)
        (folder / "priors.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
        for source, tables in declared["tables"].items():
            for names in tables:
                table = people.groupby(names, as_index=False)["weight"].sum()
                if source == "survey":
                    table["samples"] = (table["weight"] / 500).round().astype(int)
                table.to_csv(folder / "tables" / f"{'-'.join(names)}.csv", index=False)
        return folder

    return write


@pytest.fixture(scope="session")
def toy_folder(toy_locale: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_locale(tmp_path_factory.mktemp("locales") / "toy")


@pytest.fixture(scope="session")
def toy(toy_folder: Path) -> Population:
    """The toy's population, fitted without the cache."""
    priors = Priors.load(toy_folder)
    return Population(priors, fit_network(priors))


@pytest.fixture(scope="session")
def toy_cells(toy: Population) -> pd.DataFrame:
    """The oracle: every possible person of the toy, with the probability `p` that the fitted tables give.

    Tables are read cell by cell; no code of the model but its states is used.
    """
    people = toy_people()
    states = toy.priors.domain.states
    code = {name: people[name].map({state: i for i, state in enumerate(states[name])}) for name in states}
    weights = toy.network.core[tuple(code[name] for name in toy.network.core_attributes)].astype(float)
    for node in toy.network.nodes:
        rows = []
        for person in range(len(people)):
            at = [int(code[name][person]) for name in node.parents]
            certain = None
            if node.certain is not None:
                axis = node.parents.index(node.certain[0])
                certain = int(node.certain[1][at[axis]])
                at[axis] = int((node.certain[1][: at[axis]] < 0).sum())
            child = int(code[node.child][person])
            rows.append(node.table[(*at, child)] if certain in (None, -1) else float(certain == child))
        weights = weights * np.array(rows, dtype=float)
    return people.assign(p=weights)
