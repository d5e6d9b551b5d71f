"""Rows that exist are narrated as they are, completed by what the population says of people like them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from released import NEMOTRON

from census_personas.generator.config.input_config import InputConfig
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.population.imputation import Imputation
from census_personas.generator.population.population import Population
from census_personas.generator.run.input_file import InputFile
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.session import generate

CONTEXT = [name for name in NEMOTRON[12:] if name != "bachelors_field"]


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


@pytest.fixture(scope="module")
def impute(population: Population) -> Imputation:
    return Imputation(population, seed=3)


@pytest.fixture
def bare() -> dict[str, Any]:
    """A row of a released dataset: context, and texts that begin with a name."""
    return {
        "uuid": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "persona": "Thuy Nguyen, a 47-year-old nurse, plans everything twice.",
        "professional_persona": "Thuy Nguyen runs a ward in Dayton.",
        "sports_persona": "Thuy Nguyen swims before dawn.",
        "sex": "Female",
        "age": 47,
        "marital_status": "married_present",
        "education_level": "bachelors",
        "occupation": "registered_nurse",
        "city": "Dayton",
        "state": "OH",
        "zipcode": "45402",
        "country": "USA",
    }


def people(n: int = 6) -> pd.DataFrame:
    frame = Population.load("en_US").sample(n, seed=8)[["uuid", *CONTEXT]]
    return frame.astype({name: str for name in frame if name != "age"})


def open_file(path: Path, population: Population, **said: Any) -> InputFile:
    return InputFile(InputConfig(file=str(path), **said), population, seed=3)


def run(folder: Path, file: Path, rows: int, **more: Any) -> pd.DataFrame:
    settings = {"rows": rows, "input": str(file), "output": {"schema": "full"}, **more}
    assert generate(Config.model_validate(settings), folder).state == "complete"
    return pd.read_parquet(folder / "personas")


def test_stated_facts_stay(impute: Imputation, bare: dict[str, Any]) -> None:
    found = impute.of(bare)
    assert bare.items() <= found.items()
    assert set(impute.imputed) <= set(found)
    assert (found["first_name"], found["middle_name"], found["last_name"]) == ("Thuy", "", "Nguyen")
    assert (found["county"], found["occupation_code"]) == ("Montgomery County", "3255")
    assert found["labor_force_status"] == "employed"
    assert 20 <= found["openness"] <= 80


def test_complete_row_stays_as_it_is(impute: Imputation, bare: dict[str, Any], nurse: dict[str, Any]) -> None:
    assert impute.of(impute.of(bare)) == impute.of(bare)
    assert nurse.items() <= impute.of(nurse).items()


@pytest.mark.parametrize(("name", "ethnicity"), [("Thuy Nguyen", "asian"), ("Jose Hernandez", "hispanic")])
def test_a_name_tells_of_ethnicity(
    impute: Imputation, bare: dict[str, Any], name: str, ethnicity: str
) -> None:
    texts = dict.fromkeys(("persona", "sports_persona", "professional_persona"), f"{name} swims.")
    drawn = Counter(impute.of({**bare, **texts, "uuid": str(i)})["ethnicity"] for i in range(60))
    assert drawn[ethnicity] > 45


def test_rows_follow_the_population(impute: Imputation, bare: dict[str, Any], population: Population) -> None:
    context = {key: value for key, value in bare.items() if not key.endswith("persona")}
    found = [impute.of({**context, "uuid": str(i)}) for i in range(400)]
    share = population.marginal(
        ("ethnicity",),
        where={
            "state": "OH",
            "sex": "Female",
            "age": "45-49",
            "education_level": "bachelors",
            "zipcode": "45402",
        },
    )
    white = float(share.weights[share.domain.code("ethnicity", "white")])
    assert sum(row["ethnicity"] == "white" for row in found) / 400 == pytest.approx(white, abs=0.08)
    assert len({row["first_name"] for row in found}) > 100


def test_unknown_values_are_drawn(impute: Imputation, bare: dict[str, Any]) -> None:
    odd = {"occupation": "dragon_tamer", "zipcode": "00000", "state": "ZZ", "age": 7}
    found = impute.of({**bare, **odd})
    assert odd.items() <= found.items()
    assert found["labor_force_status"] == "employed"


def test_row_ignores_its_place(population: Population, tmp_path: Path) -> None:
    frame = people()
    frame.to_parquet(tmp_path / "a.parquet")
    frame[::-1].to_csv(tmp_path / "b.csv", index=False)
    frame.sample(6, random_state=1).to_json(tmp_path / "c.jsonl", orient="records", lines=True)
    read = [open_file(tmp_path / name, population).sample(6, 0) for name in ("a.parquet", "b.csv", "c.jsonl")]
    first, *others = (one.sort_values("uuid").reset_index(drop=True) for one in read)
    for other in others:
        pd.testing.assert_frame_equal(first, other)


def test_blocks_equal_the_whole(population: Population, tmp_path: Path) -> None:
    people().to_parquet(tmp_path / "a.parquet")
    file = open_file(tmp_path / "a.parquet", population)
    whole = file.sample(6, 0)
    parts = [file.sample(2, start) for start in (2, 4, 0)]
    for part, start in zip(parts, (2, 4, 0), strict=True):
        pd.testing.assert_frame_equal(
            part.reset_index(drop=True), whole[start : start + 2].reset_index(drop=True)
        )


def test_missing_uuid_is_stable(population: Population, tmp_path: Path) -> None:
    people().drop(columns="uuid").to_parquet(tmp_path / "a.parquet")
    one, other = (open_file(tmp_path / "a.parquet", population).sample(6, 0)["uuid"] for _ in range(2))
    assert one.tolist() == other.tolist()
    assert one.nunique() == 6
    assert one.str.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").all()


def test_dropped_columns_are_noted(population: Population, tmp_path: Path) -> None:
    frame = people()
    frame.to_parquet(tmp_path / "a.parquet")
    assert open_file(tmp_path / "a.parquet", population).notes("nemotron", NEMOTRON) == ()
    frame.drop(columns="uuid").assign(record_index=1, prefix="x").to_csv(tmp_path / "b.csv", index=False)
    (note,) = open_file(tmp_path / "b.csv", population).notes("nemotron", NEMOTRON)
    assert "schema nemotron does not have are left out: record_index, prefix; there is no column uuid" in note


def test_rewriting_keeps_uuid_and_facts(tmp_path: Path) -> None:
    frame = people()
    frame.assign(persona="Old text.", skills_and_expertise_list="['a', 'b']").to_parquet(
        tmp_path / "a.parquet"
    )
    written = run(tmp_path / "run", tmp_path / "a.parquet", 6)
    pd.testing.assert_frame_equal(
        written[["uuid", *CONTEXT]].astype(object), frame.astype(object), check_dtype=False
    )
    assert not written["persona"].str.contains("Old text").any()
    assert "read from an existing dataset" in (tmp_path / "run/README.md").read_text()
    again = run(tmp_path / "again", tmp_path / "run", 6, prompts={"narratives": []})
    pd.testing.assert_frame_equal(again, written)


def test_other_input_is_refused(tmp_path: Path) -> None:
    people().to_parquet(tmp_path / "a.parquet")
    run(tmp_path / "run", tmp_path / "a.parquet", 6)
    people(7).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match=r"digests\.input"):
        run(tmp_path / "run", tmp_path / "a.parquet", 6)


def test_unknown_occupation_passes(tmp_path: Path) -> None:
    jobs = ["dragon_tamer", "Registered Nurses", "cashier"]
    people(3).assign(occupation=jobs, age=40, education_level="bachelors").to_parquet(tmp_path / "a.parquet")
    written = run(tmp_path / "run", tmp_path / "a.parquet", 3)
    first, *others = written["occupation"]
    assert first not in {"dragon_tamer", "not_in_workforce", "no_occupation"}
    assert others == ["registered_nurse", "cashier"]
    assert written["labor_force_status"].tolist() == ["employed"] * 3
    assert ["occupation" in drawn for drawn in written["drawn"]] == [True, False, False]
    notes = Manifest.read(tmp_path / "run").notes  # type: ignore[union-attr]
    assert any(
        "not known to the locale, taken as not known and drawn: 'dragon_tamer' (1 row)" in n for n in notes
    )


def refused(match: str, **settings: Any) -> None:
    with pytest.raises(ValueError, match=match):
        generate(Config.model_validate(settings), Path("nowhere"))


def test_unusable_input_is_refused_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    people().to_parquet("a.parquet")
    refused("has 6 rows, and rows=7", input="a.parquet", rows=7)
    refused("no dataset there", input="c.parquet", rows=1)
    refused("names a file of people", input="a.parquet", rows=1, where={"state": "NY"})
    assert not Path("nowhere").exists()
