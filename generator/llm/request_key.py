"""Request key: a digest that recognizes equal requests, so that none is paid for twice."""

from __future__ import annotations

import hashlib

import orjson

from census_personas.generator.llm.chat import ChatRequest


def request_key(request: ChatRequest, model: str) -> str:
    """Return the SHA-256 of all that content an answer: messages, schema, model, parameters, seed and options."""
    content = {
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
        content["options"] = request.options
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
