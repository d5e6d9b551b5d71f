"""The builder: whole or nothing, repeatable, and honest about what it modelled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from census_personas.census_priors.build.atomic_folder import whole_folder
from census_personas.census_priors.build.en_US import sources as sources_en_us
from census_personas.census_priors.build.en_US.locale import build
from census_personas.census_priors.build.provenance import write_modelled
from census_personas.census_priors.build.source import Source, SourceError, missing
from census_personas.census_priors.priors import HERE

SHIPPED = HERE / "en_US"


def test_folder_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "locale"
    target.mkdir()
    (target / "old").touch()
    with whole_folder(target) as work:
        (work / "new").touch()
        assert (target / "old").exists()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["locale"]


def fail_halfway(target: Path) -> None:
    with whole_folder(target) as work:
        (work / "half").touch()
        raise SourceError("halfway")


def test_unfinished_folder_leaves_no_trace(tmp_path: Path) -> None:
    target = tmp_path / "locale"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(SourceError, match="halfway"):
        fail_halfway(target)
    assert [path.name for path in tmp_path.rglob("*")] == ["locale", "old"]


def test_missing_file_names_publisher(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"agesex-res.csv: no such file and \d+ more; .*published at https"):
        missing(sources_en_us.EVERY, tmp_path)


def test_build_without_sources_writes_nothing(tmp_path: Path) -> None:
    persons = tmp_path / "psam_p36.csv"
    persons.touch()
    with pytest.raises(SourceError, match=r"name one with PUMS person files|no PUMS person file there"):
        build(tmp_path / "elsewhere", tmp_path, tmp_path / "locale")
    with pytest.raises(SourceError, match=r"agesex-res.csv: no such file"):
        build(tmp_path, tmp_path, tmp_path / "locale")
    assert list(tmp_path.iterdir()) == [persons]


def test_every_source_states_its_origin() -> None:
    for source in (sources_en_us.PUMS, *sources_en_us.EVERY):
        assert source.publisher
        assert source.vintage
        assert source.universe
        assert source.url.startswith("https://")
    names = [source.name for source in sources_en_us.EVERY]
    assert len(set(names)) == len(names)


def test_source_name_has_no_suffix() -> None:
    def named(file: str) -> str:
        return Source(file, "", "", "", "", "").name

    assert named("acs/bystate/B12002_DATA.csv.gz") == "acs/bystate/B12002_DATA"
    assert named("onet_29_3/") == "onet_29_3"


@pytest.mark.parametrize("before", ["", "modelled:\n  CA: [sex]\n  TX: [sex]\n\n", "modelled: {}\n"])
def test_modelled_block_is_replaced(tmp_path: Path, before: str) -> None:
    path = tmp_path / "priors.yaml"
    path.write_text(f"# a comment\nlocale: xx\n\n{before}model:\n  core: [sex]  # kept\n")
    write_modelled(path, {"PR": ("sex", "age")})
    text = path.read_text()
    assert yaml.safe_load(text) == {
        "locale": "xx",
        "model": {"core": ["sex"]},
        "modelled": {"PR": ["sex", "age"]},
    }
    assert text.startswith("# a comment\n")
    assert "core: [sex]  # kept" in text
    write_modelled(path, {"PR": ("sex", "age")})
    assert path.read_text() == text


def test_no_modelled_areas_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "priors.yaml"
    path.write_text("modelled:\n  CA: [sex]\n\nlocale: xx\n")
    write_modelled(path, {})
    assert yaml.safe_load(path.read_text()) == {"locale": "xx", "modelled": {}}


@pytest.mark.sources
@pytest.mark.skipif(
    "PERSONAS_SOURCES" not in os.environ, reason="PERSONAS_SOURCES names no folder of official files"
)
def test_build_repeats_shipped_locale(tmp_path: Path) -> None:
    sources = Path(os.environ["PERSONAS_SOURCES"])
    built = build(sources / "acs_pums_2024_1yr", sources, tmp_path / "en_US")
    assert set(built.modelled) == {"CA", "TX", "PR", "VI"}
    here, there = SHIPPED, tmp_path / "en_US"
    names = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
    assert names == {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    assert [name for name in sorted(names) if (here / name).read_bytes() != (there / name).read_bytes()] == []
