"""Options of endpoints through the whole command: requests, files, and a session with a deadline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway import completion, gateway

CONFIG = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
TOKEN = "tok-hunter2-0123456789abcdef"
LITERAL = "lit-hunter2-0123456789abcdef"
Server = Callable[..., Any]


def words(command: str, config: Path, *changes: str) -> list[object]:
    return [command, config, *(word for change in changes for word in ("--set", change))]


def served(folder: Path, url: str, *more: str) -> Path:
    """A config whose headers name a variable, and hold a secret of their own."""
    file = folder / "run.yaml"
    lines = [
        "llm:",
        "  backend: openai",
        "  model: test-narrator",
        f"  endpoints: [{{base_url: '{url}', api_key_env: GATEWAY_KEY}}]",
        "  headers: {X-Gateway: 'Token ${GATEWAY_TOKEN}', X-Other: " + LITERAL + "}",
        "  top_k: 40",
        "  chat_template_kwargs: {enable_thinking: false}",
        "  extra_body: {provider: {order: [a]}}",
        *more,
        "output: {shard_rows: 4}",
        "runtime: {progress: off}",
    ]
    file.write_text("\n".join(lines))
    return file


@pytest.mark.parametrize("transport", ["openai", "lean"])
def test_header_values_are_not_written(
    tmp_path: Path, chat_server: Server, command: Any, transport: str
) -> None:
    upstream = chat_server()
    needs = {
        "X-Gateway": f"Token {TOKEN}",
        "X-Other": LITERAL,
        "Authorization": "Bearer key-hunter2-0123456789",
    }
    env = {"GATEWAY_TOKEN": TOKEN, "GATEWAY_KEY": "key-hunter2-0123456789"}
    with gateway(upstream=upstream.base_url, needs=needs) as server:
        config = served(tmp_path, server.url, f"  transport: {transport}")
        run = [*words("generate", config), "-o", tmp_path / "run", "-n", 4]
        code, said = command.run(*run, env={"GATEWAY_KEY": env["GATEWAY_KEY"]})
        assert (code, server.bodies) == (2, [])
        assert "names the environment variable GATEWAY_TOKEN, which is not set" in said
        assert not (tmp_path / "run").exists()
        code, said = command.run(*run, env=env)
    assert code == 0, said
    assert all(body["top_k"] == 40 and body["provider"] == {"order": ["a"]} for body in server.bodies)
    assert all(body["chat_template_kwargs"] == {"enable_thinking": False} for body in server.bodies)
    written = b"".join(file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file())
    assert b"hunter2" not in written + said.encode()
    assert b"Token ${GATEWAY_TOKEN}" in written
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["identity"]["llm"]["top_k"] == 40
    assert "headers" not in manifest["identity"]["llm"]


def test_check_shows_requests_without_secrets(tmp_path: Path, chat_server: Server, command: Any) -> None:
    upstream = chat_server()
    with gateway(upstream=upstream.base_url) as server:
        config = served(tmp_path, server.url)
        code, said = command.run(*words("check", config), env={"GATEWAY_TOKEN": TOKEN})
    assert code == 0, said
    assert "hunter2" not in said
    assert f"endpoint: {server.url}, key from GATEWAY_KEY (not set), headers X-Gateway, X-Other" in said
    assert 'provider={"order": ["a"]}, top_k=40, chat_template_kwargs={"enable_thinking": false}' in said


def test_check_names_the_cost_of_thoughts(tmp_path: Path, command: Any) -> None:
    with gateway(lambda _: completion({"content": "<think>and then {I would"})) as server:
        config = served(tmp_path, server.url, "  structured_output: json_schema")
        code, said = command.run(*words("check", config), env={"GATEWAY_TOKEN": TOKEN})
    assert code == 1
    assert "its text stands in the message's reasoning, not in content" in said
    assert "llm.chat_template_kwargs.enable_thinking=false" in said


def rows(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "personas").glob("*.parquet")}


def test_deadline_keeps_all_paid_answers(tmp_path: Path, chat_server: Server, command: Any) -> None:
    server = chat_server("--latency", "1.0")
    settings = (
        f"llm.model={server.model}", f"llm.base_url={server.base_url}", "llm.concurrency=2", "output.shard_rows=4",
        "runtime.progress=off",
    )  # fmt: skip
    run = [*words("generate", CONFIG, *settings), "-n", 8]
    began = time.monotonic()
    code, said = command.run(*run, "-o", tmp_path / "run", "--deadline", "4s")
    assert code == 124, said
    assert time.monotonic() - began < 60
    assert "rows are missing (stopped); the same command tries them again" in said
    assert json.loads((tmp_path / "run/manifest.json").read_text())["state"] == "stopped"
    paid = sum(file.read_bytes().count(b"\n") for file in (tmp_path / "run").glob("journal/*/answers.jsonl"))
    assert paid == server.stats()["requests"] - 2, "an answer that was paid for is kept"
    assert 0 < paid < 16
    code, said = command.run(*run, "-o", tmp_path / "run", "--deadline", "1h")
    assert code == 0, said
    assert server.stats()["requests"] == 16 + 2 + 1, "no answer is paid for twice"
    fast = chat_server()
    whole = [
        *words("generate", CONFIG, *settings, f"llm.base_url={fast.base_url}"),
        "-n",
        8,
        "-o",
        tmp_path / "whole",
    ]
    assert command.run(*whole)[0] == 0
    assert rows(tmp_path / "run") == rows(tmp_path / "whole")


@pytest.mark.parametrize("text", ["0", "soon", "2h3", "-1", "12d"])
def test_invalid_deadline_is_refused(tmp_path: Path, command: Any, text: str) -> None:
    code, said = command.run(
        "generate", CONFIG, "-o", tmp_path / "run", f"--deadline={text}", "--set", "llm.backend=offline"
    )
    assert code == 2
    assert f"--deadline {text}: write a time such as 90s, 30m, 2h or 1d12h" in said


@pytest.mark.parametrize("transport", ["openai", "lean"])
def test_socks_proxy_is_refused_in_one_line(tmp_path: Path, command: Any, transport: str) -> None:
    line = words(
        "generate", CONFIG, "llm.model=m", f"llm.transport={transport}", "llm.base_url=http://a.test/v1"
    )
    env = {"ALL_PROXY": "socks5://me:hunter2-pass@127.0.0.1:1080", "HTTP_PROXY": "", "http_proxy": ""}
    code, said = command.run(*line, "-o", tmp_path / "run", env=env)
    assert (code, len(said.splitlines())) == (2, 1)
    assert "ALL_PROXY: a SOCKS proxy (socks5) is not supported; name an HTTP proxy" in said
    assert "hunter2" not in said
    assert not (tmp_path / "run").exists()
