"""Run config: settings that decide a run's rows (fingerprinted), and settings that may change."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.schema import Schema
from census_personas.generator.config.selection import Selection, with_digests

Policy = Literal["repair", "reject", "flag", "off"]
# YAML 1.1 reads a bare `off` as false; whoever writes it means the word.
_Off = BeforeValidator(lambda value: "off" if value is False else value)
_MOST_SECONDS = 1e6
_DEEPEST = 8
_MOST_NARRATIVES = 50
_MOST_PLUGINS = 50


def _no_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "input should be a number")
    return value


def _plain(value: Any, keys: tuple[str, ...] = ()) -> Any:
    """A condition as JSON has it: texts, numbers, lists and objects, whose keys are texts."""
    if len(keys) > _DEEPEST:
        raise PydanticCustomError("plain", "{key} is nested too deeply", {"key": ".".join(keys)})
    if isinstance(value, dict):
        return {str(key): _plain(part, (*keys, str(key))) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, (*keys, str(number))) for number, part in enumerate(value)]
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise PydanticCustomError("plain", "{key} holds half a character", {"key": ".".join(keys)})
    if value is None or not isinstance(value, str | int | float):
        kind = "has no value" if value is None else f"is a {type(value).__name__}"
        raise PydanticCustomError(
            "plain",
            "{key} {kind}; give texts, numbers, lists or objects",
            {"key": ".".join(keys), "kind": kind},
        )
    return value


# YAML 1.1 reads a bare `yes` as true, which Python takes for 1.
_Whole = Annotated[int, BeforeValidator(_no_switch)]
_Number = Annotated[float, BeforeValidator(_no_switch)]
_Seconds = Annotated[_Number, Field(gt=0, le=_MOST_SECONDS)]
_Name = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
_Condition = Annotated[dict[str, Any], AfterValidator(_plain)]


# How the endpoint is reached and how hard it is pressed decides no word of an answer.
_HOW = (
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


class ConfigError(PersonasError, ValueError):
    """A configuration that cannot be run; the message names the key, the value and the remedy."""


class _Section(BaseModel):
    # Defaults are validated too: a wrong one is then a failing import in tests, not a surprise in a run. Tracebacks
    # do not show values, which may be secrets in the wrong place.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


class LLMConfig(_Section):
    """The narrator: which model, asked how, reached how.

    `backend: offline` is the narrator without a model. `backend: openai` is any OpenAI-compatible
    endpoint; `base_url` falls back to the environment's OPENAI_BASE_URL, and the key is read from the
    variable named by `api_key_env` alone, so that no secret is ever written.
    """

    backend: Literal["offline", "openai"] = "offline"
    model: str | None = None
    temperature: Annotated[_Number, Field(ge=0, le=2)] = 0.9
    top_p: Annotated[_Number, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[_Whole, Field(ge=64, lt=2**31)] = 2048
    structured_output: Literal["auto", "json_schema", "structured_outputs", "json_object", "prompt"] = "auto"
    # How it is reached: left out of the fingerprint. Several base URLs, with commas between, share the work.
    transport: Literal["openai", "lean"] = "openai"
    base_url: Annotated[str | None, Field(pattern=r"^https?://[^@]+$")] = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "OPENAI_API_KEY"
    concurrency: Annotated[_Whole, Field(ge=1, le=100_000)] = 64
    # What shows that an endpoint has enough to do: that answers take longer, or its own metrics (vLLM, SGLang).
    pace_by: Literal["latency", "metrics"] = "latency"
    connect_timeout_s: _Seconds = 10.0
    timeout_s: _Seconds = 600.0
    max_retries: Annotated[_Whole, Field(ge=0, le=1000)] = 5
    # How long to wait for an endpoint that answered before and went away, such as a server that restarts.
    patience_s: Annotated[_Number, Field(ge=0, le=_MOST_SECONDS)] = 300.0
    # Budgets of one session; prices are in the same currency as `max_cost`, for a million tokens.
    max_tokens_total: Annotated[_Whole | None, Field(ge=1)] = None
    max_cost: Annotated[_Number | None, Field(gt=0)] = None
    price_prompt: Annotated[_Number, Field(ge=0)] = 0.0
    price_completion: Annotated[_Number, Field(ge=0)] = 0.0


class PromptsConfig(_Section):
    """Which prompt set, as a folder name under `prompts/` or a path, and which of its narratives.

    `narratives` are written beside those that the set asks for by itself, of which `without` are left out; each is
    named by its file or its field (`finance`, `finance_persona`). With `continue`, the second call and repairs go on
    with the conversation that the first call began, which servers that cache prefixes need not read again; without,
    each request stands alone.
    """

    set: _Name = "en_US"
    narratives: Annotated[tuple[_Name, ...], Field(max_length=_MOST_NARRATIVES)] = ()
    without: Annotated[tuple[_Name, ...], Field(max_length=_MOST_NARRATIVES)] = ()
    continue_: bool = Field(default=True, alias="continue")


class ValidationConfig(_Section):
    """What happens to a finding: a policy per rule code, the bounds of the repair loop, and when a run gives up."""

    policy: dict[str, Annotated[Policy, _Off]] = Field(default_factory=dict)
    max_repairs: Annotated[_Whole, Field(ge=0, le=100)] = 2
    max_attempts: Annotated[_Whole, Field(ge=1, le=100)] = 3
    # Whether a run of which nothing comes out stops after its first rows; left out of the fingerprint.
    stop_early: bool = True


class JudgeConfig(_Section):
    """A second reading by the same model: the share of the rows that are scored for the report."""

    share: Annotated[_Number, Field(ge=0, le=1)] = 0.0


class OutputConfig(_Section):
    """The dataset's schema and files."""

    schema_: Schema = Field(default="nemotron", alias="schema")
    lists: Literal["native", "string"] = "native"
    shard_rows: Annotated[_Whole, Field(ge=1, le=10**7)] = 10_000


