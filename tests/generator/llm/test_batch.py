"""A run through batch files equals a run at an endpoint."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from census_personas.generator.cli.batch import export, import_
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.llm.batch import BatchResults
from census_personas.generator.population.population import Population
from census_personas.generator.session import generate

ROWS = 6
Server = Callable[..., Any]


@pytest.fixture(autouse=True)
def _loaded_once(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "load", lambda _: population)


def settings(server: Any, folder: Path) -> Path:
    """A config for the server, as a file."""
    values = {
        "name": "batched",
        "rows": ROWS,
        "llm": {"backend": "openai", "model": server.model, "base_url": server.base_url},
        "output": {"shard_rows": 2},
        "runtime": {"progress": "off"},
    }
    path = folder / "run.yaml"
    path.write_text(json.dumps(values))
    return path


def answered(requests: Path, results: Path, server: Any, *, fails: str = "never") -> int:
    """What a batch service does: ask every request, write what came back in another order."""
    lines = []
    for line in map(json.loads, requests.read_text().splitlines()):
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        assert len(line["custom_id"]) <= 64
        asked = urllib.request.Request(
            f"{server.base_url}/chat/completions",
            json.dumps(line["body"]).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            response: dict[str, Any] | None = {
                "status_code": 200,
                "request_id": "r",
                "body": json.load(answer),
            }
        error = None
        if fails in line["custom_id"]:
            response, error = None, {"code": "batch_expired", "message": "too late"}
        lines.append({"id": "b", "custom_id": line["custom_id"], "response": response, "error": error})
    results.write_text("".join(json.dumps(line) + "\n" for line in reversed(lines)))
    return len(lines)


def shards(folder: Path) -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "personas").iterdir()}


def state(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


@pytest.mark.parametrize("faults", [(), ("--fault", "wrong_age=0.3", "--fault", "bad_json=0.2")])
def test_batches_equal_a_served_run(tmp_path: Path, chat_server: Server, faults: tuple[str, ...]) -> None:
    server = chat_server(*faults)
    config, requests, results = settings(server, tmp_path), tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    run, stages = tmp_path / "run", []
    export(config, requests, folder=run, bounds=True)
    while stages[-1:] != [0] and len(stages) < 20:
        stages.append(answered(requests, results, server))
        import_(run, results)
        export(run, requests, bounds=True)
    assert stages[:2] == [ROWS, ROWS] if not faults else len(stages) > 3
    assert state(run)["state"] == "complete"
    generate(Config.model_validate(json.loads(config.read_text())), tmp_path / "served")
    assert shards(run) == shards(tmp_path / "served")
    assert state(run)["endpoint"] == {"batch_answers": sum(stages)}


def test_unmatched_answers_are_named(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = chat_server()
    run, results = tmp_path / "run", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), tmp_path / "out.jsonl", folder=run)
    results.write_text('{"custom_id": "9-attributes-aa", "response": null}\n')
    with pytest.raises(typer.Exit) as ended:
        import_(run, results)
    assert ended.value.exit_code == 1
    assert "1 answers match no pending request (9-attributes-aa)" in capsys.readouterr().err


def test_id_with_the_key_is_not_shown(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-Zq7SECRETxyzzy/+=0123456789abc"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    run, results = tmp_path / "run", tmp_path / "in.jsonl"
    export(settings(chat_server(), tmp_path), tmp_path / "out.jsonl", folder=run)
    results.write_text(json.dumps({"custom_id": f"x {key}", "response": None}) + "\n")
    with pytest.raises(typer.Exit):
        import_(run, results)
    shown = "".join(capsys.readouterr())
    assert key[:12] not in shown
    assert "answers match no pending request" in shown


def test_other_runs_and_repeats_differ(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = chat_server()
    config, requests, results = settings(server, tmp_path), tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    run, wrong = tmp_path / "run", tmp_path / "wrong.jsonl"
    export(config, tmp_path / "other.jsonl", folder=tmp_path / "other", overrides=["seed=5"])
    answered(tmp_path / "other.jsonl", wrong, server)
    export(config, requests, folder=run)
    while answered(requests, results, server):
        import_(run, results)
        export(run, requests)
        if not requests.read_text():
            break
    capsys.readouterr()
    import_(run, results)
    with pytest.raises(typer.Exit) as ended:
        import_(run, wrong)
    assert ended.value.exit_code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"personas: {wrong}: 6 answers match no pending request")
    assert (
        "they are from another run or model; give the answers to the requests that were exported from" in last
    )


def test_byte_order_mark_and_cut_line_are_tolerated(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = chat_server()
    requests, results = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), requests, folder=tmp_path / "run")
    answered(requests, results, server)
    results.write_bytes(b"\xef\xbb\xbf" + results.read_bytes()[:-40])
    import_(tmp_path / "run", results)
    said = capsys.readouterr()
    assert "5 of 5 answers used" in said.out
    assert "in.jsonl: begins with a byte order mark, which was ignored" in said.err
    assert "in.jsonl: line 6 is cut off and was skipped; its request is exported again" in said.err


def test_answers_are_not_overwritten(tmp_path: Path, chat_server: Server) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"custom_id": "0-attributes-aa", "response": {}}\n')
    with pytest.raises(ConfigError, match=r"answers\.jsonl: exists and holds no requests; move it away"):
        export(settings(chat_server(), tmp_path), answers, folder=tmp_path / "run")
    assert answers.read_text().startswith('{"custom_id": "0-')


def test_export_is_repeatable(tmp_path: Path, chat_server: Server) -> None:
    server = chat_server()
    config = settings(server, tmp_path)
    export(config, tmp_path / "one.jsonl", folder=tmp_path / "run")
    export(tmp_path / "run", tmp_path / "other.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "other.jsonl").read_bytes()
    assert server.stats().get("requests", 0) == 0
    bodies = [json.loads(line)["body"] for line in (tmp_path / "one.jsonl").read_text().splitlines()]
    assert {body["model"] for body in bodies} == {server.model}
    assert not any("minLength" in json.dumps(body) for body in bodies)


def test_failed_answers_are_exported_again(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server = chat_server()
    requests, results = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), requests, folder=tmp_path / "run", most=4)
    assert len(requests.read_text().splitlines()) == 4
    answered(requests, results, server, fails="2-attributes")
    import_(tmp_path / "run", results, ["runtime.progress=plain"])
    said = capsys.readouterr()
    assert said.err.startswith("0 of 6 rows, 0.0 rows/s, 6 waiting\n")
    assert "0 rows; 3 of 4 answers used" in said.out
    assert "1 requests failed" in said.err
    assert "rows wait for the next batch" in said.err
    export(tmp_path / "run", requests)
    waiting = [json.loads(line)["custom_id"].rsplit("-", 1)[0] for line in requests.read_text().splitlines()]
    assert waiting == [
        "0-personas",
        "1-personas",
        "2-attributes",
        "3-personas",
        "4-attributes",
        "5-attributes",
    ]


def test_answers_to_other_prompts_are_unused(tmp_path: Path, chat_server: Server) -> None:
    server = chat_server()
    requests, results = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), requests, folder=tmp_path / "run")
    answered(requests, results, server)
    other = ["seed=5"]
    export(tmp_path / "run.yaml", requests, folder=tmp_path / "other", overrides=other)
    with pytest.raises(typer.Exit):
        import_(tmp_path / "other", results)
    assert state(tmp_path / "other")["endpoint"] == {"batch_answers": 0}


def test_misshapen_answers_count_as_failed(tmp_path: Path, chat_server: Server) -> None:
    server = chat_server()
    requests, results = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), requests, folder=tmp_path / "run")
    asked = [json.loads(line)["custom_id"] for line in requests.read_text().splitlines()]
    shapes: list[Any] = [[1], "x", {"body": [1]}, {"body": {"choices": [1]}}, {"status_code": "200"}]
    shapes += [{"body": {"choices": [{"message": "x"}], "usage": {"prompt_tokens": "x"}}}]
    lines = [{"custom_id": name, "response": shape} for name, shape in zip(asked, shapes, strict=True)]
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    import_(tmp_path / "run", results)
    assert state(tmp_path / "run")["accepted"] == 0
    assert state(tmp_path / "run")["endpoint"] == {"batch_answers": 1}
    export(tmp_path / "run", requests)
    names = [json.loads(line)["custom_id"] for line in requests.read_text().splitlines()]
    assert names[:5] == asked[:5]
    assert len(names) == ROWS


def test_bad_answer_costs_only_its_row(tmp_path: Path, chat_server: Server) -> None:
    server = chat_server()
    requests, results = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    export(settings(server, tmp_path), requests, folder=tmp_path / "run")
    answered(requests, results, server)
    sound = results.read_text().splitlines()
    asked = [json.loads(line)["custom_id"] for line in sound]
    deep, text = "[" * 100_000, json.dumps('{"cultural_background": "\\ud800"}')
    bodies = [
        f'{{"choices": {deep}',
        f'{{"choices": [{{"message": {{"content": {text}}}}}]}}',
        '{"choices": [{"message": {"content": "\\ud800 {"}}]}',
        '{"choices": [{"message": {"content": 7}, "finish_reason": [1]}], "usage": {"prompt_tokens": 1e400}}',
        '{"choices": [{"message": {"content": "' + "<think>" * 10_000 + '"}}]}',
    ]
    lines = [
        f'{{"custom_id": "{name}", "response": {{"status_code": 200, "body": {body}}}}}'
        for name, body in zip(asked, bodies, strict=False)
    ]
    results.write_text("\n".join([*lines, *sound[len(lines) :]]) + "\n")
    import_(tmp_path / "run", results)
    assert state(tmp_path / "run")["endpoint"] == {"batch_answers": 5}
    export(tmp_path / "run", requests)
    again = [json.loads(line)["custom_id"] for line in requests.read_text().splitlines()]
    assert len(again) == ROWS
    assert asked[0] in again


def test_other_files_are_refused(tmp_path: Path, chat_server: Server) -> None:
    config = Config.model_validate(json.loads(settings(chat_server(), tmp_path).read_text()))
    (tmp_path / "in.jsonl").write_text('{"custom_id": "1"}\n[]\n')
    with pytest.raises(ConfigError, match=r"in\.jsonl:2: not a batch result"):
        BatchResults(config.llm, tmp_path / "in.jsonl")
    with pytest.raises(ConfigError, match="cannot be read"):
        BatchResults(config.llm, tmp_path / "absent.jsonl")
    with pytest.raises(ConfigError, match="has no batches"):
        BatchResults(Config().llm, tmp_path / "in.jsonl")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fault=prose=1",), "answers could be read: no JSON object in the answer"),
        (
            ("--thinks-in=reasoning",),
            "its text stands in the message's reasoning, not in content; turn thinking off",
        ),
    ],
)
def test_unreadable_batch_fails_with_a_reason(
    tmp_path: Path,
    chat_server: Server,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    said: str,
) -> None:
    server, folder = chat_server(*options), tmp_path / "run"
    requests, results = tmp_path / "ask.jsonl", tmp_path / "results.jsonl"
    export(settings(server, tmp_path), requests, folder)
    answered(requests, results, server)
    with pytest.raises(typer.Exit):
        import_(folder, results)
    assert said in capsys.readouterr().err


def test_error_messages_are_shown(
    tmp_path: Path, chat_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server, folder = chat_server(), tmp_path / "run"
    requests, results = tmp_path / "ask.jsonl", tmp_path / "results.jsonl"
    export(settings(server, tmp_path), requests, folder)
    answered(requests, results, server, fails="-attributes-")
    with pytest.raises(typer.Exit):
        import_(folder, results)
    assert "6 requests failed and will be exported again; the first: 'too late'" in capsys.readouterr().err
