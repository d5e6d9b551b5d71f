"""Fidelity of es_ES on dwellings that the model has not seen.

    python benchmarks/fidelity_spain.py SOURCES [--folds 1] [--design-effect D] [--json]

Splits the dwellings of the labour force survey (SOURCES/es_ES, as `personas priors build` reads it) by hash, a tenth
held out; with `--folds N` the first N tenths are held out in turn. Both parts are raked alike to the published tables.
Tables are built from nine tenths, the model is fitted, and the adults of the tenth are scored: our model, independent
margins, and a graph of the kind that peers use (each attribute on age, sex and education at most). Nats an adult, lower
is better. Single years of age are left out, because the survey has bands. The standard error is that of the mean over
dwellings.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from fidelity import chain_nats

from census_personas.census_priors.build.es_ES.locale import ATTRIBUTES, Surveyed, read_adults, tabulate
from census_personas.census_priors.build.record_codes import Codes
from census_personas.census_priors.priors import HERE, Priors
from census_personas.generator.model.likelihood import log_probabilities_of
from census_personas.generator.model.network_fit import fit_network

SCORED = ("province", "age_band", *(name for name in ATTRIBUTES if name not in {"province", "age"}))
PEERS = {
    "province": (),
    "age_band": ("community",),
    "sex": ("age_band", "community"),
    "birth_region": ("community", "sex"),
    "nationality": ("birth_region",),
    "marital_status": ("age_band", "sex"),
    "cohabitation": ("marital_status",),
    "education_level": ("age_band", "sex"),
    "labor_force_status": ("age_band", "sex", "education_level"),
    "occupation": ("labor_force_status", "age_group", "sex", "education_level"),
    "branch": ("occupation",),
    "employment_status": ("occupation",),
}
"""A graph like that of NVIDIA's SDG-PGMs for the United States (see `fidelity.py`), with the further attributes."""


def fold_of(dwellings: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Tenth of each dwelling, by hash of province and number."""
    keys = (dwellings["PROV"] + "-" + dwellings["NVIVI"]).to_numpy(dtype=object)
    return (pd.util.hash_array(keys) % np.uint64(10)).astype(np.int64)


def holding(fold: int, *, out: bool) -> Callable[[pd.DataFrame], npt.NDArray[np.bool_]]:
    """The dwellings of a tenth, or all others."""
    return lambda dwellings: (fold_of(dwellings) == fold) != out


def evaluate(sources: Path, fold: int, design_effect: float | None) -> dict[str, Any]:
    """Build from nine tenths, score the other one."""
    with tempfile.TemporaryDirectory() as folder:
        locale = Path(folder) / "es_ES"
        shutil.copytree(HERE / "es_ES", locale)
        priors = _with_design_effect(Priors.load(locale), design_effect)
        train, test = (read_adults(sources, priors, holding(fold, out=out)) for out in (True, False))
        tabulate(train, priors, locale)
        network = fit_network(priors)
    coded = Codes(priors, test.records)
    names = [*network.core_attributes, *(node.child for node in network.nodes)]
    nats = -log_probabilities_of(network, {name: coded[name] for name in names})
    nats = nats.drop(columns="age")
    if not np.isfinite(nats.to_numpy()).all():
        raise SystemExit("the model gives an adult of the held-out dwellings probability 0")
    weight = test.records.weight
    total = nats.sum(axis=1).to_numpy()
    return {
        "fold": fold,
        "persons": test.persons,
        "model": float(np.average(total, weights=weight)),
        "standard_error": _error(total, weight, test),
        "independent": chain_nats(dict.fromkeys(SCORED, ()), Codes(priors, train.records), coded),
        "peers": chain_nats(PEERS, Codes(priors, train.records), coded),
        "by_attribute": {str(k): round(float(np.average(v, weights=weight)), 4) for k, v in nats.items()},
    }


def _error(nats: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], test: Surveyed) -> float:
    """Standard error of the weighted mean over dwellings, which are sampled as a whole."""
    mean = np.average(nats, weights=weight)
    sums = np.bincount(test.dwelling, weights=weight * (nats - mean))
    return float(np.sqrt((sums**2).sum()) / weight.sum())


def _with_design_effect(priors: Priors, design_effect: float | None) -> Priors:
    if design_effect is None:
        return priors
    declared = priors.declaration
    sources = {
        name: said.model_copy(update={"design_effect": design_effect})
        for name, said in declared.sources.items()
    }
    return replace(priors, declaration=declared.model_copy(update={"sources": sources}))


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", type=Path)
    parser.add_argument("--folds", type=int, default=1, choices=range(1, 11))
    parser.add_argument("--design-effect", type=float, help="in place of the one that priors.yaml declares")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = [evaluate(options.sources, fold, options.design_effect) for fold in range(options.folds)]
    if options.json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    for name in ("independent", "peers", "model", "standard_error"):
        sys.stdout.write(f"{name:24s}{np.mean([result[name] for result in results]):9.4f}\n")
    for name in results[0]["by_attribute"]:
        mean = np.mean([result["by_attribute"][name] for result in results])
        sys.stdout.write(f"  {name:22s}{mean:9.4f}\n")


if __name__ == "__main__":
    main()
