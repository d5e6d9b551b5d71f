"""Manifest: what a run folder holds and how it came about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import check_input
from census_personas.generator.config.run_config import Config, ConfigError

_PACKAGES = ("census-personas", "pgmpy", "numpy", "pandas", "pyarrow", "openai", "pydantic")

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_MOST_BYTES = 2**24
_PLACES = frozenset({"locale", "prompts.set"})
State = Literal["running", "stopped", "short", "complete", "share"]


def _with_digests(identity: dict[str, Any]) -> dict[str, Any]:
    digests = identity.get("digests")
    if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("identity.digests names the data that rows depend on")
    return identity


class Manifest(BaseModel):
    """The account of one run. `identity` is all that decides the rows; wall-clock times stand only here.

    Attributes:
        state: `running` (or killed), `stopped` by the user or the endpoint, `short` of rows, `complete`, or a `share`:
            finished, of a run that several jobs write, each some of its shards.
        round: how often rows have been tried: each resume of a run that came out short begins the next one.
        notes: how an input was read, and what of it the dataset does not keep.
        drawn: of an input, how many accepted people have a fact drawn that it does not say, by fact.
        rows: rows asked for; `accepted` and `rejected` count those in finished shards.
        cost: of the tokens of finished shards, at the configured prices.
        seconds: time spent narrating, all resumes together.
        endpoint: what the endpoint was seen to understand, and the requests of all sessions together.
        format: version of this file; run folders with it open in later releases.
        name: of the run, as its config says.
        fingerprint: SHA-256 of the part of the config that decides the dataset's content.
        identity: that part itself, and digests of the data that rows depend on.
        locale: name of the locale.
        seed: of all random draws.
        model: name of the narrator.
        backend: `openai` or `offline`.
        notice: what readers of the dataset must know about the narrator.
        accepted: rows in the dataset.
        rejected: rows in `rejected/`.
        prompt_tokens: tokens of all prompts of finished shards, those that came from a cache included.
        completion_tokens: tokens of their answers.
        started: time of the first session, in UTC.
        finished: time at which the last session ended, in UTC.
        versions: of the packages that decide rows or texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    name: str
    fingerprint: str
    identity: Annotated[dict[str, Any], AfterValidator(_with_digests)]
    state: State = "running"
    round: Annotated[int, Field(ge=1)] = 1
    locale: str
    seed: int
    model: str
    backend: str
    notice: str
    notes: tuple[str, ...] = ()
    drawn: dict[str, _Count] = Field(default_factory=dict)
    rows: _Count
    accepted: _Count = 0
    rejected: _Count = 0
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    cost: float = 0.0
    started: str = ""
    finished: str = ""
    seconds: float = 0.0
    endpoint: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, digests: Mapping[str, str], model: str, notice: str) -> Manifest:
        """The manifest of a run that has not begun; `digests` name the data that rows also depend on."""
        return cls(
            name=config.name,
            fingerprint=config.fingerprint(),
            identity={**config.identity(), "digests": dict(digests)},
            locale=Path(config.locale).name,
            seed=config.seed,
            model=model,
            backend=config.llm.backend,
            notice=notice,
            rows=config.rows,
            versions={package: metadata.version(package) for package in _PACKAGES},
        )

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest of a run folder, or None where there is none.

        Raises:
            ConfigError: a manifest that is not one of ours.
        """
        path = RunLayout(folder).manifest
        try:
            check_input(path, _MOST_BYTES)
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"{path}: not a manifest that this version reads; give a new folder, and copy journal/ of this one "
                "into it if its answers are to be used again"
            ) from error

    def write(self, folder: Path) -> None:
        """Write it whole."""
        values = self.model_dump(mode="json")
        write_whole(RunLayout(folder).manifest, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def asked(self, account: Mapping[str, Any]) -> dict[str, Any]:
        """`endpoint` with one more session's account: counts are added, the latest finding stands."""
        added = {
            name: value + before
            for name, value in account.items()
            if type(value) is int and type(before := self.endpoint.get(name, 0)) is int
        }
        return {**self.endpoint, **account, **added}

    @property
    def run_digest(self) -> str:
        """What is the same in all parts of this run and in no other run: SHA-256 of its identity, 16 digits of it."""
        decides = json.dumps(self.identity, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(decides.encode()).hexdigest()[:16]

    def differences(self, other: Manifest) -> tuple[str, ...]:
        """What decides rows and is not the same in `other`, one line each: key, value here, value there.

        Where locale and prompt set lie does not: what is in them counts, by its digests.
        """
        here, there = dict(_leaves(self.identity)), dict(_leaves(other.identity))
        return tuple(
            f"{key}: {_shown(here, key)} in the folder, {_shown(there, key)} now"
            for key in sorted({*here, *there} - _PLACES)
            if here.get(key) != there.get(key)
        )


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    return repr(leaves[key]) if leaves.get(key) is not None else "nothing"


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys and values in full; a mapping without any has none to name."""
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner
