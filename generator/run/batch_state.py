"""BatchState: what of a run a batch endpoint was asked, and how far it is; one small file, always whole."""

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
        sha256: of the file; the endpoint's copy and the batch made of it are known by it.
        file_id: the endpoint's name for the file; empty until it is uploaded.
        batch_id: its name for the batch; empty until there is one.
        status: the batch's, as the endpoint says; `lost` where it no longer knows the batch.
        faults: why it began none of its requests.
        fetched: whether what came back is on disk, named by `answers` and `errors`.
        imported: whether that was taken into the run.
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
        """The same part with other values."""
        return self.model_copy(update=values)


class BatchRound(_Value):
    """What all unfinished rows had to ask at one time, in parts; rounds count from 1."""

    number: _Count
    parts: tuple[BatchPart, ...]

    @property
    def is_submitted(self) -> bool:
        """Whether every part is with the endpoint, or back."""
        return all(part.batch_id for part in self.parts)

    @property
    def is_over(self) -> bool:
        """Whether everything that came back was imported."""
        return all(part.imported for part in self.parts)


class BatchState(_Value):
    """All rounds of a run. `endpoint` is where they went, without anything secret."""

    version: Literal[1] = 1
    endpoint: str = ""
    rounds: tuple[BatchRound, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> BatchState:
        """The state of the run in a folder; an empty one where nothing was submitted.

        Raises:
            ConfigError: a file that is no such state.
        """
        path = RunLayout(folder).batch_state
        if not path.exists():
            return cls()
        try:
            check_input(path, _MOST_BYTES)
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"{path}: is no state of batches; move the file away: batches that the endpoint still lists are "
                "recognized when their requests are submitted again"
            ) from error

    def write(self, folder: Path) -> None:
        """Write the state whole."""
        write_whole(RunLayout(folder).batch_state, self.model_dump_json(indent=1) + "\n")

    @property
    def open_round(self) -> BatchRound | None:
        """The round that is not over, if there is one."""
        return self.rounds[-1] if self.rounds and not self.rounds[-1].is_over else None

    def batch_ids(self) -> set[str]:
        """The batches of all rounds."""
        return {part.batch_id for one in self.rounds for part in one.parts if part.batch_id}

    def begun(self, parts: tuple[BatchPart, ...], endpoint: str) -> BatchState:
        """The state with a further round."""
        further = BatchRound(number=len(self.rounds) + 1, parts=parts)
        return self.model_copy(update={"endpoint": endpoint, "rounds": (*self.rounds, further)})

    def with_part(self, index: int, part: BatchPart) -> BatchState:
        """The state with another part in the last round."""
        last = self.rounds[-1]
        parts = (*last.parts[:index], part, *last.parts[index + 1 :])
        return self.model_copy(
            update={"rounds": (*self.rounds[:-1], last.model_copy(update={"parts": parts}))}
        )


@contextmanager
def batch_locked(folder: Path) -> Iterator[None]:
    """Hold a run against other processes that submit or fetch its batches; a new folder is made, and goes if unused.

    Raises:
        ConfigError: another process holds it.
        UnwritableError: its lock cannot be made.
    """
    file = RunLayout(folder).batch_lock
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror, str(file)) from error
    with held(file, f"{folder}: another process is at its batches; wait for it or stop it"):
        try:
            yield
        finally:
            if [place.name for place in folder.iterdir()] == [file.name]:
                file.unlink()
                folder.rmdir()
