"""Spoilt locale folders: the check, the command and the loader name the file and the remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import shipped
import yaml

from census_personas.census_priors import lock
from census_personas.census_priors.check import Verdict, check
from census_personas.census_priors.declaration import DeclarationError
from census_personas.census_priors.domain import Domain
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.table_file import read_marginal
from census_personas.generator.model.leaves import leaves_of
from census_personas.generator.model.network_fit import fit_network
from census_personas.generator.population.population import Population

EXAMPLE = Path(__file__).parents[2] / "examples" / "puerto_rico"
EN_US = shipped.united_states().folder
LOOKUPS = "look-ups are declared and can be read"
LOCK = "files are those of tables.lock"
MAIN = [sys.executable, "-c", "from census_personas.generator.cli.main import main; main()"]

Spoil = Callable[[Path], object]


def personas(*words: object) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PERSONAS_DEBUG"}
    done = subprocess.run(
        [*MAIN, *map(str, words)], capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def verdict(folder: Path, name: str) -> Verdict:
    return next(verdict for verdict in check(Priors.load(folder)) if verdict.name == name)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    folder = tmp_path / "a locale ñ"
    shutil.copytree(EXAMPLE, folder)
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Link the shipped locale with one table and all its look-ups."""
    folder = tmp_path / "small"
    (folder / "tables").mkdir(parents=True)
    (folder / "lookups").mkdir()
    declared = yaml.safe_load((EN_US / "priors.yaml").read_text(encoding="utf-8"))
    source = next(iter(declared["tables"]))
    declared["tables"] = {source: [["state", "age_band", "sex"]]}
    (folder / "priors.yaml").write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    shutil.copy(EN_US / "tables/state-age_band-sex.parquet", folder / "tables")
    shutil.copy(EN_US / "locale.yaml", folder)
    for path in (EN_US / "lookups").iterdir():
        (folder / "lookups" / path.name).symlink_to(path)
    return folder


def lookup(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / "lookups" / f"{name}.parquet"
        frame = change(pd.read_parquet(path))
        path.unlink()
        frame.to_parquet(path)

    return spoil


def junk(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(b"\xffjunk" * 9)

    return spoil


def test_whole_look_ups_pass(small: Path) -> None:
    assert verdict(small, LOOKUPS).passed


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (junk("lookups/names_last.parquet"), "names_last.parquet: not a readable Parquet file"),
        (junk("lookups/occupations.parquet"), "occupations.parquet: not a readable Parquet file"),
        (lambda folder: (folder / "lookups/places.parquet").unlink(), "places.parquet: no such table"),
        (lookup("places", lambda f: f.drop(columns=["city", "adults"])), "columns city, adults are missing"),
        (
            lookup("places", lambda f: f.assign(adults=f["adults"].astype(str))),
            "column 'adults' holds large_string, not one number per row; rebuild the locale",
        ),
        (lookup("places", lambda f: f.assign(city=1)), "column 'city' holds int64, not one text per row"),
        (lookup("counties", lambda f: f.iloc[5:]), "lookups: counties lack "),
        (lookup("names_births", lambda f: f.assign(name=10**6)), "names that are not in names_given.parquet"),
        (lookup("occupations", lambda f: f.assign(tasks="")), "column 'tasks' holds"),
    ],
)
def test_spoilt_look_up_is_named(small: Path, spoil: Spoil, said: str) -> None:
    spoil(small)
    priors = Priors.load(small)
    if "occupations" in said or "tasks" in said:  # its states come from there
        with pytest.raises(TableError, match=r"occupations\.parquet"):
            check(priors)
        return
    found = verdict(small, LOOKUPS)
    assert not found.passed
    assert said in found.found
    with pytest.raises(TableError) as caught:
        leaves_of(priors)
    assert said in str(caught.value)


