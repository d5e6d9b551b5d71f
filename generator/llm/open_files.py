"""Open files: raises the limit of open files, and caps connections to what it allows."""

from __future__ import annotations

import logging
import os
import resource

logger = logging.getLogger(__name__)
# For what a run opens beside its connections: the lock, journals, shards, tables, the event loop, name look-ups.
ROOM = 32
# What macOS takes where its hard limit is said to be infinite (OPEN_MAX).
_LARGE = 10_240


def affordable_connections(wanted: int) -> int:
    """Connections that may be open at once, at most as many as are wanted and at least one.

    Raises this process's soft limit of open files (256 on macOS) as far as they need it and the hard limit allows.
    """
    used = _open_files() + ROOM
    limit = _raised(used + wanted)
    return wanted if limit is None else max(1, min(wanted, limit - used))


def _raised(needed: int) -> int | None:
    """The soft limit after it was raised towards `needed`; None where there is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return None
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    for limit in (most, min(most, _LARGE)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        except (OSError, ValueError) as error:
            logger.debug("the limit of open files stays at %d, not %d: %s", soft, limit, error)
            continue
        return None if limit >= needed else limit
    return soft


def _open_files() -> int:
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - numbers, not paths
    except OSError:
        return ROOM
