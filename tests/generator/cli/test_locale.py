"""Custom locales: `personas locale`, and every command on the example in Spanish."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from census_personas.census_priors.priors import Priors

EXAMPLE = Path(__file__).parents[3] / "examples/puerto_rico"
ROWS = 12

Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A run of the example with its own prompts."""
    file = tmp_path / "config.yaml"
    settings = {"locale": str(EXAMPLE), "rows": ROWS, "prompts": {"set": str(EXAMPLE / "prompts")}}
    file.write_text(yaml.safe_dump({**settings, "output": {"schema": "full"}}), encoding="utf-8")
    return file


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The example, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "es_PR"))


def stages(out: str) -> dict[str, str]:
    """Stage -> what is said of it."""
    heads = (line.partition(": ") for line in out.splitlines() if not line.startswith(" "))
    return {stage: said for stage, _, said in heads}


def test_commands_work_in_another_language(
    personas: Personas,
    tmp_path: Path,
    config: Path,
    chat_server: Callable[..., Any],
    rows_of: Callable[[Path], pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert personas("sample", config, "-o", tmp_path / "people.parquet")[0] == 0
    assert personas("prompts", "check", EXAMPLE / "prompts")[0] == 0
    bilingual = Path(shutil.copytree(EXAMPLE, tmp_path / "bilingual"))
    said = (bilingual / "locale.yaml").read_text(encoding="utf-8").replace("language: es", "language: en", 1)
    (bilingual / "locale.yaml").write_text(said, encoding="utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    server = chat_server()
    served = ("llm.backend=openai", f"llm.base_url={server.base_url}", f"llm.model={server.model}")
    served += ("validation.policy={shared_text: off}",)  # the server has few sentences in Spanish
    for name, options in (("offline", ()), ("served", [word for each in served for word in ("--set", each)])):
        run = tmp_path / name
        code, _, err = personas("generate", config, "-o", run, *options)
        assert code == 0, err
        rows = rows_of(run)
        assert len(rows) == ROWS
        assert rows["persona"].str.contains("mujer|hombre", regex=True).all()
        assert not rows["persona"].str.contains(" a el | de el ", regex=True).any()
        code, out, err = personas(
            "validate", run, "--locale", EXAMPLE, "--report", tmp_path / f"{name}-checks"
        )
        assert code == 0, err
        assert "pronouns: not judged; reads texts in en, not in es" in out
        assert "language" not in out
        # Its prompts decide, not the language of the locale.
        code, out, _ = personas("validate", run, "--locale", bilingual)
        assert "pronouns: not judged; reads texts in en, not in es" in out
        assert personas("report", run)[0] == 0
        assert "Puerto Rico" in (run / "README.md").read_text(encoding="utf-8")
        page = (tmp_path / f"{name}-checks/validation.html").read_text(encoding="utf-8")
        assert "Not judged, because the locale lacks what they need" in page


@pytest.mark.parametrize("command", ["generate", "preview", "estimate", "check"])
def test_prompts_in_another_language_are_refused(
    personas: Personas, tmp_path: Path, config: Path, one_line: Callable[[str], str], command: str
) -> None:
    where = ("-o", tmp_path / "run") if command == "generate" else ()
    code, _, err = personas(command, config, "--set", "prompts.set=en_US", *where)
    assert code == 2
    assert "prompts.set=en_US: is written in en, but locale es_PR has words only in es" in one_line(err)
    assert not (tmp_path / "run").exists()


def test_prompts_with_unfilled_roles_are_refused(
    personas: Personas, copy: Path, config: Path, one_line: Callable[[str], str]
) -> None:
    place = copy / "prompts/set.yaml"
    place.write_text(place.read_text(encoding="utf-8") + "  region: pueblo\n", encoding="utf-8")
    code, _, err = personas("check", config, "--set", f"prompts.set={copy / 'prompts'}")
    assert code == 2
    assert "needs region, but locale es_PR has no such role" in one_line(err)


def test_example_is_complete(personas: Personas) -> None:
    code, out, _ = personas("locale", "check", EXAMPLE)
    assert code == 0
    assert stages(out) == {
        **dict.fromkeys(("sampling", "narration", "validation", "publication"), "ready"),
        "complete": "",
    }


def test_missing_things_come_in_order(personas: Personas, copy: Path) -> None:
    def following() -> str:
        code, out, _ = personas("locale", "check", copy, "--json")
        assert code == 1
        return str(json.loads(out)["next"])

    (copy / "published.yaml").unlink()
    assert "published.yaml: is not there" in following()
    said = yaml.safe_load((copy / "locale.yaml").read_text(encoding="utf-8"))
    said["schooling"]["ladder"] = []
    (copy / "locale.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    assert "schooling.ladder: order the states of education_level" in following()
    shutil.rmtree(copy / "prompts")
    assert "write a set of its own in" in following()
    (copy / "locale.yaml").unlink()
    assert "roles: work: say which attribute plays each" in following()
    (copy / "tables/sex-age.csv").unlink()
    assert "tables/sex-age.csv: is not there; write one row a cell" in following()
    (copy / "priors.yaml").unlink()
    assert "personas locale new writes one" in following()


def test_skeleton_needs_only_its_author(personas: Personas, tmp_path: Path) -> None:
    folder = tmp_path / "xx_XX"
    code, out, _ = personas("locale", "new", folder, "--country", "Exampleland")
    assert code == 0
    assert "next: " in out
    priors = Priors.load(folder)
    assert priors.country == "Exampleland"
    assert priors.roles["schooling"] == "education_level"
    for _, names in priors.tables:
        code, out, _ = personas("locale", "check", folder)
        assert code == 1
        assert f"next: {folder / 'tables' / '-'.join(names)}.csv: is not there" in out
        write_evenly(priors, names)
    _, out, _ = personas("locale", "check", folder)
    assert stages(out)["sampling"] == "ready"
    assert stages(out)["narration"] == "1 missing"
    code, _, err = personas("locale", "new", folder)
    assert code == 2
    assert "is not empty; name a new folder" in err


def write_evenly(priors: Priors, names: tuple[str, ...]) -> None:
    """A table of people spread evenly, those without work apart from those with an occupation."""
    domain = priors.domain
    per_age = dict.fromkeys(domain["age"], 1.0)
    bands = {str(band): 0.0 for band in domain["age_band"]}
    for age, code in zip(domain["age"], priors.hierarchy.maps["age_band"], strict=True):
        bands[str(domain["age_band"][code])] += per_age[age]
    rows = []
    for cell in itertools.product(*(domain[name] for name in names)):
        found = dict(zip(names, cell, strict=True))
        if (found.get("activity") != "employed") != (
            found.get("occupation") == "none"
        ) and "occupation" in found:
            continue
        states = [len(domain[name]) for name in names if name not in {"sex", "age", "age_band"}]
        weight = bands[str(found["age_band"])] if "age_band" in found else 1.0
        rows.append({**found, "weight": 1000 * weight / max(states, default=1)})
    table = pd.DataFrame(rows)
    if "occupation" in names:
        within = table.groupby(["sex", "activity"])["weight"].transform("sum")
        table["weight"] *= 1000 * sum(per_age.values()) / 3 / within
    table.to_csv(priors.folder / "tables" / f"{'-'.join(names)}.csv", index=False)
