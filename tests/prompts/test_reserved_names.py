"""Fields of a prompt set become columns: none may overwrite a fact, another column or another field."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from released import NEMOTRON_1_1

from census_personas.census_priors.conventions import ENGINE_COLUMNS
from census_personas.census_priors.priors import Priors
from census_personas.foundation.schema import PROVENANCE
from census_personas.foundation.traits import TRAITS
from census_personas.prompts import reserved_names
from census_personas.prompts.lint import lint
from census_personas.prompts.template import PromptSet, TemplateError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "mine"
    shutil.copytree(PromptSet.load("en_US").folder, copy)
    return copy


def declare(file: Path, *fields: str) -> None:
    listed = ", ".join(f"{{name: {name}, kind: text, description: d, min: 1, max: 9}}" for name in fields)
    text = "{% block user %}{{ first_name }}{% endblock %}" if file.parent.name == "mine" else "Text."
    file.write_text(f"---\nfields: [{listed}]\n---\n{text}")


TAKEN = [
    "city",
    "City",
    "CITY",
    "uuid",
    "row",
    "model",
    "flags",
    "openness_label",
    "income_band",
    "labels",
    "fields",
]


@pytest.mark.parametrize(
    "file", ["attributes.j2", "personas.j2", "narratives/arts.j2", "narratives/finance.j2"]
)
def test_facts_name_no_field(folder: Path, file: str) -> None:
    declare(folder / file, "city")
    faults = lint(folder)
    assert len(faults) == 1
    assert faults[0].startswith(f"{folder / file}: field city: the name is a fact about the person")
    with pytest.raises(TemplateError, match="field city: the name is a fact"):
        PromptSet.load(folder, ["finance"])


@pytest.mark.parametrize("name", TAKEN)
def test_taken_name_ignores_case(folder: Path, name: str) -> None:
    declare(folder / "narratives" / "arts.j2", name)
    with pytest.raises(
        TemplateError, match=f"arts.j2: field {name}: the name is .*; choose another, such as"
    ):
        PromptSet.load(folder)


@pytest.mark.parametrize(
    "name",
    ["_id", "9lives", "a b", "a-b", "a.b", "città", "ﬁnance", "'a\\nb'", "x" * 64, "''", "3", "true", "[a]"],
)
def test_unreadable_name_is_refused(folder: Path, name: str) -> None:
    declare(folder / "narratives" / "arts.j2", name)
    with pytest.raises(TemplateError, match=r"arts.j2: field name .* is not a column name; use at most 63"):
        PromptSet.load(folder)


@pytest.mark.parametrize("other", ["narratives/arts.j2", "narratives/sports.j2", "attributes.j2"])
def test_names_differ_beyond_case(folder: Path, other: str) -> None:
    declare(folder / "personas.j2", "garden_persona")
    personas = (folder / "personas.j2").read_text()
    (folder / "personas.j2").write_text(personas.replace("---\n", "---\nnarratives: [arts, sports]\n", 1))
    declare(folder / other, "Garden_Persona")
    with pytest.raises(TemplateError, match="is declared twice, as "):
        PromptSet.load(folder)


def test_every_engine_name_is_taken() -> None:
    written = {field.name for call in ("attributes", "personas") for field in fields_of(call)}
    prompts, priors = PromptSet.load("en_US"), Priors.load("en_US")
    taken = {*reserved_names.FACTS, *prompts.declared.names}
    columns = {*NEMOTRON_1_1, *priors.roles.values(), *ENGINE_COLUMNS, *TRAITS} - written
    assert columns - taken == set()
    assert set(prompts.words("sample")) - written - taken - reserved_names.WORDS == {"row"}
    assert set(PROVENANCE) == reserved_names.PROVENANCE


def fields_of(call: str) -> tuple[reserved_names.FieldSpec, ...]:
    return PromptSet.load("en_US").templates[call].fields


@pytest.mark.parametrize("name", ["finance", "Finance", "finance.j2", "finance_persona", "finance persona"])
def test_narrative_has_two_names(name: str) -> None:
    assert list(PromptSet.load("en_US", [name]).narratives)[-1] == "finance"
    assert len(PromptSet.load("en_US", [name, "finance"]).templates["personas"].fields) == 7


def test_other_field_name_is_accepted(folder: Path) -> None:
    declare(folder / "narratives" / "finance.j2", "money")
    assert "money" in PromptSet.load(folder, ["money"]).templates["personas"].schema["required"]


def test_narrative_is_left_out_by_name() -> None:
    prompts = PromptSet.load("en_US", ["finance"], ["sports_persona", "persona"])
    assert list(prompts.narratives) == ["professional", "arts", "travel", "culinary", "finance"]


def test_only_requested_can_be_left_out() -> None:
    with pytest.raises(
        TemplateError, match="narrative 'finance' is not asked for; asked for: professional, sports"
    ):
        PromptSet.load("en_US", without=["finance"])
