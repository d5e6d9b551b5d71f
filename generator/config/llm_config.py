"""The `llm` section: which model writes, how it is asked and how it is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from census_personas.generator.config.section import MOST_SECONDS, Number, Seconds, Section, Whole

# How the endpoint is reached and how hard it is pressed decides no word of an answer.
HOW_REACHED = (
    "transport",
    "base_url",
    "api_key_env",
    "concurrency",
    "pace_by",
    "connect_timeout_s",
    "timeout_s",
    "max_retries",
    "patience_s",
    "max_tokens_total",
    "max_cost",
    "price_prompt",
    "price_completion",
)


class LLMConfig(Section):
    """The narrator: which model, asked how, reached how.

    `backend: offline` is the narrator without a model. `backend: openai` is any OpenAI-compatible
    endpoint; `base_url` falls back to the environment's OPENAI_BASE_URL, and the key is read from the
    variable named by `api_key_env` alone, so that no secret is ever written.
    """

    backend: Literal["offline", "openai"] = "offline"
    model: str | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] = 0.9
    top_p: Annotated[Number, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[Whole, Field(ge=64, lt=2**31)] = 2048
    structured_output: Literal["auto", "json_schema", "structured_outputs", "json_object", "prompt"] = "auto"
    # How it is reached: left out of the fingerprint. Several base URLs, with commas between, share the work.
    transport: Literal["openai", "lean"] = "openai"
    base_url: Annotated[str | None, Field(pattern=r"^https?://[^@]+$")] = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "OPENAI_API_KEY"
    concurrency: Annotated[Whole, Field(ge=1, le=100_000)] = 64
    # What shows that an endpoint has enough to do: that answers take longer, or its own metrics (vLLM, SGLang).
    pace_by: Literal["latency", "metrics"] = "latency"
    connect_timeout_s: Seconds = 10.0
    timeout_s: Seconds = 600.0
    max_retries: Annotated[Whole, Field(ge=0, le=1000)] = 5
    # How long to wait for an endpoint that answered before and went away, such as a server that restarts.
    patience_s: Annotated[Number, Field(ge=0, le=MOST_SECONDS)] = 300.0
    # Budgets of one session; prices are in the same currency as `max_cost`, for a million tokens.
    max_tokens_total: Annotated[Whole | None, Field(ge=1)] = None
    max_cost: Annotated[Number | None, Field(gt=0)] = None
    price_prompt: Annotated[Number, Field(ge=0)] = 0.0
    price_completion: Annotated[Number, Field(ge=0)] = 0.0
