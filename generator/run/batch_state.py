"""BatchState: the batches that a run has submitted and their progress, kept in one small file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from census_personas.foundation.atomic_file import UnwritableError, write_whole
from census_personas.foundation.run_layout import RunLayout
from census_personas.foundation.user_path import check_input
from census_personas.generator.config.run_config import ConfigError
from census_personas.generator.run.folder_lock import held

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_MOST_BYTES = 2**26


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BatchPart(_Value):
    """One file of requests.

    Attributes:
        sha256: digest of the file; it identifies the endpoint's copy and the batch made from it.
        file_id: the endpoint's name for the file; empty until it is uploaded.
        batch_id: the endpoint's name for the batch; empty until there is one.
        status: status of the batch, as the endpoint reports it; `lost` if the endpoint no longer knows the batch.
        faults: reasons why the endpoint began none of the requests.
        fetched: whether the results are on disk; `answers` and `errors` say which files there are.
        imported: whether the results were taken into the run.
    """

    requests: _Count
    size: _Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    file_id: str = ""
    batch_id: str = ""
    status: str = ""
    completed: _Count = 0
    failed: _Count = 0
    faults: tuple[str, ...] = ()
    answers: bool = False
    errors: bool = False
    fetched: bool = False
    imported: bool = False

    def changed(self, **values: Any) -> BatchPart:
        """Return a copy of the part with other values."""
        return self.model_copy(update=values)


class BatchRound(_Value):
    """The requests of all unfinished rows at one time, in parts; rounds count from 1."""

    number: _Count
    parts: tuple[BatchPart, ...]

    @property
    def is_submitted(self) -> bool:
        """Whether every part was submitted."""
        return all(part.batch_id for part in self.parts)

    @property
    def is_over(self) -> bool:
        """Whether the results of every part were imported."""
        return all(part.imported for part in self.parts)


class BatchState(_Value):
    """All rounds of a run. `endpoint` is the address that they were sent to, without secrets."""

    version: Literal[1] = 1
    endpoint: str = ""
    rounds: tuple[BatchRound, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> BatchState:
        """Read the state of the run in a folder; return an empty state if nothing was submitted.

        Raises:
            ConfigError: the file is not such a state.
        """
        path = RunLayout(folder).batch_state
        if not path.exists():
            return cls()
        try:
            check_input(path, _MOST_BYTES)
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"{path}: is not a state of batches; move the file away: batches that the endpoint still lists are "
                "recognized when their requests are submitted again"
            ) from error

    def write(self, folder: Path) -> None:
        """Write the state in one step."""
        write_whole(RunLayout(folder).batch_state, self.model_dump_json(indent=1) + "\n")

    @property
    def open_round(self) -> BatchRound | None:
        """The last round if it is not over, otherwise None."""
        return self.rounds[-1] if self.rounds and not self.rounds[-1].is_over else None

    def batch_ids(self) -> set[str]:
        """Return the names of the batches of all rounds."""
        return {part.batch_id for one in self.rounds for part in one.parts if part.batch_id}

    def begun(self, parts: tuple[BatchPart, ...], endpoint: str) -> BatchState:
        """Return the state with a further round."""
        further = BatchRound(number=len(self.rounds) + 1, parts=parts)
        return self.model_copy(update={"endpoint": endpoint, "rounds": (*self.rounds, further)})

    def with_part(self, index: int, part: BatchPart) -> BatchState:
        """Return the state with a part of the last round replaced."""
        last = self.rounds[-1]
        parts = (*last.parts[:index], part, *last.parts[index + 1 :])
        return self.model_copy(
            update={"rounds": (*self.rounds[:-1], last.model_copy(update={"parts": parts}))}
        )


@contextmanager
def batch_locked(folder: Path) -> Iterator[None]:
    """Lock a run's batches against other processes; create the run's folder, and remove it if it stays unused.

    Raises:
        ConfigError: another process has the lock.
        UnwritableError: the lock file cannot be created.
    """
    file = RunLayout(folder).batch_lock
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror, str(file)) from error
    with held(file, f"{folder}: another process works on its batches; wait for it or stop it"):
        try:
            yield
        finally:
            if [place.name for place in folder.iterdir()] == [file.name]:
                file.unlink()
                folder.rmdir()
