"""Probe: find out what an endpoint understands by asking for something that only the schema could produce.

An endpoint may ignore a field that it does not know (vLLM silently ignores the old `guided_json`), so acceptance
proves nothing. The prompt asks for one word; the schema demands another. Like the prompts of a run, the probe has
a system message.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from census_personas.generator.config.request_options import config_key
from census_personas.generator.llm.answer import THINKING_OFF, AnswerError, parse_object
from census_personas.generator.llm.chat import (
    ChatRequest,
    Completion,
    EndpointError,
    LLMError,
    RequestError,
    TransientError,
)
from census_personas.generator.llm.dialect import FORMS, Dialect
from census_personas.generator.llm.system_message import is_no_system_role

logger = logging.getLogger(__name__)
_WORD = "cartographer"
_PROBE = {
    "type": "object",
    "properties": {
        "word": {"type": "string", "enum": [_WORD]},
        "letters": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 8},
            "minItems": 1,
            "maxItems": 2,
        },
    },
    "required": ["word", "letters"],
    "additionalProperties": False,
}
_MESSAGES = (
    {"role": "system", "content": "You answer briefly."},
    {"role": "user", "content": "Reply with the word hello, as JSON or as plain text."},
)
# Parameters that can be left out, least important first: some endpoints take temperature or top_p, not both.
_OPTIONAL = ("seed", "top_p", "temperature")
# One for each of these, one for the token limit, one for the system message.
_MOST_NEGOTIATIONS = 5
# How often a request must fail, while it succeeds without a system message, to prove that the message is refused.
_PROOFS = 3

Ask = Callable[[ChatRequest, Dialect], Awaitable[Completion]]


async def detect(ask: Ask, max_tokens: int, known: Dialect | None = None) -> Dialect:
    """Return the strongest dialect that the endpoint honours; `known` is the dialect that the config states.

    Raises:
        EndpointError: it refuses even a plain prompt, or puts its answers into the reasoning.
    """
    request = ChatRequest(_MESSAGES, "probe", _PROBE, 0.0, 1.0, max_tokens, 1)
    known = known or Dialect()
    refusal: RequestError | None = None
    for form in FORMS:
        for bounded in (True, False):
            try:
                known, answer = await _negotiated(ask, request, replace(known, form=form, bounded=bounded))
            except RequestError as error:
                refusal = error
                continue
            if _honoured(known, answer):
                if answer.finish_reason == "reasoning":
                    raise EndpointError(
                        "the endpoint writes its answers into the message's reasoning, and leaves content empty",
                        hint=THINKING_OFF,
                    )
                logger.info("endpoint understands %s", known.describe())
                return known
            break
    raise EndpointError(
        f"the endpoint refuses a plain request: {refusal}", hint="check llm.model and its server"
    )


async def _negotiated(ask: Ask, request: ChatRequest, dialect: Dialect) -> tuple[Dialect, Completion]:
    # Endpoints accept different parameters; a refusal names the one that it means.
    for _ in range(_MOST_NEGOTIATIONS):
        try:
            return await _without_system(ask, request, dialect)
        except RequestError as error:
            changed = adapt(dialect, str(error))
            if changed == dialect:
                raise
            dialect = changed
    return dialect, await ask(request, dialect)


async def _without_system(ask: Ask, request: ChatRequest, dialect: Dialect) -> tuple[Dialect, Completion]:
    """Ask, and fold the system message if needed: some servers refuse one with status 500 and no reason."""
    try:
        return dialect, await ask(request, dialect)
    except TransientError as error:
        if not (dialect.system and dialect.asks_system) or _BROKEN not in str(error):
            raise
        folded = replace(dialect, system=False)
        answer = await ask(request, folded)
    for _ in range(_PROOFS - 1):
        try:
            return dialect, await ask(request, dialect)
        except TransientError:
            continue
    return folded, answer


_BROKEN = "answered 500"


def adapt(dialect: Dialect, refusal: str) -> Dialect:
    """Return the dialect without what a refusal names; unchanged if it names nothing that can be left out."""
    if dialect.limit == "max_tokens" and "max_completion_tokens" in refusal and "too large" not in refusal:
        return replace(dialect, limit="max_completion_tokens")
    if dialect.system and dialect.asks_system and is_no_system_role(refusal):
        return replace(dialect, system=False)
    named = [name for name in _OPTIONAL if re.search(rf"\b{name}\b", refusal)]
    return replace(
        dialect, dropped=dialect.dropped | set([name for name in named if name not in dialect.dropped][:1])
    )


def explain_refusal(error: RequestError, dialect: Dialect, options: Iterable[str]) -> LLMError:
    """Return an error that names the config key behind a refusal; the refusal itself if no key is."""
    said = str(error)
    if dialect.system and not dialect.asks_system and is_no_system_role(said):
        return EndpointError(f"llm.system_role=yes is refused: {said}", hint="set llm.system_role to auto")
    named = [name for name in options if name != "seed" and _names(said, name)]
    if not named:
        return error
    key = config_key(max(named, key=len))
    return EndpointError(
        f"{key} is refused: {said}", hint=f"leave {key} out, or use a server that accepts it"
    )


def _names(refusal: str, parameter: str) -> bool:
    """Return whether a refusal names a parameter. A plain word such as stop must be quoted or called a parameter."""
    name = re.escape(parameter)
    if "_" in parameter:
        return re.search(rf"(?<![\w-]){name}(?![\w-])", refusal) is not None
    return (
        re.search(rf"['\"`.\[]{name}['\"`:\]]|\b(?:parameter|argument|field|key):? {name}\b", refusal)
        is not None
    )


def _honoured(dialect: Dialect, answer: Completion) -> bool:
    if dialect.form == "prompt":
        return True
    try:
        found: dict[str, Any] = parse_object(answer.text)
    except AnswerError:
        return False
    if dialect.form == "json_object":
        # Prose or a fence around the object shows that the endpoint followed only the prompt.
        return answer.text.strip().startswith("{")
    return found.get("word") == _WORD
