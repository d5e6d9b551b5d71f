"""Dialects: ways to ask an endpoint for JSON of a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatRequest
from census_personas.generator.llm.system_message import fold_system

Form = Literal["json_schema", "structured_outputs", "json_object", "prompt"]
FORMS: tuple[Form, ...] = ("json_schema", "structured_outputs", "json_object", "prompt")
_BOUNDS = frozenset({"minLength", "maxLength", "minItems", "maxItems"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an endpoint understands.

    `bounded`: whether schemas may bound lengths (OpenAI's own strict mode refuses some bounds). `limit`: the
    name of the token limit. `system`: whether the chat template takes a system message; if not, its text goes in
    front of the first user message. `dropped`: parameters that the endpoint refuses. `asks_system`: whether the
    endpoint decides `system`, rather than the config.
    """

    form: Form = "json_schema"
    bounded: bool = True
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system: bool = True
    dropped: frozenset[str] = field(default_factory=frozenset)
    asks_system: bool = True

    @classmethod
    def of_config(cls, config: LLMConfig, *, bounded: bool = True) -> Self:
        """Return the dialect that the config states; JSON schema where it leaves the form to the probe."""
        form: Form = "json_schema" if config.structured_output == "auto" else config.structured_output
        role = config.system_role
        return cls(form=form, bounded=bounded, system=role != "no", asks_system=role == "auto")

    def body(self, request: ChatRequest, model: str, max_tokens: int) -> dict[str, Any]:
        """Return the request body for `/chat/completions`."""
        schema = request.schema if self.bounded else unbounded(request.schema)
        body: dict[str, Any] = {
            "model": model,
            "messages": list(request.messages),
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            self.limit: max_tokens,
            "stream": False,
            **request.options,
        }
        if body["seed"] is None:
            del body["seed"]
        if self.form == "json_schema":
            shape = {"name": request.schema_name, "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif self.form == "structured_outputs":
            body["structured_outputs"] = {"json": schema}
        else:
            body["messages"] = _spelled_out(request.messages, request.schema)
            if self.form == "json_object":
                body["response_format"] = {"type": "json_object"}
        if not self.system:
            body["messages"] = fold_system(body["messages"])
        return {key: value for key, value in body.items() if key not in self.dropped}

    def describe(self) -> dict[str, Any]:
        """Return what was detected, as plain values for the run's manifest."""
        return {
            "structured_output": self.form,
            "length_bounds": self.bounded,
            "token_limit": self.limit,
            "system_role": "kept" if self.system else "folded",
            "dropped_parameters": sorted(self.dropped),
        }


def unbounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without bounds on lengths, for endpoints that refuse them."""
    return {
        key: unbounded(value) if isinstance(value, Mapping) else value
        for key, value in schema.items()
        if key not in _BOUNDS
    }


def _spelled_out(
    messages: tuple[Mapping[str, str], ...], schema: Mapping[str, Any]
) -> list[Mapping[str, str]]:
    *before, last = messages
    text = (
        f"{last['content']}\n\nAnswer with one JSON object that satisfies this JSON schema, "
        f"without any other text:\n{json.dumps(schema, ensure_ascii=False)}"
    )
    return [*before, {**last, "content": text}]
