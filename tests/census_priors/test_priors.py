"""Priors: declaration, views of tables, and counted or modelled blocks."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import shipped
import yaml

from census_personas.census_priors.declaration import DeclarationError
from census_personas.census_priors.domain import DomainError
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.priors import Priors

pytestmark = pytest.mark.quick

EN_US = shipped.united_states()
SMALL = {
    "locale": "xx",
    "title": "A test",
    "country": "Nowhere",
    "language": "None",
    "vintage": "2024",
    "attributes": {
        "sex": {"label": "Sex", "states": {"f": "female", "m": "male"}},
        "age": {"label": "Age", "range": [18, 21]},
        "band": {"label": "Band", "of": "age", "edges": [20]},
    },
    "sources": {
        "office": {
            "publisher": "Office",
            "title": "Table 1",
            "vintage": "2024",
            "universe": "adults",
            "url": "https://example.org",
            "licence": "public domain",
        }
    },
    "tables": {"office": [["sex", "age"]]},
    "model": {"core": ["sex", "band"]},
}


def locale(folder: Path, **changes: object) -> Path:
    (folder / "priors.yaml").write_text(
        yaml.safe_dump({**SMALL, **changes}, sort_keys=False), encoding="utf-8"
    )
    return folder


def test_view_sums_its_states(tmp_path: Path) -> None:
    locale(tmp_path)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "sex-age.csv").write_text("sex,age,weight\nf,18,1\nf,19,2\nf,21,4\nm,20,8\n")
    priors = Priors.load(tmp_path)
    assert priors.domain["band"] == ("18-19", "20+")
    assert priors.marginal(("band", "sex")).weights.tolist() == [[3, 0], [4, 8]]
    assert priors.marginal(("band",)).weights.tolist() == [3, 12]


def test_unpublished_table_is_refused(tmp_path: Path) -> None:
    attributes = {**SMALL["attributes"], "eyes": {"label": "Eyes", "states": {"blue": "blue"}}}  # type: ignore[dict-item]
    priors = Priors.load(locale(tmp_path, attributes=attributes))
    with pytest.raises(TableError, match=r"xx: no table has sex, eyes together"):
        priors.marginal(("sex", "eyes"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tables": {"nobody": [["sex"]]}}, r"tables.nobody: no such source; known: office"),
        (
            {"tables": {"office": [["size"]]}},
            r"tables.office: unknown attribute 'size'; known: age, band, sex",
        ),
        ({"model": {"core": ["shoe"]}}, r"model.core: unknown attribute 'shoe'"),
        ({"modelled": {"PR": ["shoe"]}}, r"modelled.PR: unknown attribute 'shoe'"),
        ({"model": {"core": []}}, r"model.core"),
        ({"colour": "red"}, r"colour: Extra inputs are not permitted"),
        ({"attributes": {"sex": {"label": "Sex"}}}, r"attributes.sex: .*give `states`, `range`, or `of`"),
        ({"agreement": -1}, r"agreement"),
    ],
)
def test_bad_declaration_names_its_place(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(DeclarationError, match=rf"(?s)priors\.yaml: .*{message}"):
        Priors.load(locale(tmp_path, **changes))


def test_later_view_is_refused(tmp_path: Path) -> None:
    attributes = {"band": SMALL["attributes"]["band"], **SMALL["attributes"]}  # type: ignore[index, dict-item]
    priors = Priors.load(locale(tmp_path, attributes=attributes))
    with pytest.raises(DeclarationError, match=r"attributes.band: 'age' must stand before it"):
        _ = priors.domain


def test_invalid_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "priors.yaml").write_text("a: [b")
    with pytest.raises(DeclarationError, match=r"priors.yaml: not valid YAML"):
        Priors.load(tmp_path)


def test_unknown_locale_lists_known() -> None:
    with pytest.raises(DeclarationError, match=r"xx_XX: no such locale and no folder .*shipped: en_US"):
        Priors.load("xx_XX")


@pytest.mark.parametrize(
    ("attributes", "state", "basis"),
    [
        (("age_band", "sex"), "CA", "direct"),
        (("education_level", "ethnicity"), "CA", "direct"),
        (("education_group",), "CA", "direct"),
        (("household_type", "age_group"), "TX", "direct"),
        (("education",), "CA", "modelled"),
        (("bachelors_field",), "TX", "modelled"),
        (("marital_group", "sex"), "CA", "modelled"),
        (("sex", "occupation_group"), "TX", "modelled"),
        (("occupation", "education"), "NY", "direct"),
        (("age_band", "sex"), "PR", "modelled"),
        (("state",), "PR", "direct"),
    ],
)
def test_modelled_blocks_are_marked(attributes: tuple[str, ...], state: str, basis: str) -> None:
    assert EN_US.basis(attributes, state) == basis


def test_modelled_blocks_claim_no_records() -> None:
    for attributes in (
        ("state", "occupation"),
        ("state", "sex", "marital_status"),
        ("state", "age_band", "sex"),
    ):
        samples = EN_US.table(attributes).samples
        assert samples is not None
        for row, state in enumerate(EN_US.domain["state"]):
            modelled = EN_US.basis(attributes, str(state)) == "modelled"
            assert (samples[row].sum() == 0) == modelled, (attributes, state)


def test_attributes_give_the_universe() -> None:
    assert EN_US.universe(("state", "sex")) == "everybody"
    assert EN_US.universe(("state", "industry")) == "with a job"


def test_unknown_attribute_has_no_label() -> None:
    with pytest.raises(DomainError, match=r"unknown attribute 'shoe'"):
        EN_US.label("shoe", "42")


def test_priors_load_within_a_second() -> None:
    began = time.perf_counter()
    priors = Priors.load("en_US")
    assert priors.domain["occupation"]
    assert np.isfinite(priors.table(("state", "sex", "age")).total)
    assert time.perf_counter() - began < 1.0


def test_whole_locale_is_small() -> None:
    assert sum(path.stat().st_size for path in EN_US.folder.rglob("*") if path.is_file()) < 15_000_000


def test_sources_cover_the_whole_locale() -> None:
    publishers = {source.publisher for source in EN_US.sources.values()}
    assert {
        "US Census Bureau",
        "US Bureau of Labor Statistics",
        "Social Security Administration",
    } <= publishers
    assert any("O*NET" in source.title and source.licence == "CC BY 4.0" for source in EN_US.sources.values())


def test_sources_may_be_declared(tmp_path: Path) -> None:
    assert list(Priors.load(locale(tmp_path)).sources) == ["office"]
