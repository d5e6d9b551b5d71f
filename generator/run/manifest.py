"""Manifest: the contents of a run folder and how they were made."""

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
    """The account of one run. `identity` holds everything that decides the rows; clock times are kept only here.

    Attributes:
        state: `running` (or killed), `stopped` by the user or the endpoint, `short` of rows, `complete`, or `share`:
            the finished shards of one of several jobs that write a run together.
        round: number of rounds of attempts; each resume of a run that is short of rows begins the next one.
        notes: how an input was read, and which of its columns the dataset does not keep.
        drawn: for an input, the number of accepted people with a drawn fact, by fact.
        rows: number of rows requested; `accepted` and `rejected` count those in finished shards.
        cost: cost of the tokens of finished shards, at the configured prices.
        seconds: time spent narrating in all sessions.
        endpoint: options that the endpoint was found to support, and the requests of all sessions.
        format: version of this file; later releases open run folders with it.
        name: name of the run, from its config.
        fingerprint: SHA-256 of the part of the config that decides the dataset's content.
        identity: that part itself, and digests of the data that rows depend on.
        locale: name of the locale.
        seed: seed of all random draws.
        model: name of the narrator.
        backend: `openai` or `offline`.
        notice: what readers of the dataset must know about the narrator.
        accepted: number of rows in the dataset.
        rejected: number of rows in `rejected/`.
        prompt_tokens: tokens of all prompts of finished shards, including cached ones.
        completion_tokens: tokens of their answers.
        started: start of the first session, in UTC.
        finished: end of the last session, in UTC.
        versions: versions of the packages that decide rows or texts.
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
        """Return the manifest of a run that has not begun; `digests` are those of the data that rows depend on."""
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
        """Read the manifest of a run folder; return None if there is none.

        Raises:
            ConfigError: the file is not a manifest that this release reads.
        """
        path = RunLayout(folder).manifest
        try:
            check_input(path, _MOST_BYTES)
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"{path}: not a manifest that this version reads; give a new folder, and copy journal/ into it to "
                "use the answers again"
            ) from error

    def write(self, folder: Path) -> None:
        """Write the manifest in one step."""
        values = self.model_dump(mode="json")
        write_whole(RunLayout(folder).manifest, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def asked(self, account: Mapping[str, Any]) -> dict[str, Any]:
        """Return `endpoint` with a further session's account: counts are added; of other values the last is kept."""
        added = {
            name: value + before
            for name, value in account.items()
            if type(value) is int and type(before := self.endpoint.get(name, 0)) is int
        }
        return {**self.endpoint, **account, **added}

    @property
    def run_digest(self) -> str:
        """The first 16 digits of the SHA-256 of the identity, stored in all parts of this run."""
        decides = json.dumps(self.identity, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(decides.encode()).hexdigest()[:16]

    def differences(self, other: Manifest) -> tuple[str, ...]:
        """Return a line for each key of the identity that differs: key, value here, value in `other`.

        The paths of locale and prompt set are ignored; the digests of their contents are compared.
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
    """Yield the leaves of nested mappings under dotted keys; an empty mapping has none."""
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner
