"""Open files: raises the limit of open files, and caps connections to what it allows."""

from __future__ import annotations

import logging
import os
import resource

logger = logging.getLogger(__name__)
# Files that a run opens beside its connections: the lock, journals, shards, tables, the event loop, name look-ups.
ROOM = 32
# The most that macOS accepts when its hard limit claims to be infinite (OPEN_MAX).
_LARGE = 10_240


def affordable_connections(wanted: int) -> int:
    """Return how many connections may be open at once: at most `wanted`, at least one.

    Raises this process's soft limit of open files (256 on macOS) as far as needed and the hard limit allows.
    """
    used = _open_files() + ROOM
    limit = _raised(used + wanted)
    return wanted if limit is None else max(1, min(wanted, limit - used))


def _raised(needed: int) -> int | None:
    """Raise the soft limit towards `needed` and return it; None if it does not restrict `needed`."""
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
