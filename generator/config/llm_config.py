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

    backend: Literal["offline", "openai"] = Field(
        default="offline",
        description="What writes: the narrator without a language model, or an OpenAI-compatible endpoint.",
    )
    model: str | None = Field(
        default=None, description="Name of the model at the endpoint; required for `backend: openai`."
    )
    temperature: Annotated[Number, Field(ge=0, le=2)] = Field(
        default=0.9, description="Sampling temperature of the model."
    )
    top_p: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=1.0, description="Nucleus sampling: the share of probability that tokens are drawn from."
    )
    max_tokens: Annotated[Whole, Field(ge=64, lt=2**31)] = Field(
        default=2048,
        description="Most tokens of an answer. An answer that is cut off is asked for again with more room.",
    )
    structured_output: Literal["auto", "json_schema", "structured_outputs", "json_object", "prompt"] = Field(
        default="auto",
        description="How JSON of a schema is asked for. `auto` finds out which form the endpoint honours.",
    )
    transport: Literal["openai", "lean"] = Field(
        default="openai",
        description="HTTP client: the openai package, or a leaner one that sends the same body with less CPU.",
    )
    base_url: Annotated[str | None, Field(pattern=r"^https?://[^@]+$")] = Field(
        default=None,
        description="URL of the endpoint, or several with commas between, which share the work. Default: the "
        "environment's `OPENAI_BASE_URL`, else OpenAI's.",
    )
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        default="OPENAI_API_KEY", description="Environment variable that holds the key of the endpoint."
    )
    concurrency: Annotated[Whole, Field(ge=1, le=100_000)] = Field(
        default=64, description="Most requests in flight at once."
    )
    pace_by: Literal["latency", "metrics"] = Field(
        default="latency",
        description="What shows how many requests the endpoint can take: the time of its answers, or its own "
        "`/metrics` (vLLM, SGLang).",
    )
    connect_timeout_s: Seconds = Field(default=10.0, description="Longest wait for a connection, in seconds.")
    timeout_s: Seconds = Field(
        default=600.0,
        description="Longest wait for an answer, its time in the endpoint's queue included, in seconds.",
    )
    max_retries: Annotated[Whole, Field(ge=0, le=1000)] = Field(
        default=5, description="Most retries of a request after transport faults."
    )
    patience_s: Annotated[Number, Field(ge=0, le=MOST_SECONDS)] = Field(
        default=300.0,
        description="Longest wait for an endpoint that answered before and is unreachable now, in seconds.",
    )
    max_tokens_total: Annotated[Whole | None, Field(ge=1)] = Field(
        default=None, description="Budget of one session in tokens of prompts and answers."
    )
    max_cost: Annotated[Number | None, Field(gt=0)] = Field(
        default=None, description="Budget of one session, in the currency of the prices."
    )
    price_prompt: Annotated[Number, Field(ge=0)] = Field(
        default=0.0, description="Price of a million prompt tokens, in any currency."
    )
    price_completion: Annotated[Number, Field(ge=0)] = Field(
        default=0.0, description="Price of a million tokens of answers, in the same currency."
    )