def test_undeclared_look_up_is_named(small: Path) -> None:
    path = small / "priors.yaml"
    path.write_text(path.read_text().replace("- names\n", ""))
    with pytest.raises(
        DeclarationError, match=r"roles.given_name: 'first_name' is not an attribute; add it, or names to"
    ):
        Priors.load(small)
    said = yaml.safe_load((small / "locale.yaml").read_text(encoding="utf-8"))
    said["roles"] = {role: name for role, name in said["roles"].items() if not role.endswith("_name")}
    said["columns"], said["words"] = {}, {}
    (small / "locale.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    assert "lookups/names_last.parquet: is not used; add names" in verdict(small, LOOKUPS).found


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (junk("tables.lock"), LOCK, "tables.lock: cannot be read as UTF-8 text"),
        (
            lambda folder: (folder / "tables.lock").write_text("not a lock\n"),
            LOCK,
            "tables.lock:1: 'not a lock' is not a SHA-256, two spaces and a path",
        ),
        (lambda folder: (folder / "provenance.yaml").touch(), LOCK, "tables.lock is missing"),
        (
            junk("tables/sex-age.csv"),
            "tables can be read and have no bad cell",
            "sex-age.csv: not UTF-8 text (invalid start byte); save it as UTF-8",
        ),
        (
            lambda folder: (folder / "published.yaml").write_text(
                "facts: [{name: x, value: 1, margin: 1, source: s, url: u, among: {sex: {at_least: 3}}}]"
            ),
            "x",
            "'Male' is neither a number nor a range such as 25-29 or 85+",
        ),
        (
            lambda folder: (folder / "published.yaml").write_text(
                "facts: [{name: x, value: 1, margin: 1, source: s, url: u, lookup: places, of: rows}]"
            ),
            "x",
            "lookups/places.parquet: no such table",
        ),
        (
            lambda folder: (folder / "published.yaml").write_text(
                "facts: [{name: x, value: 1, margin: 1, source: s, url: u, among: {shoe: [a]}}]"
            ),
            "x",
            "unknown attribute 'shoe'",
        ),
    ],
)
def test_unusable_input_is_a_failed_check(example: Path, spoil: Spoil, name: str, said: str) -> None:
    spoil(example)
    found = verdict(example, name)
    assert not found.passed
    assert said in found.found


def test_compiled_locale_needs_its_lock(example: Path) -> None:
    lock.write_lock(example)
    (example / "provenance.yaml").touch()
    (example / "tables.lock").unlink()
    code, out, err = personas("priors", "check", "--locale", example)
    assert code == 1
    assert "WRONG  files are those of tables.lock: tables.lock is missing\n" in out
    assert err.endswith(f"personas: {example}: 1 of 11 checks failed\n")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("published.yaml", b"", "published.yaml: is empty; list `facts`, or delete the file"),
        ("published.yaml", b"facts: 3", "published.yaml: facts: Input should be a valid tuple, not 3"),
        ("published.yaml", b"\xff", "published.yaml: not UTF-8 text"),
        ("published.yaml", b"facts: []\nfacts: []", "published.yaml: line 2: key 'facts' is given twice"),
        ("priors.yaml", b"\xff", "priors.yaml: not UTF-8 text"),
        ("priors.yaml", b"locale: a\nlocale: b\n", "priors.yaml: line 2: key 'locale' is given twice"),
        ("priors.yaml", b"", "priors.yaml: file: Input should be a valid dictionary"),
    ],
)
def test_unusable_yaml_is_one_line(example: Path, file: str, content: bytes, said: str) -> None:
    (example / file).write_bytes(content)
    with pytest.raises(DeclarationError) as caught:
        check(Priors.load(example))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vintage": "about 2020"}, "vintage: String should match pattern"),
        ({"lookups": ["zips"]}, "lookups.0: Input should be 'names', 'occupations' or 'places', not 'zips'"),
        ({"attributes": {}}, "attributes: Dictionary should have at least 1 item"),
        ({"attributes": {"a-b": {"label": "x", "range": [1, 2]}}}, "'a-b' cannot be a column"),
        ({"attributes": {"weight": {"label": "x", "range": [1, 2]}}}, "'weight' is a column"),
        ({"attributes": {"age": {"label": "x", "range": [9, 1]}}}, "range 9 to 1"),
        ({"attributes": {"age": {"label": "x", "range": [0, 10**12]}}}, "at most 10000 states"),
        (
            {"tables": {"acs_2018": [["sex", "sex"]]}},
            "a table needs attributes, each once, not ['sex', 'sex']",
        ),
        ({"tables": {"acs_2018": [[]]}}, "a table needs attributes, each once, not []"),
    ],
    ids=str,
)
def test_invalid_declaration_is_refused(example: Path, change: dict[str, object], said: str) -> None:
    path = example / "priors.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8")) | change
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        Priors.load(example)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ({"of": "age", "edges": [30, 30]}, "edges must ascend"),
        ({"of": "age", "edges": [10, 30]}, r"edges: no state of age after the first begins at 10"),
        ({"of": "age_band", "edges": [33]}, r"edges: no state of age_band after the first begins at 33"),
        ({"of": "sex", "edges": [30]}, "'Male' is neither a number nor a range"),
        ({"of": "sex", "map": {"all": ["Male"]}}, "map leaves out 'Female' of sex"),
        ({"of": "sex", "map": {"all": ["Male", "Female", "X"]}}, "map has the unknown 'X' of sex"),
    ],
    ids=str,
)
def test_mismatched_view_is_refused(example: Path, view: dict[str, object], said: str) -> None:
    path = example / "priors.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    declared["attributes"]["further"] = {"label": "x", **view}
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        _ = Priors.load(example).domain


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("weight", ["1", "2"], "column 'weight' holds large_string, not numbers"),
        ("samples", ["1", "2"], "column 'samples' holds large_string, not numbers"),
        ("weight", [True, False], "column 'weight' holds bool, not numbers"),
        ("weight", [1.0, None], "weights of sex='Female' are nan"),
        ("sex", ["Male", None], "is not a state of the domain (Male, Female)"),
        ("sex", [["Male"], ["Female"]], "is not a state"),
        ("sex", [1, 2], "sex='1' is not a state"),
    ],
)
def test_wrongly_typed_parquet_is_refused(
    tmp_path: Path, column: str, values: list[object], said: str
) -> None:
    frame = pd.DataFrame({"sex": ["Male", "Female"], "weight": [1.0, 2.0]}).assign(**{column: values})
    frame.to_parquet(tmp_path / "sex.parquet")
    with pytest.raises(TableError) as caught:
        read_marginal(tmp_path / "sex.parquet", Domain({"sex": ("Male", "Female")}))
    assert said in str(caught.value)


