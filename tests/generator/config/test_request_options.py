"""Request options: accepted and refused ones; only options that are set enter the fingerprint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from census_personas.generator.config.config_file import load, parse
from census_personas.generator.config.run_config import Config, ConfigError

pytestmark = pytest.mark.quick

SERVED = "llm: {backend: openai, model: m"
# Of the release before these options.
OFFLINE_BEFORE = "0595d4aff442f5d1389ae4d0ed71cecd492129e6b5eff448afa69fb0d2cc0904"
SERVED_BEFORE = "56b55ed81257192ffb8c601ff2c2a47063e41e431f9fcde1b92d842d02eae1fd"
CHANGES_ANSWERS = (
    "top_k: 40",
    "min_p: 0.05",
    "presence_penalty: 0.5",
    "frequency_penalty: -0.5",
    "repetition_penalty: 1.1",
    "stop: [END]",
    "seed: off",
    "system_role: no",
    "reasoning_effort: none",
    "chat_template_kwargs: {enable_thinking: false}",
    "extra_body: {provider: {order: [a]}}",
)
CHANGES_NOTHING = (
    "headers: {X-Team: '${TEAM}'}",
    "endpoints: [{base_url: 'http://a/v1', api_key_env: OTHER, headers: {A: b}}]",
    "client_cert: a.pem",
    "client_cert: a.pem, client_key: b.pem",
    # As usual:
    "seed: on, stop: [], system_role: auto, extra_body: {}, top_k: null, chat_template_kwargs: {}",
)


def served(*options: str) -> Config:
    return parse("".join([SERVED, *(f", {option}" for option in options), "}"]), "run.yaml")


def test_old_fingerprints_are_unchanged() -> None:
    assert parse("", "run.yaml").fingerprint() == OFFLINE_BEFORE
    assert served().fingerprint() == SERVED_BEFORE
    assert [served(option).fingerprint() for option in CHANGES_NOTHING] == [SERVED_BEFORE] * len(
        CHANGES_NOTHING
    )
    limited = parse(SERVED + "}\nruntime: {deadline_s: 60}", "run.yaml")
    assert limited.fingerprint() == SERVED_BEFORE


def test_options_change_the_fingerprint() -> None:
    runs = {served(option).fingerprint() for option in CHANGES_ANSWERS}
    assert len(runs | {SERVED_BEFORE}) == len(CHANGES_ANSWERS) + 1


def test_options_have_their_own_names() -> None:
    options = served(*CHANGES_ANSWERS).llm.options()
    assert options == {
        "provider": {"order": ["a"]},
        "top_k": 40,
        "min_p": 0.05,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "repetition_penalty": 1.1,
        "stop": ["END"],
        "reasoning_effort": "none",
        "chat_template_kwargs": {"enable_thinking": False},
        "seed": None,
    }
    assert served().llm.options() == {}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            "extra_body: {temperature: 1}",
            "llm.extra_body.temperature: is set by llm.temperature; write it there",
        ),
        ("extra_body: {top_k: 1}", "llm.extra_body.top_k: is set by llm.top_k"),
        ("extra_body: {max_completion_tokens: 1}", "is set by llm.max_tokens"),
        ("extra_body: {response_format: {type: text}}", "is set by llm.structured_output"),
        ("extra_body: {messages: []}", "is set by prompts.set"),
        ("extra_body: {stream: true}", "llm.extra_body.stream: only one whole answer in text can be read"),
        ("extra_body: {extra_body: {a: 1}}", "directly under llm.extra_body"),
        (
            "extra_body: {a: {api_key: sk-hunter2}}",
            r"llm.extra_body.a.api_key: would be written .* llm.headers",
        ),
        ("extra_body: {a: .inf}", "llm.extra_body.a: is not a number that JSON can hold"),
        ("extra_body: {a: 2001-01-01}", "llm.extra_body.a: is a date"),
        ("extra_body: [a]", "llm.extra_body: input should be a valid dictionary"),
        (
            "chat_template_kwargs: {password: sk-hunter2}",
            "llm.chat_template_kwargs.password: would be written",
        ),
        ("seed: 5", "llm.seed: is on or off"),
        ("stop: END", r"llm.stop: is a list; write \[END\]"),
        ("system_role: maybe", "llm.system_role: input should be 'auto', 'yes' or 'no', not 'maybe'"),
        (
            "headers: {Content-Type: sk-hunter2}",
            "llm.headers: Content-Type: is set automatically for each request",
        ),
        ("headers: {Proxy-Authorization: sk-hunter2}", "write user and password into HTTPS_PROXY"),
        ("headers: {a: sk-hunter2, A: sk-hunter2}", "llm.headers: A: repeats a;"),
        ("headers: {'a b': sk-hunter2}", "llm.headers: has a name that a header cannot have"),
        ('headers: {a: "sk-hunter2\\nb"}', "llm.headers: a: has a value that a header cannot have"),
        ("headers: {a: 'sk-hunter2${'}", r"llm.headers: a: names a variable in an unknown form"),
        ("headers: {a: [sk-hunter2]}", "llm.headers.a: input should be a valid string"),
        ("headers: sk-hunter2", "llm.headers: input should be a valid dictionary"),
        ("endpoints: [sk-hunter2]", r"llm.endpoints.0: input should be"),
        (
            "endpoints: [{base_url: 'http://u:sk-hunter2@a'}]",
            r"llm.endpoints.0.base_url: must be an http\(s\) URL",
        ),
        (
            "endpoints: [{base_url: 'http://a', api_key_env: sk-hunter2}]",
            "endpoints.0.api_key_env: must be the name",
        ),
        (
            "endpoints: [{base_url: 'http://a', key: sk-hunter2}]",
            r"unknown key 'llm.endpoints.0.key'; known there: api",
        ),
        (
            "endpoints: [{base_url: 'http://a'}], base_url: 'http://b'",
            "llm.endpoints and llm.base_url both say where",
        ),
        ("client_key: a.pem", "llm.client_key belongs to a certificate"),
    ],
)
def test_bad_option_is_refused(option: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        served(option)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "override",
    [
        "llm.headers.A=[sk-hunter2",
        "llm.headers.A.B.C.D=sk-hunter2",
        "llm.headers=sk-hunter2",
        "llm={headers: [sk-hunter2",
    ],
)
def test_overridden_headers_are_not_repeated(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(SERVED + "}", "run.yaml", (override,))
    assert "hunter2" not in str(raised.value)


def test_only_variable_names_are_written() -> None:
    headers = (
        "{A: '${TOKEN}', B: 'Bearer ${TOKEN}', C: sk-hunter2, D: 'sk-hunter2${TOKEN}', E: 'Basic sk-hunter2'}"
    )
    config = served(f"headers: {headers}", f"endpoints: [{{base_url: 'http://a', headers: {headers}}}]")
    written = yaml.safe_dump(config.model_dump(mode="json", by_alias=True)) + json.dumps(config.identity())
    assert "hunter2" not in written + repr(config) + str(config)
    read = parse(yaml.safe_dump(config.model_dump(mode="json", by_alias=True)), "config.yaml").llm
    assert read.headers == read.endpoints[0].headers == {"A": "${TOKEN}", "B": "Bearer ${TOKEN}"}
    assert config.llm.headers["C"] == "sk-hunter2"


def test_certificates_are_relative_to_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine.pem").touch()
    file = tmp_path / "run.yaml"
    file.write_text("llm: {client_cert: mine.pem, client_key: elsewhere.pem}")
    llm = load(file).llm
    assert (llm.client_cert, llm.client_key) == (str(tmp_path / "mine.pem"), "elsewhere.pem")


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
)
NAMES = st.from_regex(r"[b-d]{1,5}", fullmatch=True)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"x[a-z]{1,5}", fullmatch=True), JSON, max_size=4))
def test_any_json_object_is_accepted(body: dict[str, object]) -> None:
    config = Config.model_validate({"llm": {"backend": "openai", "model": "m", "extra_body": body}})
    assert config.llm.options() == body
    again = Config.model_validate(json.loads(config.model_dump_json(by_alias=True)))
    assert again.fingerprint() == config.fingerprint()
