"""Run config: settings that decide a run's rows (fingerprinted), and settings that may change."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.schema import Schema
from census_personas.generator.config.input_config import People
from census_personas.generator.config.llm_config import HOW_REACHED, LLMConfig
from census_personas.generator.config.section import Condition, Name, Number, Seconds, Section, Whole
from census_personas.generator.config.selection import Selection, with_digests

Policy = Literal["repair", "reject", "flag", "off"]
# YAML 1.1 reads a bare `off` as false, but here it means the word.
_Off = BeforeValidator(lambda value: "off" if value is False else value)
_MOST_NARRATIVES = 50
_MOST_PLUGINS = 50
_MOST_WORKERS = 1024
_MOST_JOBS = 100_000


class ConfigError(PersonasError, ValueError):
    """A configuration cannot be run; the message names the key, the value and the remedy."""


class PromptsConfig(Section):
    """Which prompt set, as a folder name under `prompts/` or a path, and which of its narratives.

    `narratives` are written in addition to the set's defaults; `without` leaves out some of these. Each is named by
    its file or its field (`finance`, `finance_persona`). With `continue`, the second call and repairs continue the
    conversation of the first call, so that a server with a prefix cache need not read it again; without, each request
    stands alone.
    """

    set: Name = Field(default="en_US", description="Prompt set: the name of a shipped one, or a folder.")
    narratives: Annotated[tuple[Name, ...], Field(max_length=_MOST_NARRATIVES)] = Field(
        default=(),
        description="Narratives to write besides those that the set writes by default, by file or field name "
        "(`finance` or `finance_persona`).",
    )
    without: Annotated[tuple[Name, ...], Field(max_length=_MOST_NARRATIVES)] = Field(
        default=(), description="Narratives to leave out of those that the set writes by default."
    )
    grounding: bool = Field(
        default=True,
        description="Whether prompts suggest what look-ups say: tasks, tools and skills of the occupation, and towns "
        "nearby. False is an ablation, for experiments.",
    )
    continue_: bool = Field(
        default=True,
        alias="continue",
        description="Whether the second call and repairs continue the conversation of the first call, so that a "
        "server with a prefix cache does not read it again. If false, each request stands alone.",
    )


class ValidationConfig(Section):
    """What findings lead to: a policy per rule, the bounds of the repair loop, and the early stop."""

    policy: dict[str, Annotated[Policy, _Off]] = Field(
        default_factory=dict,
        description="What a finding of a rule leads to, by rule name: `repair`, `reject`, `flag` or `off`.",
    )
    max_repairs: Annotated[Whole, Field(ge=0, le=100)] = Field(
        default=2, description="Most repairs in one attempt at a record."
    )
    max_attempts: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=3, description="Most attempts at a record before its row is rejected."
    )
    rules: bool = Field(
        default=True,
        description="Whether rules judge records at all. False keeps every readable answer: an ablation, for "
        "experiments; rules that `policy` names still judge.",
    )
    stop_early: bool = Field(
        default=True,
        description="Whether a session stops when its first rows all fail, before it pays for more.",
    )


class JudgeConfig(Section):
    """A second reading by the same model, for the report: the share of rows that are scored."""

    share: Annotated[Number, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="Share of the accepted rows that the model reads again and scores for the report.",
    )


class OutputConfig(Section):
    """The dataset's schema and files."""

    schema_: Schema = Field(
        default="nemotron",
        alias="schema",
        description="Columns of the dataset: those of a release of Nemotron-Personas, or all that are known "
        "(`full`).",
    )
    lists: Literal["native", "string"] = Field(
        default="native",
        description="Type of the list columns: lists of text, or one text that looks like a Python list.",
    )
    shard_rows: Annotated[Whole, Field(ge=1, le=10**7)] = Field(
        default=10_000,
        description="Rows of a shard: they are checked against each other and written together.",
    )
    formats: Annotated[
        tuple[Literal["parquet", "csv", "jsonl"], ...],
        Field(
            max_length=3,
            description="Formats of the dataset; Parquet, of which the run is made, is always there.",
        ),
    ] = ("parquet",)


def _a_share(value: Any) -> Any:
    if value is not None:
        place, _, of = str(value).partition("/")
        if not (
            place.isdecimal() and of.isdecimal() and 0 <= int(place) <= int(of) <= _MOST_JOBS and int(of)
        ):
            raise PydanticCustomError(
                "share", "give JOB/JOBS, such as 3/16, with a JOB from 0 or 1 up to JOBS"
            )
    return value


class RuntimeConfig(Section):
    """How the work is done; not in the fingerprint."""

    executor: Literal["local", "ray"] = Field(
        default="local",
        description="What spreads the work: `local` starts processes on this machine, `ray` actors of a Ray cluster.",
    )
    ray_address: Name | None = Field(
        default=None,
        description="The Ray cluster: `ray://HOST:10001`, `HOST:6379`, `auto` for the one that this machine belongs "
        "to, or `local` to start one for the run. Without it RAY_ADDRESS counts, then `local`.",
    )
    workers: Annotated[Whole, Field(ge=1, le=_MOST_WORKERS)] = Field(
        default=1,
        description="Processes that narrate shards, or check rows, at the same time; 1 starts none beside the command.",
    )
    shards: Annotated[str | None, BeforeValidator(_a_share)] = Field(
        default=None,
        description="The share of the shards that this job writes, such as `3/16`: those whose number leaves 3 when "
        "it is divided by 16. `personas merge` joins the shares.",
    )
    staging: Name | None = Field(
        default=None,
        description="The local folder that a run at a URL is written in before it is put there; by default one of its "
        "own in the user's cache folder.",
    )
    publish_s: Annotated[Number, Field(ge=0.1, le=3600)] = Field(
        default=5.0,
        description="How often a run at a URL puts new answers and closed shards there: what a lost machine loses.",
    )
    lease_s: Annotated[Number, Field(ge=1, le=3600)] = Field(
        default=30.0,
        description="How long the process that writes a run at a URL may be silent before another one takes it over.",
    )
    progress: Annotated[Literal["auto", "bar", "plain", "off"], _Off] = Field(
        default="auto",
        description="How progress is shown on stderr: a bar, plain lines, or nothing; `auto` shows a bar on a "
        "terminal and lines elsewhere.",
    )
    deadline_s: Seconds | None = Field(
        default=None, description="Seconds after which a session stops as by Ctrl-C, to be resumed later."
    )

    def has_shard(self, index: int) -> bool:
        """Whether a shard is of this job's share; jobs may be counted from 0 or from 1."""
        if self.shards is None:
            return True
        job, _, jobs = self.shards.partition("/")
        return index % int(jobs) == int(job) % int(jobs)


