"""Tokens, time and cost of a run are estimated from a few narrated rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from census_personas.generator.cli.preview_estimate import estimate
from census_personas.generator.population.population import Population

CONFIGS = Path(__file__).parents[3] / "configs"
Server = Callable[..., Any]


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


def test_sample_is_scaled_to_the_rows(
    chat_server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = chat_server("--latency", "0.5")
    settings = {
        "llm.base_url": server.base_url,
        "llm.model": server.model,
        "rows": 1000,
        "llm.concurrency": 50,
    }
    prices = {"llm.price_prompt": 2.0, "llm.price_completion": 8.0}
    overrides = [f"{key}={value}" for key, value in (settings | prices).items()]
    estimate(CONFIGS / "vllm-mistral-nemo.yaml", sample=4, overrides=overrides, as_json=True)
    told = json.loads(capsys.readouterr().out)
    asked = server.stats()
    assert (told["rows"], told["sampled"], told["accepted"]) == (1000, 4, 4)
    # The probe's tokens are few beside those of eight answers.
    assert told["prompt_tokens"] == pytest.approx(asked["prompt_tokens"] * 250, rel=0.05)
    assert told["completion_tokens"] == pytest.approx(asked["completion_tokens"] * 250, rel=0.05)
    assert told["cost"] == pytest.approx(
        (told["prompt_tokens"] * 2 + told["completion_tokens"] * 8) / 1e6, abs=0.01
    )
    # Twenty times fifty rows, two calls each; a busy machine adds to it, the probe and what is loaded once do not.
    assert 20 * 2 * 0.5 <= told["hours"] * 3600 + 0.2 < 20 * 2 * 0.5 * 4
    assert list(tmp_path.iterdir()) == []


def test_offline_narrator_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    estimate(CONFIGS / "quickstart.yaml", sample=3)
    told = capsys.readouterr().out
    assert "3 of 3 rows accepted; for 200 rows:" in told
    assert "0 prompt and 0 completion tokens" in told
    assert "cost 0" in told


def test_tokens_are_assumed_without_an_endpoint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    overrides = ["llm.base_url=http://127.0.0.1:9/v1", "llm.price_completion=2", "rows=1000"]
    estimate(CONFIGS / "vllm-mistral-nemo.yaml", sample=3, overrides=overrides, as_json=True)
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert "http://127.0.0.1:9/v1: nobody listens there; time is not estimated" in said.err
    assert (told["basis"], told["sampled"], told["accepted"], told["hours"]) == ("assumed", 3, None, None)
    # A row's two prompts have some thousand tokens, its eleven texts about as many.
    assert 1e6 < told["prompt_tokens"] < 1e7
    assert 5e5 < told["completion_tokens"] < 3e6
    assert told["cost"] == pytest.approx(told["completion_tokens"] * 2 / 1e6, abs=0.01)


def test_assumptions_are_stated(capsys: pytest.CaptureFixture[str]) -> None:
    estimate(CONFIGS / "vllm-mistral-nemo.yaml", sample=2, overrides=["llm.base_url=http://127.0.0.1:9/v1"])
    told = capsys.readouterr().out
    assert "4 characters per token" in told
    assert "hours" not in told
    assert "no cost: set llm.price_prompt" in told
