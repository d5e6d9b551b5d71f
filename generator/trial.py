"""Trial: narrates one row to predict faults and cost of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from census_personas.foundation import event_loop
from census_personas.generator.config.run_config import Config
from census_personas.generator.estimate import cost_of
from census_personas.generator.llm.answer import THINKING_OFF, AnswerError, parse_object, remedy, unreadable
from census_personas.generator.llm.chat import ChatModel, ChatRequest, Completion, RequestError
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.narrator import Narrated
from census_personas.generator.run.resources import RunResources
from census_personas.generator.session import ready_request

# Most rows of an input that are searched for one with correct facts.
_MOST_ROWS = 64


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the row and its answer; `finish_reason` as in `Completion`."""

    call: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of narrating one row.

    Attributes:
        model: the narrator's name.
        endpoint: what the endpoint understands; empty without one.
        context: the endpoint's context length in tokens; 0 if it does not say.
        row: number of the row; None if all tried rows have wrong facts.
        exchanges: its requests, including repairs, in order.
        accepted: whether the row was accepted at its first attempt.
        reasons: why it was not.
        prompt_tokens, completion_tokens, cost: of all rows of the run, if each is like this one.
        faults: what would go wrong in the run, each with its remedy.
        notes: remarks that are not faults.
    """

    model: str
    endpoint: Mapping[str, Any]
    context: int
    row: int | None
    exchanges: tuple[Exchange, ...]
    accepted: bool
    reasons: tuple[str, ...]
    prompt_tokens: int
    completion_tokens: int
    cost: float
    faults: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Recorder:
    """`ChatModel` that records its requests and answers."""

    model: ChatModel
    passed: list[tuple[ChatRequest, Completion, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def needs_messages(self) -> bool:
        return self.model.needs_messages

    async def complete(self, request: ChatRequest) -> Completion:
        began = time.monotonic()
        answer = await self.model.complete(request)
        self.passed.append((request, answer, time.monotonic() - began))
        return answer

    def account(self) -> Mapping[str, Any]:
        return self.model.account()

    async def aclose(self) -> None:
        await self.model.aclose()


def try_row(resources: RunResources) -> Trial:
    """Narrate the first row with correct facts once, as a run would: both calls, with repairs.

    Raises:
        LLMError: the endpoint is missing, refuses the key, does not know the model or keeps failing.
    """
    return event_loop.run(partial(_try_row, resources))


async def _try_row(resources: RunResources) -> Trial:
    config = resources.config
    once = config.model_copy(update={"validation": config.validation.model_copy(update={"max_attempts": 1})})
    recorder = _Recorder(connect(config.llm, resources.grammar, list(resources.written)))
    result: Narrated | None = None
    refusal = ""
    try:
        try:
            with resources.narrator(recorder, once, None) as narrator:
                for record in first_records(resources):
                    result = await narrator.narrate(record)
                    if recorder.passed:
                        break
        except RequestError as error:
            refusal = str(error)
        context = await getattr(recorder.model, "context", _unknown)()
        drops = config.llm.backend != "offline" and not refusal and await _drops_system(recorder.model)
    finally:
        await recorder.aclose()
    trial = _trial(config, recorder, context, result, refusal)
    return replace(trial, faults=(*trial.faults, _DROPS_SYSTEM)) if drops else trial


_DROPS_SYSTEM = (
    "the chat template silently drops system messages, and with them the rules of the prompts; serve the model "
    "with another template (vLLM: --chat-template)"
)


async def _drops_system(model: ChatModel) -> bool:
    """Return whether a prompt has as many tokens with a system message as without, by the endpoint's own count."""
    request = ready_request()
    _, *others = request.messages
    try:
        whole = await model.complete(request)
        bare = await model.complete(replace(request, messages=tuple(others)))
    except RequestError:
        return False
    return 0 < whole.prompt_tokens <= bare.prompt_tokens


async def _unknown() -> int:
    return 0


