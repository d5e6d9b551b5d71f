"""The `llm` section: the model, how it is asked and how it is reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_serializer, model_validator

from census_personas.generator.config.endpoint_config import (
    ApiKeyVariable,
    BaseURL,
    EndpointConfig,
    Headers,
    writable_headers,
)
from census_personas.generator.config.request_options import (
    OPTIONS,
    ExtraBody,
    JsonObject,
    StopText,
    SystemRole,
)
from census_personas.generator.config.section import MOST_SECONDS, Name, Number, Seconds, Section, Whole

# Connection settings, which do not change the generated text.
HOW_REACHED = (
    "transport",
    "base_url",
    "api_key_env",
    "headers",
    "endpoints",
    "client_cert",
    "client_key",
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
# Options that decide answers if they are set. Unset, they stay out of the fingerprint, as in runs of older releases.
_OPTIONAL = (*OPTIONS, "extra_body", "seed", "system_role")


class LLMConfig(Section):
    """The narrator: which model, how it is asked and how it is reached.

    `backend: offline` is the offline narrator. `backend: openai` is any OpenAI-compatible endpoint; `base_url`
    defaults to the environment's OPENAI_BASE_URL, and the key is only read from the variable that `api_key_env`
    names, so that no secret is ever written.
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
    seed: Annotated[
        bool,
        Field(
            strict=True,
            description="Whether requests carry a sampling seed; off for servers that refuse one.",
        ),
    ] = True
    system_role: SystemRole = Field(
        default="auto",
        description="Whether the chat template takes a system message: auto asks the server, no puts its text in front "
        "of the first user message, yes sends it whatever the server says.",
    )
    top_k: Annotated[
        Whole | None, Field(ge=1, lt=2**31, description="Sample from this many most probable tokens.")
    ] = None
    min_p: Annotated[
        Number | None,
        Field(ge=0, le=1, description="Least probability of a token, relative to the most probable one."),
    ] = None
    presence_penalty: Annotated[
        Number | None, Field(ge=-2, le=2, description="Penalty for tokens that have occurred in the answer.")
    ] = None
    frequency_penalty: Annotated[
        Number | None, Field(ge=-2, le=2, description="Penalty for tokens by how often they have occurred.")
    ] = None
    repetition_penalty: Annotated[
        Number | None,
        Field(gt=0, le=10, description="Factor against tokens of prompt and answer; 1 changes nothing."),
    ] = None
    stop: Annotated[
        tuple[StopText, ...], Field(max_length=16, description="Texts that end an answer; OpenAI takes four.")
    ] = ()
    reasoning_effort: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9_-]{1,32}$",
            description="How long a reasoning model thinks, in the server's own words, such as none, low or high.",
        ),
    ] = None
    chat_template_kwargs: JsonObject = Field(
        default_factory=dict,
        description="Variables of the server's chat template, such as {enable_thinking: false}.",
    )
    extra_body: ExtraBody = Field(
        default_factory=dict,
        description="Any further keys of the request's body, as the server wants them; no secrets.",
    )
    transport: Literal["openai", "lean"] = Field(
        default="openai",
        description="HTTP client: the openai package, or a leaner one that sends the same body with less CPU.",
    )
    base_url: BaseURL | None = Field(
        default=None,
        description="URL of the endpoint, or several with commas between, which share the work. Default: the "
        "environment's `OPENAI_BASE_URL`, else OpenAI's.",
    )
    api_key_env: ApiKeyVariable = Field(
        default="OPENAI_API_KEY", description="Environment variable that holds the key of the endpoint."
    )
    headers: Headers = Field(
        default_factory=dict,
        repr=False,
        description="Further headers of each request; a value may name environment variables as ${NAME}.",
    )
    endpoints: tuple[EndpointConfig, ...] = Field(
        default=(),
        max_length=1000,
        description="Several endpoints that share the work, each with its own base_url, api_key_env and headers; in "
        "place of base_url.",
    )
    client_cert: Name | None = Field(
        default=None,
        description="PEM file of the client's certificate (mutual TLS); else SSL_CLIENT_CERT names it.",
    )
    client_key: Name | None = Field(
        default=None, description="PEM file of the certificate's key, where client_cert does not hold it."
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

    @model_validator(mode="after")
    def _one_place_says_where(self) -> LLMConfig:
        if self.endpoints and self.base_url:
            raise ValueError("llm.endpoints and llm.base_url both say where the model is; leave one out")
        if self.client_key and not self.client_cert:
            raise ValueError("llm.client_key belongs to a certificate; set llm.client_cert too")
        return self

    @field_serializer("headers", when_used="json")
    def _without_values(self, headers: dict[str, str]) -> dict[str, str]:
        return writable_headers(headers)

    @property
    def unset(self) -> set[str]:
        """Options that have their default values and are therefore not in the fingerprint."""
        fields = type(self).model_fields
        usual = {name: fields[name].get_default(call_default_factory=True) for name in _OPTIONAL}
        return {name for name, value in usual.items() if getattr(self, name) == value}

    def options(self) -> dict[str, Any]:
        """Return additional keys of the request's body; a `seed` of None means that no seed is sent."""
        named = {name: getattr(self, name) for name in OPTIONS if name not in self.unset}
        if self.stop:
            named["stop"] = list(self.stop)
        return {**self.extra_body, **named, **({} if self.seed else {"seed": None})}