def test_unreadable_provenance_is_named(example: Path) -> None:
    for content in ("", "sources: 3", "sources: {a: 3}", "a: 1\na: 2"):
        (example / "provenance.yaml").write_text(content)
        with pytest.raises(DeclarationError, match=r"provenance\.yaml: "):
            _ = Priors.load(example).sources


def test_otherwise_needs_a_parent(example: Path) -> None:
    path = example / "priors.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    declared["model"]["conditionals"][1]["parents"].remove("labor_force_status")
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    with pytest.raises(
        DeclarationError, match="otherwise: 'labor_force_status' is not a parent of occupation"
    ):
        Priors.load(example)


def test_columns_belong_to_the_model(example: Path) -> None:
    path = example / "priors.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    declared["model"]["core"].remove("education_level")
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    priors = Priors.load(example)
    assert "education_level" not in Population(priors, fit_network(priors)).sample(3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(
            (name, "is a column that the engine fills")
            for name in ("uuid", "country", "row", "openness", "persona")
        ),
        ("Sex", "use small letters"),
        ("__index_level_0__", "use small letters"),
    ],
)
def test_engine_column_names_are_refused(example: Path, name: str, said: str) -> None:
    path = example / "priors.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("marital_status", name), encoding="utf-8")
    with pytest.raises(DeclarationError, match=f"attributes: '{name}' .*{said}"):
        Priors.load(example)


def test_fact_about_nobody_is_refused(example: Path) -> None:
    facts = [{"what": "adults", "value": 1.0, "within": 0.1, "source": "x", "url": "https://x", "part": {}}]
    (example / "published.yaml").write_text(yaml.safe_dump({"facts": facts}), encoding="utf-8")
    code, _, err = personas("priors", "check", "--locale", example)
    assert code in {1, 2}
    assert "internal error" not in err
    assert "published.yaml" in err


def test_lock_must_be_a_file(example: Path) -> None:
    (example / "tables.lock").unlink(missing_ok=True)
    (example / "tables.lock").mkdir()
    with pytest.raises(TableError, match=r"tables\.lock: cannot be read"):
        lock.read_lock(example)


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ("many", "weight 'many' is not a number"),
        ("1e-320", "weights add up to"),
        ("1,000", "'1,000' is not a number"),
    ],
)
def test_invalid_weight_is_named(tmp_path: Path, weight: str, said: str) -> None:
    (tmp_path / "sex.csv").write_text(f'sex,weight\nMale,"{weight}"\n', encoding="utf-8")
    with pytest.raises(TableError, match=said):
        read_marginal(tmp_path / "sex.csv", Domain({"sex": ("Male", "Female")}))