class Config(Section):
    """One run. `rows` may grow between calls; everything else that is fingerprinted may not change.

    Sections are also accepted as `key:` with nothing under it, which YAML reads as null.
    """

    name: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        default="run",
        description="Name of the run, shown in its card; its folder is `runs/NAME` unless `-o` says otherwise.",
    )
    locale: Name = Field(
        default="en_US", description="Population to sample: the name of a shipped locale, or a folder."
    )
    rows: Annotated[Whole, Field(ge=1, le=10**12)] = Field(
        default=200, description="Rows of the dataset. A run can be extended by a larger number."
    )
    seed: Annotated[Whole, Field(ge=0, le=2**63 - 1)] = Field(
        default=0,
        description="Seed of all random draws: row *i* depends on the model, the selection, it and *i*.",
    )
    where: Condition = Field(
        default_factory=dict,
        description="Conditions that every row meets, by attribute: a value, a list, a range (`30-45`) or a pattern.",
    )
    target: Condition = Field(
        default_factory=dict,
        description="Wanted marginals, by attribute: shares, a table file, or `uniform`. The model changes as "
        "little as possible to meet them in expectation.",
    )
    quota: Condition = Field(
        default_factory=dict,
        description="One wanted marginal that the rows meet exactly: shares, counts that sum to `rows`, a table "
        "file, or `uniform`.",
    )
    stratified: bool = Field(
        default=False,
        description="Whether draws are spread evenly, so that marginals vary less, without bias.",
    )
    input: People = Field(
        default=None,
        description="Dataset whose rows are narrated instead of sampled ones (`personas narrate`). It counts by its "
        "contents.",
    )
    plugins: Annotated[tuple[Name, ...], Field(max_length=_MOST_PLUGINS)] = Field(
        default=(),
        description="Plug-ins, as folders or names of installed packages, whose rules, measures and prompt sets the "
        "run uses too. Their code runs with the user's rights. They count by their contents.",
    )
    llm: LLMConfig = Field(default=LLMConfig(), description="The narrator.")
    prompts: PromptsConfig = Field(default=PromptsConfig(), description="What the narrator is asked.")
    validation: ValidationConfig = Field(default=ValidationConfig(), description="What findings lead to.")
    judge: JudgeConfig = Field(default=JudgeConfig(), description="A second reading, for the report.")
    output: OutputConfig = Field(default=OutputConfig(), description="The dataset's columns and files.")
    runtime: RuntimeConfig = Field(
        default=RuntimeConfig(), description="How the work is done. It changes no row."
    )

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
        selecting = [name for name in ("where", "target", "quota", "stratified") if getattr(self, name)]
        if self.input and selecting:
            raise ValueError(
                f"{selecting[0]} selects people to sample, but input={self.input.file!r} names a file of people; "
                "leave one out"
            )
        return self

    @property
    def selection(self) -> Selection:
        """The selection of people that the rows are drawn from."""
        return Selection(self.where, self.target, self.quota, self.stratified)

    def identity(self) -> dict[str, Any]:
        """Return the part of the configuration that decides the dataset's content, as plain JSON values.

        A table file of a target or quota counts by its contents. The folder of a locale or prompt set counts by its
        name; the manifest adds digests of its contents, and of an input and plug-ins. Left out, so that fingerprints
        of older releases stay valid: unused kinds of selection, a judge with share 0, an empty `without`, `continue`,
        `grounding` and `rules` if true, and unset model options.
        """
        excluded: dict[str, Any] = {
            "name": True,
            "rows": True,
            "input": True,
            "plugins": True,
            "runtime": True,
            "llm": {*HOW_REACHED, *self.llm.unset},
            "validation": {"stop_early"},
            "output": {"formats"},
        }
        excluded |= {name: True for name in ("target", "quota", "stratified") if not getattr(self, name)}
        excluded |= {} if self.judge.share else {"judge": True}
        excluded["validation"] |= {"rules"} if self.validation.rules else set()
        usual = {
            "without": not self.prompts.without,
            "continue_": self.prompts.continue_,
            "grounding": self.prompts.grounding,
        }
        excluded["prompts"] = {name for name, is_usual in usual.items() if is_usual}
        values = self.model_dump(mode="json", by_alias=True, exclude=excluded)
        values["locale"] = Path(self.locale).name
        values["prompts"]["set"] = Path(self.prompts.set).name
        return values | {name: with_digests(values[name]) for name in ("target", "quota") if name in values}

    def fingerprint(self) -> str:
        """Return the SHA-256 of `identity()` in canonical JSON; runs with equal fingerprints write the same rows."""
        canonical = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
