"""What a run does with text that nobody should read: it asks again, and delivers none of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import shipped

from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatRequest
from census_personas.generator.llm.scripted import ScriptedModel
from census_personas.generator.session import generate

SLUR = "wetbacks"


def _model(*, always: bool) -> ScriptedModel:
    """The offline narrator, with a slur in its first text of a hobby, or in all of them."""
    said: list[str] = []

    def answer(request: ChatRequest) -> str:
        written = dict(
            shipped.narrator().write(request.facts, request.schema["properties"], seed=request.seed)
        )
        if "hobbies_and_interests" in written and (always or not said):
            said.append(SLUR)
            written["hobbies_and_interests"] = (
                f"{written['hobbies_and_interests']} Some neighbors are {SLUR}, they say."
            )
        return json.dumps(written)

    return ScriptedModel(answer)


def _config(**more: str) -> Config:
    return Config.model_validate({"rows": 1, "llm": {"backend": "openai", "model": "m"}, **more})


def test_a_slur_is_asked_for_again(tmp_path: Path) -> None:
    assert generate(_config(), tmp_path / "run", model=_model(always=False)).accepted == 1
    assert SLUR not in str(pq.read_table(tmp_path / "run/personas/part-00000.parquet").to_pylist())


def test_slurs_are_never_delivered(tmp_path: Path) -> None:
    person = {"sex": "Male", "age": 40, "marital_status": "divorced", "education_level": "high_school"}
    people = tmp_path / "people.parquet"
    pd.DataFrame([person | {"occupation": "carpenter", "zipcode": "55805"}]).to_parquet(people)
    assert generate(_config(input=str(people)), tmp_path / "run", model=_model(always=True)).accepted == 0
    assert "slurs" in (tmp_path / "run/rejected/part-00000.jsonl").read_text()
