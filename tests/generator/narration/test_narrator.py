"""A row becomes a persona or is rejected with reasons; facts never change, answers are never paid for twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion, EndpointError
from census_personas.generator.llm.request_key import request_key
from census_personas.generator.llm.scripted import ScriptedModel
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.check_batcher import CheckBatcher
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.narration.journal import Journal
from census_personas.generator.narration.narrator import Narrated, Narrator
from census_personas.prompts.template import PromptSet
from census_personas.validators.finding import Finding
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker

Server = Callable[..., Any]


def nothing(_: Mapping[str, Any]) -> Iterable[Finding]:
    return ()


def one_by_one(check: Callable[[Mapping[str, Any]], Iterable[Finding]]) -> CheckBatcher:
    return CheckBatcher(lambda records: [tuple(check(record)) for record in records])


def good(request: ChatRequest) -> str:
    """Texts of the right shape for whatever the schema asks."""
    values: dict[str, Any] = {}
    for name, spec in request.schema["properties"].items():
        filler = f"{request.facts['first_name']} {request.facts['last_name']} and {name} in words and " * 20
        values[name] = (
            filler[: spec["minLength"] + 20] if spec["type"] == "string" else ["one", "two", "three", "four"]
        )
    return json.dumps(values)


@pytest.fixture
def narrator(priors: Priors, prompts: PromptSet) -> Callable[..., Narrator]:
    def make(model: ChatModel, check: Any = nothing, **more: Any) -> Narrator:
        settings = Config.model_validate(
            {name: more.pop(name) for name in ("validation", "seed", "prompts") if name in more}
        )
        return Narrator(model, prompts, FactSheet(priors, prompts), one_by_one(check), settings, **more)

    return make


def complains(field: str, code: str = "rule", times: int = 1_000, severity: Any = "error") -> Any:
    """A check that finds fault with one field, `times` times, once it is written."""
    left = [times]

    def check(record: Mapping[str, Any]) -> Iterable[Finding]:
        if field in record and left[0] > 0:
            left[0] -= 1
            yield Finding(code, severity, field, "is not right", "these words")

    return check


async def test_two_calls_make_a_record(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], prompts: PromptSet
) -> None:
    model = ScriptedModel(good)
    done = await narrator(model).narrate(nurse)
    assert done.accepted
    assert [request.schema_name for request in model.requests] == ["attributes", "personas"]
    assert nurse.items() <= done.record.items()
    assert (done.record["model"], done.record["attempts"], done.record["flags"]) == ("scripted", 1, [])
    assert done.record["prompt_digest"] == prompts.digest
    assert (done.prompt_tokens, done.completion_tokens) == (20, 40)


async def test_row_does_not_depend_on_earlier_rows(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    alone, after = ScriptedModel(good), ScriptedModel(good)
    await narrator(alone).narrate(nurse)
    both = narrator(after)
    await both.narrate(nurse | {"row": nurse["row"] + 1})
    await both.narrate(nurse)
    assert [request.messages for request in after.requests[2:]] == [r.messages for r in alone.requests]
    assert after.requests[0].messages != alone.requests[0].messages


async def test_second_call_sees_the_first_answer(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    done = await narrator(model).narrate(nurse)
    assert done.record["cultural_background"] in model.requests[1].messages[2]["content"]


async def test_second_call_repeats_the_first_exactly(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(lambda request: good(request).replace(": ", ":  "))
    await narrator(model).narrate(nurse)
    first, second = (request.messages for request in model.requests)
    assert second[:2] == first
    answer = second[2]
    assert answer == {"role": "assistant", "content": good(model.requests[0]).replace(": ", ":  ")}
    assert second[3]["role"] == "user"
    assert "Facts" not in second[3]["content"]


async def test_requests_can_stand_alone(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    model = ScriptedModel(good)
    check = complains("skills_and_expertise_list", times=1)
    done = await narrator(model, check, prompts={"continue": False}).narrate(nurse)
    assert done.accepted
    assert [[m["role"] for m in request.messages] for request in model.requests] == [["system", "user"]] * 3
    _, repair, second = (request.messages[1]["content"] for request in model.requests)
    assert done.record["skills_and_expertise"] in repair
    assert "- skills_and_expertise_list: one" not in repair
    assert done.record["cultural_background"] in second


async def test_repair_shows_only_what_stays(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    def says(request: ChatRequest) -> str:
        return json.dumps(json.loads(good(request)) | {"skills_and_expertise_list": ["OLD", "ITEMS", "HERE"]})

    model = ScriptedModel(says)
    done = await narrator(model, complains("skills_and_expertise_list", times=1)).narrate(nurse)
    first, repair = model.requests[:2]
    assert repair.schema["required"] == ["skills_and_expertise_list"]
    assert repair.messages[:2] == first.messages
    shown = str(repair.messages)
    assert done.record["skills_and_expertise"] in shown
    assert "OLD" not in shown


async def test_repetitive_text_is_not_shown(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    model = ScriptedModel(good)
    await narrator(model, complains("persona", "repetition", times=1)).narrate(nurse)
    repair = str(model.requests[2].messages)
    assert "is not right" in repair
    assert "these words" not in repair


async def test_fully_repaired_call_is_left_out(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    def short(request: ChatRequest) -> str:
        values = json.loads(good(request))
        return json.dumps(
            dict.fromkeys(values, "Short.") if "Write part 2" in request.messages[-1]["content"] else values
        )

    model = ScriptedModel(short)
    assert (await narrator(model).narrate(nurse)).accepted
    assert [m["role"] for m in model.requests[2].messages] == ["system", "user", "assistant", "user"]
    assert "Write part 2" not in str(model.requests[2].messages)


async def test_mend_costs_no_request(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    def broken(request: ChatRequest) -> str:
        values = json.loads(good(request))
        text = f"{nurse['first_name']} grew up in a house by the river with four older sisters. " * 4
        return json.dumps(values | {"cultural_background": f"Ruth sings. {text}And then she al"})

    model = ScriptedModel(broken)
    done = await narrator(model, validation={"policy": {"name_present": "off"}}).narrate(nurse)
    assert done.accepted
    assert len(model.requests) == 2
    assert done.record["flags"] == ["mended"]
    assert done.record["cultural_background"].count("grew up") == 4
    assert [finding.field for finding in done.findings] == ["cultural_background"]


async def test_failing_field_is_repaired_alone(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    done = await narrator(model, complains("arts_persona", times=1)).narrate(nurse)
    assert done.accepted
    repair = model.requests[2]
    assert repair.schema["required"] == ["arts_persona"]
    assert "is not right (these words)" in repair.messages[-1]["content"]
    assert done.attempts == 1


async def test_misshapen_fields_are_repaired(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    def short(request: ChatRequest) -> str:
        values = json.loads(good(request))
        return (
            json.dumps(values | {"persona": "Short."}) if "travel_persona" in values else json.dumps(values)
        )

    model = ScriptedModel(short)
    done = await narrator(model).narrate(nurse)
    assert done.accepted
    assert model.requests[2].schema["required"] == ["persona"]
    assert "has 6 characters; write 90 to 1000" in model.requests[2].messages[-1]["content"]


async def test_answer_without_json_gets_a_new_seed(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    said = iter(["I cannot do that.", ""])
    model = ScriptedModel(lambda request: next(said, None) or good(request))
    done = await narrator(model).narrate(nurse)
    assert done.accepted
    first, second = model.requests[:2]
    assert first.messages == second.messages
    assert first.seed != second.seed


async def test_persistent_errors_reject_the_row(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    bounds = {"max_repairs": 2, "max_attempts": 3}
    done = await narrator(model, complains("persona"), validation=bounds).narrate(nurse)
    assert not done.accepted
    assert done.reasons == ("rule: persona: is not right",)
    assert done.attempts == 3
    assert len(model.requests) == 3 * (1 + 1 + 2)
    assert {name: done.record[name] for name in nurse} == nurse


async def test_every_attempt_has_its_own_seeds(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    await narrator(model, complains("persona")).narrate(nurse)
    assert len({request.seed for request in model.requests}) == len(model.requests)


async def test_remaining_attempts_can_be_used(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    scribe = narrator(model, validation={"max_attempts": 2})
    first = await scribe.narrate(nurse)
    second = await scribe.again(first)
    assert second is not None
    assert (first.attempts, second.attempts, second.accepted) == (1, 2, True)
    assert second.prompt_tokens == 2 * first.prompt_tokens
    assert {name: second.record[name] for name in nurse} == nurse
    assert len({request.seed for request in model.requests}) == len(model.requests) == 4
    assert await scribe.again(second) is None


async def test_policy_reject_skips_the_repair(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    bounds = {"policy": {"rule": "reject"}, "max_attempts": 2}
    done = await narrator(model, complains("persona"), validation=bounds).narrate(nurse)
    assert not done.accepted
    assert [request.schema_name for request in model.requests] == ["attributes", "personas"] * 2


async def test_warning_is_only_a_flag(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    model = ScriptedModel(good)
    done = await narrator(model, complains("persona", "odd", severity="warning")).narrate(nurse)
    assert done.accepted
    assert done.record["flags"] == ["odd"]
    assert len(model.requests) == 2


async def test_wrong_fact_costs_no_request(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    model = ScriptedModel(good)
    done = await narrator(model, complains("age")).narrate(nurse)
    assert not done.accepted
    assert model.requests == []
    assert done.reasons == ("rule: age: is not right",)


async def test_first_call_can_be_repaired_late(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    def check(record: Mapping[str, Any]) -> Iterable[Finding]:
        if "persona" in record and "REPAIRED" not in record["career_goals_and_ambitions"]:
            yield Finding("late", "error", "career_goals_and_ambitions", "contradicts the narrative")

    def says(request: ChatRequest) -> str:
        if request.schema["required"] == ["career_goals_and_ambitions"]:
            return json.dumps({"career_goals_and_ambitions": "REPAIRED " * 40})
        return good(request)

    done = await narrator(ScriptedModel(says), check).narrate(nurse)
    assert done.accepted
    assert "REPAIRED" in done.record["career_goals_and_ambitions"]


async def test_endpoint_error_is_raised(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    with pytest.raises(EndpointError):
        await narrator(ScriptedModel([EndpointError("gone")])).narrate(nurse)


async def test_answer_is_never_paid_for_twice(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path
) -> None:
    first, second = ScriptedModel(good), ScriptedModel([])
    with Journal(tmp_path) as journal:
        paid = await narrator(first, journal=journal).narrate(nurse)
    with Journal(tmp_path) as journal:
        replayed = await narrator(second, journal=journal).narrate(nurse)
    assert replayed == paid
    assert second.requests == []


async def test_another_seed_is_another_answer(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path
) -> None:
    first, second = ScriptedModel(good), ScriptedModel(good)
    with Journal(tmp_path) as journal:
        await narrator(first, journal=journal).narrate(nurse)
        await narrator(second, journal=journal, seed=1).narrate(nurse)
    assert len(second.requests) == 2


async def test_answer_is_on_disk_before_use(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path
) -> None:
    size = []

    def says(request: ChatRequest) -> str:
        size.append((tmp_path / "answers.jsonl").stat().st_size)
        return good(request)

    with Journal(tmp_path) as journal:
        await narrator(ScriptedModel(says), journal=journal).narrate(nurse)
    assert size[0] == 0 < size[1]


def served(server: Any, **llm: Any) -> Config:
    values = {"backend": "openai", "model": server.model, "base_url": server.base_url, "timeout_s": 10, **llm}
    return Config.model_validate({"llm": values})


@pytest.fixture(scope="module")
def reference(priors: Priors) -> RuleContext:
    """What the rules look things up in, made once: making it takes longer than any test."""
    return RuleContext(priors)


async def narrated(
    config: Config, reference: RuleContext, prompts: PromptSet, rows: list[dict[str, Any]]
) -> list[Narrated]:
    model = connect(config.llm)
    checker = RecordChecker(reference)
    sheet = FactSheet(reference.priors, prompts)
    narrator = Narrator(
        model, prompts, sheet, CheckBatcher(checker.check_together), config, policy=checker.policy
    )
    try:
        return await asyncio.gather(*(narrator.narrate(row) for row in rows))
    finally:
        await model.aclose()


async def test_real_server_and_rules_accept_all_rows(
    chat_server: Server,
    reference: RuleContext,
    prompts: PromptSet,
    nurse: dict[str, Any],
    retiree: dict[str, Any],
) -> None:
    rows = [row | {"row": i} for i in range(20) for row in (nurse, retiree)]
    done = await narrated(served(chat_server()), reference, prompts, rows)
    assert [result.reasons for result in done if not result.accepted] == []
    assert all(result.record["persona"].startswith(result.record["first_name"]) for result in done)


@pytest.mark.parametrize(
    "fault",
    ["bad_json", "refusal", "empty", "prose", "fenced", "control", "wrong_type", "missing", "wrong_age", "nameless",
     "foreign", "reasoning"],
)  # fmt: skip
async def test_bad_answers_are_repaired(
    chat_server: Server, reference: RuleContext, prompts: PromptSet, nurse: dict[str, Any], fault: str
) -> None:
    server = chat_server("--fault", f"{fault}=0.3")
    rows = [nurse | {"row": i} for i in range(12)]
    done = await narrated(served(server, structured_output="json_schema"), reference, prompts, rows)
    assert [result.reasons for result in done if not result.accepted] == []
    assert all(result.record["age"] == 47 for result in done)


async def test_random_faults_change_no_byte(
    chat_server: Server, reference: RuleContext, prompts: PromptSet, nurse: dict[str, Any]
) -> None:
    rows = [nurse | {"row": i} for i in range(60)]
    faults = [
        f"--fault={name}=0.02" for name in ("429", "500", "503", "drop", "reset", "truncate", "half_json")
    ]
    calm = await narrated(served(chat_server()), reference, prompts, rows)
    stormy = await narrated(served(chat_server(*faults), max_retries=8), reference, prompts, rows)
    assert [result.record for result in stormy] == [result.record for result in calm]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("bad_json", "no JSON object in the answer"),
        ("refusal", "the answer is empty"),
        ("prose", "no JSON object in the answer"),
        ("wrong_type", "is not a text"),
        ("missing", "is missing"),
        ("wrong_age", "stated_age"),
        ("nameless", "name_present"),
        ("foreign", "language"),
    ],
)
async def test_constant_failure_is_rejected(
    chat_server: Server,
    reference: RuleContext,
    prompts: PromptSet,
    nurse: dict[str, Any],
    fault: str,
    said: str,
) -> None:
    server = chat_server("--fault", f"{fault}=1")
    [done] = await narrated(served(server, structured_output="json_schema"), reference, prompts, [nurse])
    assert not done.accepted
    assert done.attempts == 3
    assert [reason for reason in done.reasons if said in reason]


N = 100_000
SPOILT: dict[str, Callable[[str], str]] = {
    "half a pair": lambda text: text.replace(" and ", " \\ud800 ", 1),
    "nested": lambda _: '{"a":' * N,
    "long field": lambda text: json.dumps(
        {k: v * 1000 if isinstance(v, str) else v for k, v in json.loads(text).items()}
    ),
    "long items": lambda text: json.dumps(
        {k: v if isinstance(v, str) else ["x" * N] * 4 for k, v in json.loads(text).items()}
    ),
    "thoughts": lambda text: "<think>" * N + text,
    "braces": lambda _: "{" * N,
    "control": lambda text: text.replace(" and ", "\\u0000\\u001b[31m", 1),
    "not an object": lambda text: f"[{text}]" if text else "[]",
}


@pytest.mark.parametrize("name", SPOILT)
async def test_broken_answers_are_repaired_or_rejected(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path, name: str
) -> None:
    seen: set[str] = set()

    def once(request: ChatRequest) -> str:
        if request.schema_name in seen:
            return good(request)
        seen.add(request.schema_name)
        return SPOILT[name](good(request))

    with Journal(tmp_path / "once") as journal:
        done = await narrator(ScriptedModel(once), journal=journal).narrate(nurse)
    assert done.accepted
    model = ScriptedModel(lambda request: SPOILT[name](good(request)))
    with Journal(tmp_path / "always") as journal:
        rejected = await narrator(model, journal=journal).narrate(nurse)
    # What a decoder may leave out, or what is read through, is no reason to reject.
    assert rejected.accepted == (name in {"control", "not an object", "thoughts"})
    assert rejected.accepted or all(reason.startswith("answer_shape: ") for reason in rejected.reasons)
    orjson.dumps([done.record, rejected.record, rejected.reasons])
    assert max(len(m["content"]) for request in model.requests for m in request.messages) < 64_000
    resumed = ScriptedModel(lambda _: pytest.fail("was paid for"))
    with Journal(tmp_path / "always") as journal:
        assert await narrator(resumed, journal=journal).narrate(nurse) == rejected


async def test_old_journal_entries_are_usable(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-proj-0123456789abcdef"
    monkeypatch.setenv("OPENAI_API_KEY", secret)
    asked = ScriptedModel(good)
    await narrator(asked).narrate(nurse)
    first = request_key(asked.requests[0], asked.name)
    for number, text in enumerate([*(spoil(good(asked.requests[0])) for spoil in SPOILT.values()), secret]):
        with Journal(tmp_path / str(number)) as journal:
            await journal.put(first, Completion(text, "scripted", "stop", 2**64 - 1, 2**63))
            done = await narrator(ScriptedModel(good), journal=journal).narrate(nurse)
        assert done.accepted
        assert secret not in orjson.dumps(done.record).decode()
        assert done.prompt_tokens < 1000


async def test_findings_are_shortened(narrator: Callable[..., Narrator], nurse: dict[str, Any]) -> None:
    def many(_: Mapping[str, Any]) -> Iterable[Finding]:
        return [Finding("rule", "error", "persona", f"{i} " + "m" * N, "e" * N) for i in range(200)]

    model = ScriptedModel(good)
    done = await narrator(model, many, validation={"max_attempts": 1}).narrate(nurse)
    assert not done.accepted
    assert max(len(m["content"]) for request in model.requests for m in request.messages) < 64_000
    assert "… (cut here)" in model.requests[-1].messages[-1]["content"]


async def test_overlong_fact_rejects_its_row(
    narrator: Callable[..., Narrator], nurse: dict[str, Any]
) -> None:
    model = ScriptedModel(good)
    done = await narrator(model).narrate(nurse | {"last_name": "A" * N})
    assert not done.accepted
    assert model.requests == []
    assert "message is longer than 64000 characters" in done.reasons[0]
    assert done.reasons[0].startswith("prompt: ")


@pytest.mark.parametrize("kept", [False, True])
async def test_journal_needs_messages(
    narrator: Callable[..., Narrator], nurse: dict[str, Any], tmp_path: Path, *, kept: bool
) -> None:
    model = ScriptedModel(good)
    model.needs_messages = False
    journal = Journal(tmp_path / "journal") if kept else None
    done = await narrator(model, complains("arts_persona", times=1), journal=journal).narrate(nurse)
    if journal is not None:
        journal.close()
    assert done.accepted
    assert [bool(request.messages) for request in model.requests] == [kept] * 3
    assert all(request.facts["first_name"] == nurse["first_name"] for request in model.requests)


def test_offline_narrator_needs_no_messages() -> None:
    assert not connect(Config().llm.model_copy(update={"backend": "offline"})).needs_messages
