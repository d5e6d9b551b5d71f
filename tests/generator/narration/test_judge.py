"""The judge scores some records for the report and changes none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas.generator.config.config_file import parse
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.llm.chat import ChatRequest, Completion, EndpointError, LLMError, RequestError
from census_personas.generator.narration.judge import Judge, summary
from census_personas.generator.population.population import Population
from census_personas.generator.session import generate
from census_personas.prompts.template import PromptSet

GOOD = {"coherence": 4, "specificity": "3", "stereotype": 5, "rationale": "It fits the facts, word for word."}
Server = Callable[..., Any]


@pytest.fixture
def told(prompts: PromptSet) -> dict[str, Any]:
    """Facts of a row, and a text."""
    facts: dict[str, Any] = {**prompts.words("sample"), "row": 7, "uuid": "u7"}
    return {**facts, "persona": "Ruth Castellano gardens."}


def judge(prompts: PromptSet, share: float = 1.0) -> Judge:
    llm = {"backend": "openai", "model": "m"}
    return Judge(prompts.templates["judge"], Config.model_validate({"llm": llm, "judge": {"share": share}}))


async def verdict(prompts: PromptSet, told: dict[str, Any], says: Any) -> Any:
    asked: list[ChatRequest] = []

    async def complete(request: ChatRequest) -> Completion:
        asked.append(request)
        if isinstance(says, LLMError):
            raise says
        return Completion(json.dumps(says), "m", "stop")

    found = await judge(prompts).of(told, 1, complete)
    assert "- persona: Ruth Castellano gardens." in asked[0].messages[1]["content"]
    assert asked[0].schema["properties"]["coherence"]["enum"] == [1, 2, 3, 4, 5]
    return found


async def test_verdict_has_scores_and_a_rationale(prompts: PromptSet, told: dict[str, Any]) -> None:
    assert await verdict(prompts, told, GOOD) == {"row": 7, "uuid": "u7", **GOOD, "specificity": 3}


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({**GOOD, "coherence": 6}, "coherence: is 6; write 1 to 5"),
        ({**GOOD, "stereotype": True}, "stereotype: is not a score; write a whole number"),
        ({"coherence": 4}, "specificity: is missing"),
        ("I would rather not", "no JSON object"),
        (RequestError("context too long"), "context too long"),
    ],
)
async def test_unreadable_answer_is_not_judged(
    prompts: PromptSet, told: dict[str, Any], says: Any, why: str
) -> None:
    found = await verdict(prompts, told, says)
    assert set(found) == {"row", "uuid", "not_judged"}
    assert why in found["not_judged"]


async def test_missing_endpoint_is_an_error(prompts: PromptSet, told: dict[str, Any]) -> None:
    with pytest.raises(EndpointError, match="gone"):
        await verdict(prompts, told, EndpointError("gone"))


def test_share_is_drawn_row_by_row(prompts: PromptSet) -> None:
    some, more = (judge(prompts, share) for share in (0.1, 0.4))
    heard = {row for row in range(3000) if some.hears(row)}
    assert 230 < len(heard) < 370
    assert all(more.hears(row) for row in heard)
    assert not any(judge(prompts, 0).hears(row) for row in range(50))


def test_summary_shows_the_lowest_first() -> None:
    heard = [
        {"row": row, "uuid": f"u{row}", "coherence": score, "rationale": "r"}
        for row, score in enumerate((5, 2, 5))
    ]
    told = summary([*heard, {"row": 3, "uuid": "u3", "not_judged": "empty"}])
    assert (told["rows"], told["not_judged"]) == (3, 1)
    assert told["scores"] == {"coherence": {"mean": 4.0, "counts": {"2": 1, "5": 2}}}
    assert [each["uuid"] for each in told["lowest"]] == ["u1", "u0", "u2"]
    assert summary([]) == {"rows": 0, "not_judged": 0, "scores": {}, "lowest": []}


def test_judged_run_has_the_same_records(
    tmp_path: Path, chat_server: Server, population: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)
    server = chat_server()
    llm = {"backend": "openai", "model": server.model, "base_url": server.base_url}
    plain = Config.model_validate({"rows": 12, "llm": llm, "output": {"shard_rows": 5}})
    judged = Config.model_validate({**plain.model_dump(by_alias=True), "judge": {"share": 0.5}})
    assert (
        generate(plain, tmp_path / "plain").state == generate(judged, tmp_path / "judged").state == "complete"
    )
    records = [pd.read_parquet(tmp_path / name / "personas") for name in ("plain", "judged")]
    pd.testing.assert_frame_equal(*records)
    report = json.loads((tmp_path / "judged/report.json").read_text())["judge"]
    lines = [
        line for file in (tmp_path / "judged/judged").iterdir() for line in file.read_text().splitlines()
    ]
    assert 1 <= report["rows"] == len(lines) < 12
    assert set(report["scores"]) == {"coherence", "specificity", "stereotype"}
    assert "records in a second reading" in (tmp_path / "judged/report.html").read_text()
    assert not (tmp_path / "plain/judged").exists()
    before = server.stats()["requests"]
    assert generate(judged, tmp_path / "judged").state == "complete"
    assert server.stats()["requests"] == before
    with pytest.raises(ConfigError, match=r"judge\.share"):
        generate(plain, tmp_path / "judged")


def test_offline_narrator_judges_nobody() -> None:
    with pytest.raises(ConfigError, match=r"judge\.share=0\.1 needs a model"):
        parse("judge: {share: 0.1}", "run.yaml")
