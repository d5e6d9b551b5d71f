"""Folder lock: one process at a time writes a run."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from census_personas.foundation.atomic_file import UnwritableError
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.config.run_config import ConfigError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run folder against other processes.

    Raises:
        ConfigError: another process holds it.
        UnwritableError: its lock cannot be made.
    """
    with held(RunLayout(path).lock, f"{path}: another process is writing this run; wait for it or stop it"):
        yield


@contextmanager
def held(file: Path, refusal: str) -> Iterator[None]:
    """Hold a lock file, which is made if it is not there and stays; `refusal` is the error while another holds it.

    Raises:
        ConfigError: another process holds it.
        UnwritableError: the file cannot be made or locked.
    """
    # The lock is the kernel's and goes with the process: nothing to clean up after a crash.
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise UnwritableError(error.errno, error.strerror, str(file)) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(refusal) from error
        except OSError as error:
            raise UnwritableError(error.errno, error.strerror, str(file)) from error
        yield
    finally:
        os.close(handle)
