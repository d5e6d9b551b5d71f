"""Probe: find out what an endpoint understands by asking for something that only the schema could produce.

An endpoint may ignore a field that it does not know (vLLM ignores the old `guided_json` silently), so that
acceptance proves nothing. The prompt asks for one word; the schema demands another.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from persona_engine.generator.llm.answer import AnswerError, parse_object
from persona_engine.generator.llm.chat import ChatRequest, Completion, EndpointError, RequestError
from persona_engine.generator.llm.dialect import FORMS, Dialect

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
_MESSAGES = ({"role": "user", "content": "Reply with the word hello, as JSON or as plain text."},)
_OPTIONAL = ("seed", "temperature", "top_p")
_MOST_NEGOTIATIONS = 5

Ask = Callable[[ChatRequest, Dialect], Awaitable[Completion]]


async def detect(ask: Ask, max_tokens: int) -> Dialect:
    """The strongest dialect that the endpoint was seen to honour.

    Raises:
        EndpointError: when it refuses even a plain prompt.
    """
    request = ChatRequest(_MESSAGES, "probe", _PROBE, 0.0, 1.0, max_tokens, 1)
    known = Dialect()
    refusal: RequestError | None = None
    for form in FORMS:
        for bounded in (True, False):
            try:
                known, answer = await _negotiated(ask, request, replace(known, form=form, bounded=bounded))
            except RequestError as error:
                refusal = error
                continue
            if _honoured(known, answer):
                logger.info("endpoint understands %s", known.describe())
                return known
            break
    raise EndpointError(
        f"the endpoint refuses a plain request: {refusal}", hint="check llm.model and its server"
    )


async def _negotiated(ask: Ask, request: ChatRequest, dialect: Dialect) -> tuple[Dialect, Completion]:
    # Endpoints differ in which parameters they take; each says in its refusal which one it means.
    for _ in range(_MOST_NEGOTIATIONS):
        try:
            return dialect, await ask(request, dialect)
        except RequestError as error:
            changed = _without(dialect, str(error))
            if changed == dialect:
                raise
            dialect = changed
    return dialect, await ask(request, dialect)


def _without(dialect: Dialect, refusal: str) -> Dialect:
    if dialect.limit == "max_tokens" and "max_completion_tokens" in refusal:
        return replace(dialect, limit="max_completion_tokens")
    named = {name for name in _OPTIONAL if re.search(rf"\b{name}\b", refusal)}
    return replace(dialect, dropped=dialect.dropped | named)


def _honoured(dialect: Dialect, answer: Completion) -> bool:
    if dialect.form == "prompt":
        return True
    try:
        found: dict[str, Any] = parse_object(answer.text)
    except AnswerError:
        return False
    if dialect.form == "json_object":
        # Prose or a fence around the object shows that only the prompt was heard.
        return answer.text.strip().startswith("{")
    return found.get("word") == _WORD
