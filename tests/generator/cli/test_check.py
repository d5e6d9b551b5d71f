"""`personas check` against servers with which a run would fail, or nearly so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).parents[3] / "configs/vllm-mistral-nemo.yaml"
STRICT = "llm.structured_output=json_schema"

Personas = Callable[..., tuple[int, str, str]]
Server = Callable[..., Any]


def words(server: Any, *changes: str) -> list[object]:
    settings = [
        f"llm.model={server.model}",
        f"llm.base_url={server.base_url}",
        "llm.pace_by=latency",
        *changes,
    ]
    return ["check", CONFIG, *[word for setting in settings for word in ("--set", setting)]]


def test_good_endpoint_shows_tokens_and_cost(personas: Personas, chat_server: Server) -> None:
    server = chat_server("--context", "8192")
    priced = ("llm.price_prompt=1", "llm.price_completion=2")
    code, out, err = personas(*words(server, *priced), "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)["trial"]
    assert [(e["call"], e["finish_reason"]) for e in said["exchanges"]] == [
        ("attributes", "stop"),
        ("personas", "stop"),
    ]
    assert (said["accepted"], said["context"], said["faults"], said["notes"]) == (True, 8192, [], [])
    assert said["endpoint"]["structured_output"] == "json_schema"
    one = sum(exchange["prompt_tokens"] for exchange in said["exchanges"])
    assert said["prompt_tokens"] == 1000 * one > 0
    assert said["cost"] == pytest.approx(
        (said["prompt_tokens"] + 2 * said["completion_tokens"]) / 1e6, abs=0.01
    )
    code, out, _ = personas(*words(server, *priced))
    assert code == 0
    assert f"1000 rows like it: {said['prompt_tokens']} prompt and" in out
    assert f"cost {said['cost']}" in out


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        (("--thinks-in=reasoning_content",), (), "writes its answers into the message's reasoning"),
        (("--thinks-in=reasoning",), (STRICT,), "its text stands in the message's reasoning, not in content; turn"),
        (("--understands=none",), (STRICT,), "no JSON object in the answer ('hello'); check that the endpoint honours"),
        (("--fault=prose=1",), (), "no JSON object in the answer ('I would rather describe"),
        (("--fault=refusal=1",), (STRICT,), "the answer is empty: the model refused"),
        (("--fault=length=1",), (STRICT, "llm.max_tokens=128"), "it was cut off at the token limit; raise llm.max_"),
        (("--context=3000",), (), "maximum context length is 3000 tokens"),
        (("--context=3500",), (STRICT,), "lower llm.max_tokens (now 2048) or serve a longer context"),
        (("--system=dropped",), (), "silently drops system messages"),
    ],
)  # fmt: skip
def test_fatal_fault_is_found(
    personas: Personas,
    chat_server: Server,
    one_line: Callable[[str], str],
    options: tuple[str, ...],
    changes: tuple[str, ...],
    said: str,
) -> None:
    code, _, err = personas(*words(chat_server(*options), *changes))
    assert code == 1
    assert said in one_line(err)


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        (("--system=refused",), (), "takes no system message: its text goes in front"),
        (("--system=refused",), (STRICT,), "takes no system message: its text goes in front"),
        (("--system=broken",), (), "takes no system message: its text goes in front"),
        (("--understands=none",), (), "the endpoint enforces no JSON schema (prompt)"),
        (("--refuses=seed,temperature",), (STRICT,), "the endpoint refuses seed, temperature; requests"),
        (("--fault=length=1",), (STRICT, "llm.max_tokens=600"), "was cut off at llm.max_tokens=600, requested again"),
    ],
)  # fmt: skip
def test_tolerable_fault_is_a_note(
    personas: Personas, chat_server: Server, options: tuple[str, ...], changes: tuple[str, ...], said: str
) -> None:
    code, out, err = personas(*words(chat_server(*options), *changes))
    assert (code, err) == (0, "")
    assert said in out
    assert "row 0: accepted" in out


def test_missing_endpoint_is_named(
    personas: Personas, chat_server: Server, one_line: Callable[[str], str]
) -> None:
    server = chat_server()
    server.kill()
    code, _, err = personas(*words(server))
    assert code == 1
    assert "is a server running at" in one_line(err)