def first_records(resources: RunResources) -> list[dict[str, Any]]:
    """Return the first row of a sample, or the first rows of an input, of which some may have wrong facts."""
    rows = resources.sample(min(_MOST_ROWS if resources.input is not None else 1, resources.config.rows))
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _trial(config: Config, recorder: _Recorder, context: int, result: Narrated | None, refusal: str) -> Trial:
    passed = recorder.passed
    prompt = config.rows * sum(answer.prompt_tokens for _, answer, _ in passed)
    completion = config.rows * sum(answer.completion_tokens for _, answer, _ in passed)
    endpoint = {name: said for name, said in recorder.account().items() if name in _UNDERSTOOD}
    faults = [*_unreadable(passed), *_too_long(config, passed, context, refusal)]
    if result is not None and not passed:
        faults.append(f"the facts of all tried rows are wrong: {'; '.join(result.reasons)}")
    is_offline = config.llm.backend == "offline"
    row = passed[0][0].facts.get("row") if passed else None
    if is_offline and passed and result is not None and not result.accepted:
        faults.append(f"row {row} would be rejected: {'; '.join(result.reasons)}")
    return Trial(
        model=recorder.name,
        endpoint=endpoint,
        context=context,
        row=row,
        exchanges=tuple(
            Exchange(
                request.schema_name, a.prompt_tokens, a.completion_tokens, a.finish_reason, round(seconds, 3)
            )
            for request, a, seconds in passed
        ),
        accepted=result is not None and result.accepted,
        reasons=() if result is None else result.reasons,
        prompt_tokens=prompt,
        completion_tokens=completion,
        cost=cost_of(config.llm, prompt, completion),
        faults=tuple(dict.fromkeys(faults)),
        notes=tuple(
            dict.fromkeys(() if is_offline else (*_dialect(config, endpoint), *_habits(config, passed)))
        ),
    )


_UNDERSTOOD = {"structured_output", "length_bounds", "token_limit", "system_role", "dropped_parameters"}
_Passed = Sequence[tuple[ChatRequest, Completion, float]]


def _unreadable(passed: _Passed) -> Iterator[str]:
    for request, answer, _ in passed:
        try:
            parse_object(answer.text)
        except AnswerError as error:
            said = unreadable(error, answer.finish_reason)
            advice = remedy(said)
            yield f"{request.schema_name}: {said}{'; ' if advice else ''}{advice}"
        else:
            if answer.finish_reason == "length":
                yield f"{request.schema_name}: the answer was cut off at the token limit; raise llm.max_tokens"


def _too_long(config: Config, passed: _Passed, context: int, refusal: str) -> Iterator[str]:
    limit = config.llm.max_tokens
    if refusal:
        yield f"{refusal}; if it is too long, lower llm.max_tokens (now {limit}) or serve a longer context"
        return
    # An answer that was repeated with a larger limit counts its prompt more than once.
    longest = max((a.prompt_tokens for _, a, _ in passed if a.completion_tokens <= limit), default=0)
    if context and longest + limit > context:
        yield (
            f"a prompt of {longest} tokens and llm.max_tokens={limit} exceed the context of {context} tokens; "
            "lower llm.max_tokens or serve a longer context (vLLM: --max-model-len)"
        )


def _dialect(config: Config, endpoint: Mapping[str, Any]) -> Iterator[str]:
    form = endpoint.get("structured_output")
    if form in {"json_object", "prompt"} and config.llm.structured_output == "auto":
        yield f"the endpoint enforces no JSON schema ({form}): the prompt spells it out, and more answers need repairs"
    if endpoint.get("system_role") == "folded" and config.llm.system_role == "auto":
        yield "the chat template takes no system message: its text goes in front of the first user message"
    if dropped := endpoint.get("dropped_parameters"):
        yield f"the endpoint refuses {', '.join(dropped)}; requests leave these out"


def _habits(config: Config, passed: _Passed) -> Iterator[str]:
    for _, answer, _ in passed:
        if answer.reasoning_tokens:
            yield f"answers begin with thoughts, which are paid for and dropped; {THINKING_OFF}"
        elif config.llm.structured_output in {"json_schema", "structured_outputs"} and answer.text.strip()[
            :1
        ] not in {"", "{"}:
            yield (
                f"answers are not bare JSON: the endpoint may ignore llm.structured_output="
                f"{config.llm.structured_output}; set it to auto"
            )
        if answer.completion_tokens > config.llm.max_tokens:
            yield (
                f"an answer was cut off at llm.max_tokens={config.llm.max_tokens}, requested again with a larger limit "
                "and paid for twice; raise it"
            )
        if not answer.prompt_tokens:
            yield "the endpoint counts no tokens"
