"""Identity: what UUIDs and cached fits depend on, and what they must not depend on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from census_personas.census_priors.priors import HERE, Priors
from census_personas.generator.model import identity, model_cache
from census_personas.generator.model.core_factoring import cascaded
from census_personas.generator.model.identity import identity_of

Write = Callable[..., Path]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def declared(folder: Path) -> Any:
    return yaml.safe_load((folder / "priors.yaml").read_text(encoding="utf-8"))


def changed(folder: Path, change: Change) -> Priors:
    """The locale of a folder after a change of what it declares."""
    values = declared(folder)
    change(values)
    (folder / "priors.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return Priors.load(folder)


def new_label(values: dict[str, Any]) -> None:
    values["attributes"]["sex"]["label"] = "Gender"


def new_phrase(values: dict[str, Any]) -> None:
    values["attributes"]["status"]["states"]["working"] = "has a job"


def new_view_label(values: dict[str, Any]) -> None:
    values["attributes"]["trade_group"]["labels"] = {"hands": "manual"}


def new_source_text(values: dict[str, Any]) -> None:
    values["sources"]["survey"] |= {"title": "A survey", "url": "https://example.com", "publisher": "Other"}


def new_prose(values: dict[str, Any]) -> None:
    values |= {"title": "Elsewhere", "independences": ["none"], "language": "Toyish", "country": "TOYLAND"}


def unused_view(values: dict[str, Any]) -> None:
    values["attributes"]["coast"] = {
        "label": "Coast",
        "of": "region",
        "map": {"yes": ["west"], "no": ["north", "south"]},
    }


@pytest.mark.parametrize(
    "change", [new_label, new_phrase, new_view_label, new_source_text, new_prose, unused_view]
)
def test_texts_change_no_identity(toy_locale: Write, tmp_path: Path, cache: Path, change: Change) -> None:
    folder = toy_locale(tmp_path / "toy")
    before, raw = Priors.load(folder), Priors.load(folder).digest
    model_cache.load_or_fit(before)
    after = changed(folder, change)
    assert after.digest != raw, "the locale's files are others"
    assert identity_of(after) == identity_of(before)
    model_cache.load_or_fit(after)
    assert [path.name for path in (cache / "models").iterdir()] == [model_cache.fit_key(before)]


def heavier(folder: Path) -> None:
    path = folder / "tables" / "trade-mood.csv"
    table = pd.read_csv(path)
    table.loc[3, "weight"] *= 1.0001
    table.to_csv(path, index=False)


def better_sampled(folder: Path) -> None:
    path = folder / "tables" / "trade-mood.csv"
    table = pd.read_csv(path)
    table.loc[3, "samples"] += 1
    table.to_csv(path, index=False)


def by(change: Change) -> Callable[[Path], None]:
    return lambda folder: changed(folder, change) and None


def other_view(folder: Path) -> None:
    path = folder / "tables" / "voter-transport-mood.csv"
    path.write_text(path.read_text().replace("18-20", "18-21").replace("21+", "22+"))
    changed(folder, lambda values: values["attributes"]["voter"].update(edges=[22]))


CHANGES: dict[str, Callable[[Path], None]] = {
    "a weight": heavier,
    "persons behind a cell": better_sampled,
    "a design effect": by(lambda v: v["sources"]["survey"].update(design_effect=1.6)),
    "a table left out": by(lambda v: v["tables"]["census"].remove(["region", "sex"])),
    "a parent": by(lambda v: v["model"]["conditionals"][0].update(parents=["age_band", "region"])),
    "a zero": by(lambda v: v["model"]["zeros"].pop()),
    "order of states": by(
        lambda v: v["attributes"]["sex"].update(states={"Male": "male", "Female": "female"})
    ),
    "a view": other_view,
    "whom a table counts": by(lambda v: v["attributes"]["mood"].update(universe="awake")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_input_changes_the_identity(toy_locale: Write, tmp_path: Path, change: str) -> None:
    folder = toy_locale(tmp_path / "toy")
    before = Priors.load(folder)
    known = model_cache.model_digest(before)
    CHANGES[change](folder)
    assert model_cache.model_digest(Priors.load(folder)) != known


def test_table_form_and_row_order_do_not_matter(toy_locale: Write, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    before = identity_of(Priors.load(folder))
    path = folder / "tables" / "trade-mood.csv"
    table = pd.read_csv(path).sample(frac=1, random_state=1)
    path.unlink()
    table.to_parquet(path.with_suffix(".parquet"))
    assert identity_of(Priors.load(folder)) == before


def test_cascade_has_its_own_identity(toy_locale: Write, tmp_path: Path) -> None:
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    assert identity_of(cascaded(priors, 12)) != identity_of(priors)


@pytest.mark.parametrize("name", ["FIT_VERSION", "LEAVES_VERSION"])
def test_algorithm_version_changes_the_identity(
    toy_locale: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    before = identity_of(priors)
    versions = {"FIT_VERSION": (1, 99, 1), "LEAVES_VERSION": (1, identity.FIT_VERSION, 99)}
    monkeypatch.setattr(identity, "VERSIONS", versions[name])
    assert identity_of(priors) != before


def test_storage_version_moves_the_fit_only(
    toy_locale: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    before = model_cache.model_digest(priors), model_cache.fit_key(priors)
    monkeypatch.setattr(model_cache, "STORED_VERSION", 99)
    assert model_cache.model_digest(priors) == before[0]
    assert model_cache.fit_key(priors) != before[1]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 64, b"a" * 63])
def test_damaged_cached_identity_is_recomputed(
    toy_locale: Write, tmp_path: Path, cache: Path, content: bytes
) -> None:
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    known = model_cache.model_digest(priors)
    (path,) = (cache / "identities").iterdir()
    path.write_bytes(content)
    assert model_cache.model_digest(priors) == known
    assert path.read_text() == known


def test_unwritable_cache_keeps_the_identity(toy_locale: Write, tmp_path: Path, cache: Path) -> None:
    cache.write_text("no folder")
    priors = Priors.load(toy_locale(tmp_path / "toy"))
    assert model_cache.model_digest(priors) == identity_of(priors)


def test_en_us_texts_change_no_identity(tmp_path: Path) -> None:
    folder = tmp_path / "us"
    folder.mkdir()
    for name in ("tables", "lookups"):
        (folder / name).symlink_to(HERE / "en_US" / name)
    text = (HERE / "en_US" / "locale.yaml").read_text(encoding="utf-8")
    (folder / "locale.yaml").write_text(text.replace("Way to work", "Commute"), encoding="utf-8")
    text = (HERE / "en_US" / "priors.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("Native Hawaiian or other", "Hawaiian or other"),
        ("US Census Bureau", "Census"),
        ("locale: en_US", "locale: us"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "priors.yaml").write_text(text, encoding="utf-8")
    assert identity_of(Priors.load(folder)) == identity_of(Priors.load("en_US"))


def test_look_up_settings_change_the_identity(tmp_path: Path) -> None:
    folder = tmp_path / "us"
    folder.mkdir()
    for name in ("tables", "lookups"):
        (folder / name).symlink_to(HERE / "en_US" / name)
    declared = yaml.safe_load((HERE / "en_US" / "priors.yaml").read_text(encoding="utf-8"))
    declared["tables"] = {source: tables[:1] for source, tables in declared["tables"].items()}
    (folder / "priors.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    text = (HERE / "en_US" / "locale.yaml").read_text(encoding="utf-8")
    found = set()
    for births in ("births_elsewhere: [PR, VI]", "births_elsewhere: [PR]"):
        read_otherwise = text.replace("births_elsewhere: [PR, VI]", births)
        (folder / "locale.yaml").write_text(read_otherwise, encoding="utf-8")
        found.add(identity_of(Priors.load(folder)))
    assert len(found) == 2


def test_identity_is_stable_across_processes(toy_locale: Write, tmp_path: Path) -> None:
    folder = toy_locale(tmp_path / "toy")
    code = (
        "import sys; from census_personas.census_priors.priors import Priors; "
        "from census_personas.generator.model.identity import identity_of; print(identity_of(Priors.load(sys.argv[1])))"
    )
    plain = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | plain)
    assert found.stdout.strip() == identity_of(Priors.load(folder))
