"""A prompt set's own fields and a config's choice of narratives, from the front matter to the dataset and its card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from census_personas.foundation.schema import SchemaError
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatRequest
from census_personas.generator.llm.scripted import ScriptedModel
from census_personas.generator.offline.narrator import OfflineNarrator
from census_personas.generator.session import generate
from census_personas.prompts.template import PromptSet

OWN = {"income_score": 3, "daily_habits": ["wakes early", "walks far"], "motto": "Onward, and then home."}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The shipped set and a narrative that asks for a field of each kind."""
    folder = tmp_path / "mine"
    shutil.copytree(PromptSet.load("en_US").folder, folder)
    fields = [
        "{name: income_score, kind: score, description: How well off., min: 1, max: 5}",
        "{name: daily_habits, kind: list, description: Habits of a day., min: 1, max: 3}",
        "{name: motto, kind: text, description: Words to live by., min: 5, max: 90}",
    ]
    (folder / "narratives/more.j2").write_text(f"---\nfields: [{', '.join(fields)}]\n---\nBe brief.\n")
    return folder


def model() -> ScriptedModel:
    offline = OfflineNarrator.load("en_US")

    def answer(request: ChatRequest) -> str:
        asked: dict[str, Any] = request.schema["properties"]
        known = {name: spec for name, spec in asked.items() if name not in OWN}
        written = offline.write(request.facts, known, seed=request.seed) if known else {}
        return json.dumps({**written, **{name: OWN[name] for name in asked if name in OWN}})

    return ScriptedModel(answer)


def config(mine: Path, schema: str, **prompts: Any) -> Config:
    llm = {"backend": "openai", "model": "m"}
    return Config.model_validate(
        {"rows": 2, "llm": llm, "prompts": {"set": str(mine), **prompts}, "output": {"schema": schema}}
    )


def test_each_field_kind_has_a_column(tmp_path: Path, mine: Path) -> None:
    asked = config(mine, "nemotron", narratives=["motto"])
    assert generate(asked, tmp_path / "run", model=model()).accepted == 2
    table = pq.read_table(tmp_path / "run/personas/part-00000.parquet")
    assert table.column_names[-3:] == list(OWN)
    assert [{name: row[name] for name in OWN} for row in table.to_pylist()] == [OWN, OWN]
    card = (tmp_path / "run/README.md").read_text()
    assert "| `income_score` | integer | How well off. |" in card
    assert "| `daily_habits` | list | Habits of a day. |" in card


def test_left_out_field_is_no_column(tmp_path: Path, mine: Path) -> None:
    manifest = generate(config(mine, "full", without=["sports", "persona"]), tmp_path / "run", model=model())
    assert manifest.accepted == 2
    names = pq.read_schema(tmp_path / "run/personas/part-00000.parquet").names
    assert not {"sports_persona", "persona"} & {*names}
    assert "arts_persona" in names
    with pytest.raises(
        SchemaError, match=r"output\.schema=nemotron-1\.1: its 23 columns have sports_persona, which"
    ):
        generate(config(mine, "nemotron-1.1", without=["sports"]), tmp_path / "other", model=model())


def test_narratives_are_fingerprinted() -> None:
    assert "without" not in Config().identity()["prompts"]
    assert (
        config(Path("x"), "full", without=["arts"]).fingerprint() != config(Path("x"), "full").fingerprint()
    )
