"""The cache of fitted models: a damaged or incomplete entry is replaced."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.generator.model import model_cache
from census_personas.generator.model.network import Network
from census_personas.generator.population.population import Population

FIT = """
import hashlib, sys
from census_personas.generator.population.population import Population
population = Population.load(sys.argv[1])
frame = population.sample(2000, seed=5, where={"status": ["working", "looking"]})
print(hashlib.sha256(frame.to_csv().encode()).hexdigest())
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def priors(toy_folder: Path) -> Priors:
    return Priors.load(toy_folder)


def same(one: Network, other: Network) -> bool:
    return (
        one.core_attributes == other.core_attributes
        and np.array_equal(one.core, other.core)
        and all(
            (a.child, a.parents, a.refines) == (b.child, b.parents, b.refines)
            and np.array_equal(a.table, b.table)
            and (a.certain is None) == (b.certain is None)
            for a, b in zip(one.nodes, other.nodes, strict=True)
        )
    )


def test_cached_model_equals_the_fitted_one(priors: Priors, cache: Path) -> None:
    first = model_cache.load_or_fit(priors)
    written = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    assert same(model_cache.load_or_fit(priors), first)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == written


def test_released_arrays_are_read_again(priors: Priors) -> None:
    network = model_cache.load_or_fit(priors)
    arrays = (network.core, *(node.table for node in network.nodes))
    before = [array.copy() for array in arrays]
    model_cache.release_memory(network)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_cache_has_one_folder_per_digest(priors: Priors, cache: Path) -> None:
    model_cache.load_or_fit(priors)
    assert [path.name for path in cache.iterdir()] == [model_cache.fit_key(priors)]


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [half, emptied, zeroed, Path.unlink])
@pytest.mark.parametrize("name", ["network.json", "core.npy", "mood.npy"])
def test_damaged_model_is_fitted_again(
    priors: Priors,
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
    name: str,
) -> None:
    expected = model_cache.load_or_fit(priors).core.copy()
    damage(next(cache.rglob(name)))
    with caplog.at_level(logging.WARNING):
        again = model_cache.load_or_fit(priors)
    assert "incomplete model" in caplog.text
    assert same(again, model_cache.load_or_fit(priors))
    np.testing.assert_array_equal(again.core, expected)


def test_unreadable_model_is_left_in_place(
    priors: Priors, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = model_cache.load_or_fit(priors)
    written = {path: path.stat().st_mtime_ns for path in cache.glob("*/*")}

    def crowded(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", crowded)
        assert same(model_cache.load_or_fit(priors), first)
    assert "cannot be read (Too many open files); fitting it again" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in cache.glob("*/*")} == written


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"sizes": 3}', '{"sizes": {}, "nodes": [7]}'])
def test_other_header_form_is_fitted_again(priors: Priors, cache: Path, text: str) -> None:
    model_cache.load_or_fit(priors)
    next(cache.rglob("network.json")).write_text(text)
    assert model_cache.load_or_fit(priors).core.sum() == pytest.approx(1, abs=1e-5)


def test_unwritable_cache_is_reported(
    priors: Priors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = model_cache.load_or_fit(priors)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        network = model_cache.load_or_fit(priors)
    assert "could not be cached" in caplog.text
    assert network.core.dtype == np.float32
    assert same(network, whole), "rows must not depend on whether the model could be cached"


def test_changed_table_is_a_new_model(
    toy_locale: Callable[..., Path], priors: Priors, tmp_path: Path
) -> None:
    folder = toy_locale(tmp_path / "other")
    table = folder / "tables" / "region-sex.csv"
    head, row, *rest = table.read_text().splitlines()
    cells = row.split(",")
    place = head.split(",").index("weight")
    cells[place] = str(float(cells[place]) + 1)
    table.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    other = Priors.load(folder)
    assert model_cache.fit_key(other) != model_cache.fit_key(priors)
    assert model_cache.fit_key(Priors.load(toy_locale(tmp_path / "copy"))) == model_cache.fit_key(priors)


def test_concurrent_fits_leave_one_model(
    toy_folder: Path, priors: Priors, cache: Path, toy: Population
) -> None:
    command = [sys.executable, "-c", FIT, str(toy_folder)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(outputs)) == 1
    assert len(outputs[0]) > 60
    assert [path.name for path in cache.iterdir()] == [model_cache.fit_key(priors)]
    np.testing.assert_array_equal(model_cache.load_or_fit(priors).core, toy.network.core.astype(np.float32))
