"""Request key: what makes two requests the same, so that neither is paid for twice."""

from __future__ import annotations

import hashlib

import orjson

from census_personas.generator.llm.chat import ChatRequest


def request_key(request: ChatRequest, model: str) -> str:
    """SHA-256 of all that decides an answer: messages, schema, model, parameters, seed, options where there are any."""
    decides = {
        "messages": request.messages,
        "schema_name": request.schema_name,
        "schema": request.schema,
        "model": model,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
    }
    if request.options:
        decides["options"] = request.options
    return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()