class RuntimeConfig(_Section):
    """How the work is spread; never part of what a run is."""

    executor: Literal["local"] = "local"
    progress: Annotated[Literal["auto", "bar", "plain", "off"], _Off] = "auto"


class Config(_Section):
    """One run. `rows` may grow between calls; everything else that is fingerprinted may not change.

    Sections are also accepted as `key:` with nothing under it, which YAML reads as null.
    """

    name: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "run"
    locale: _Name = "en_US"
    rows: Annotated[_Whole, Field(ge=1, le=10**12)] = 200
    seed: Annotated[_Whole, Field(ge=0, le=2**63 - 1)] = 0
    # Whom the rows are of: conditions, wanted marginals, exact counts, draws spread evenly (see `selection`).
    where: _Condition = Field(default_factory=dict)
    target: _Condition = Field(default_factory=dict)
    quota: _Condition = Field(default_factory=dict)
    stratified: bool = False
    # A dataset whose people are narrated instead of sampled ones (`personas narrate`); it counts by its contents.
    input: _Name | None = None
    # Folders, or names of installed packages, whose rules, measures and prompt sets the run has beside ours. Their code
    # runs with the user's rights (see docs/plugins.md). They count by their contents.
    plugins: Annotated[tuple[_Name, ...], Field(max_length=_MOST_PLUGINS)] = ()
    llm: LLMConfig = LLMConfig()
    prompts: PromptsConfig = PromptsConfig()
    validation: ValidationConfig = ValidationConfig()
    judge: JudgeConfig = JudgeConfig()
    output: OutputConfig = OutputConfig()
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="after")
    def _a_served_model_has_a_name(self) -> Config:
        if self.llm.backend == "openai" and not self.llm.model:
            raise ValueError(
                "llm.model is missing; an OpenAI-compatible endpoint needs the served model's name"
            )
        if self.llm.backend == "offline" and self.judge.share:
            raise ValueError(
                f"judge.share={self.judge.share:g} needs a model that reads; set llm.backend=openai"
            )
        return self

    @model_validator(mode="after")
    def _people_are_sampled_or_read(self) -> Config:
        given = [name for name in ("where", "target", "quota", "stratified") if getattr(self, name)]
        if self.input and given:
            raise ValueError(
                f"{given[0]} chooses whom to sample, and input={self.input!r} has its people already"
            )
        return self

    @property
    def selection(self) -> Selection:
        """Whom the rows are of."""
        return Selection(self.where, self.target, self.quota, self.stratified)

    def identity(self) -> dict[str, Any]:
        """The part of the configuration that decides the dataset's content, as plain JSON values.

        A table file that is wanted as a target or quota counts by its contents, and the folder of a locale or of a
        prompt set by its name: what is in it counts by the digests that a manifest adds. An input and plug-ins count by
        their digests alone. Ways of selecting that are not used, a judge who reads nothing, narratives of which
        none is left out, and requests that continue, are not in it.
        """
        excluded: dict[str, Any] = {
            "name": True,
            "rows": True,
            "input": True,
            "plugins": True,
            "runtime": True,
            "llm": set(_HOW),
            "validation": {"stop_early"},
        }
        excluded |= {name: True for name in ("target", "quota", "stratified") if not getattr(self, name)}
        excluded |= {} if self.judge.share else {"judge": True}
        usual = {"without": not self.prompts.without, "continue_": self.prompts.continue_}
        excluded["prompts"] = {name for name, is_usual in usual.items() if is_usual}
        values = self.model_dump(mode="json", by_alias=True, exclude=excluded)
        values["locale"] = Path(self.locale).name
        values["prompts"]["set"] = Path(self.prompts.set).name
        return values | {name: with_digests(values[name]) for name in ("target", "quota") if name in values}

    def fingerprint(self) -> str:
        """SHA-256 of `identity()` in canonical JSON; two runs with the same one write the same rows."""
        canonical = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
