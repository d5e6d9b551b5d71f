"""What a run is (frozen, fingerprinted) and how it runs (not): one YAML file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from persona_engine.generator.sampling.selection import Selection, with_digests

Schema = Literal["nemotron", "nemotron-1.1", "full"]
Policy = Literal["repair", "reject", "flag", "off"]
# YAML 1.1 reads a bare `off` as false; whoever writes it means the word.
_Off = BeforeValidator(lambda value: "off" if value is False else value)


# How the endpoint is reached and how hard it is pressed decides no word of an answer.
_HOW = (
    "transport",
    "base_url",
    "api_key_env",
    "concurrency",
    "connect_timeout_s",
    "timeout_s",
    "max_retries",
    "patience_s",
    "max_tokens_total",
    "max_cost",
    "price_prompt",
    "price_completion",
)


class ConfigError(ValueError):
    """A configuration that cannot be run; the message names the key, the value and the remedy."""


class _Section(BaseModel):
    # Defaults are validated too: a wrong one is then a failing import in tests, not a surprise in a run.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class LLMConfig(_Section):
    """The narrator: which model, asked how, reached how.

    `backend: offline` is the narrator without a model. `backend: openai` is any OpenAI-compatible
    endpoint; `base_url` falls back to the environment's OPENAI_BASE_URL, and the key is read from the
    variable named by `api_key_env` alone, so that no secret is ever written.
    """

    backend: Literal["offline", "openai"] = "offline"
    model: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.9
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Annotated[int, Field(ge=64, lt=2**31)] = 2048
    structured_output: Literal["auto", "json_schema", "structured_outputs", "json_object", "prompt"] = "auto"
    # How it is reached: left out of the fingerprint. Several base URLs, with commas between, share the work.
    transport: Literal["openai", "lean"] = "openai"
    base_url: Annotated[str | None, Field(pattern=r"^https?://[^@]+$")] = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "OPENAI_API_KEY"
    concurrency: Annotated[int, Field(ge=1)] = 64
    connect_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    timeout_s: Annotated[float, Field(gt=0)] = 600.0
    max_retries: Annotated[int, Field(ge=0)] = 5
    # How long to wait for an endpoint that answered before and went away, such as a server that restarts.
    patience_s: Annotated[float, Field(ge=0)] = 300.0
    # Budgets of one session; prices are in the same currency as `max_cost`, for a million tokens.
    max_tokens_total: Annotated[int | None, Field(ge=1)] = None
    max_cost: Annotated[float | None, Field(gt=0)] = None
    price_prompt: Annotated[float, Field(ge=0)] = 0.0
    price_completion: Annotated[float, Field(ge=0)] = 0.0


class PromptsConfig(_Section):
    """Which prompt set, as a folder name under `prompts/` or a path."""

    set: str = "en_US"
    narratives: tuple[str, ...] = ()


class ValidationConfig(_Section):
    """What happens to a finding: a policy per rule code, and the bounds of the repair loop."""

    policy: dict[str, Annotated[Policy, _Off]] = Field(default_factory=dict)
    max_repairs: Annotated[int, Field(ge=0)] = 2
    max_attempts: Annotated[int, Field(ge=1)] = 3


class JudgeConfig(_Section):
    """A second reading by the same model: the share of the rows that are scored for the report."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.0


class OutputConfig(_Section):
    """The dataset's schema and files."""

    schema_: Schema = Field(default="nemotron", alias="schema")
    lists: Literal["native", "string"] = "native"
    shard_rows: Annotated[int, Field(ge=1, le=10**7)] = 10_000


class RuntimeConfig(_Section):
    """How the work is spread; never part of what a run is."""

    executor: Literal["local"] = "local"
    progress: Annotated[Literal["auto", "bar", "plain", "off"], _Off] = "auto"


class Config(_Section):
    """One run. `rows` may grow between calls; everything else that is fingerprinted may not change.

    Sections are also accepted as `key:` with nothing under it, which YAML reads as null.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "run"
    locale: str = "en_US"
    rows: Annotated[int, Field(ge=1, le=10**12)] = 200
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    # Whom the rows are of: conditions, wanted marginals, exact counts, draws spread evenly (see `selection`).
    where: dict[str, Any] = Field(default_factory=dict)
    target: dict[str, Any] = Field(default_factory=dict)
    quota: dict[str, Any] = Field(default_factory=dict)
    stratified: bool = False
    # A dataset whose people are narrated instead of sampled ones (`personas narrate`); it counts by its contents.
    input: str | None = None
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

        A table file that is wanted as a target or quota counts by its contents. Ways of selecting that are not
        used, and a judge who reads nothing, are left out.
        """
        excluded: dict[str, Any] = {
            "name": True,
            "rows": True,
            "input": True,
            "runtime": True,
            "llm": set(_HOW),
        }
        excluded |= {name: True for name in ("target", "quota", "stratified") if not getattr(self, name)}
        excluded |= {} if self.judge.share else {"judge": True}
        values = self.model_dump(mode="json", by_alias=True, exclude=excluded)
        return values | {name: with_digests(values[name]) for name in ("target", "quota") if name in values}

    def fingerprint(self) -> str:
        """SHA-256 of `identity()` in canonical JSON; two runs with the same one write the same rows."""
        canonical = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


_SECTIONS = frozenset(
    name
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, _Section)
)


def load(path: Path, overrides: tuple[str, ...] = ()) -> Config:
    """Read a YAML file and apply `a.b=value` overrides (values are YAML).

    Raises:
        ConfigError: naming file, key and remedy, for unreadable YAML, unknown keys and bad values.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give the path of a YAML config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    return parse(text, str(path), overrides)


def parse(text: str, place: str, overrides: tuple[str, ...] = ()) -> Config:
    """`load` for text already in hand; `place` names it in errors."""
    try:
        values = yaml.safe_load(text) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{place}: a config is a mapping of keys to values, not a {type(values).__name__}")
    for override in overrides:
        _apply(values, override)
    values = {key: value for key, value in values.items() if value is not None or key not in _SECTIONS}
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("; ".join(_explain(place, item) for item in error.errors())) from error


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    *sections, last = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override}: {section!r} is a value, not a section")
    try:
        values[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML: {error}") from error


# These two may hold a secret put in the wrong place, so their errors do not repeat the value.
_REMEDIES = {
    "llm.base_url": "must be an http(s) URL without user name or password, such as http://localhost:8000/v1",
    "llm.api_key_env": "must be the name of an environment variable; the key itself never stands in a config",
}


def _explain(place: str, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "config"
    if item["type"] == "extra_forbidden":
        return f"{place}: unknown key {where!r}; known there: {', '.join(_known(item['loc'][:-1]))}"
    if item["type"] == "model_type":  # not the value: whatever was pasted here may be a key
        return f"{place}: {where}: is a section of keys, not a {type(item['input']).__name__}"
    if where in _REMEDIES:
        return f"{place}: {where}: {_REMEDIES[where]}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return f"{place}: {message}"
    return f"{place}: {where}: {message[:1].lower()}{message[1:]}, not {item['input']!r}"


def _known(sections: tuple[Any, ...]) -> list[str]:
    model: Any = Config
    for section in sections:
        field = model.model_fields.get(section) or next(
            field for field in model.model_fields.values() if field.alias == section
        )
        model = field.annotation
    return sorted(field.alias or name for name, field in model.model_fields.items())
