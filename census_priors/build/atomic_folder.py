"""Atomic folders: written completely or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from census_personas.foundation.user_path import DestinationError, output_folder

_OF_A_LOCALE = frozenset({"tables", "lookups"})


def refuse_other_folder(target: Path, *, inputs: Iterable[Path] = ()) -> None:
    """Refuse to replace a folder that is not a locale.

    Raises:
        DestinationError: the target cannot be a folder, or holds something that a locale does not have.
    """
    output_folder(target, inputs=inputs)
    items = list(target.iterdir()) if target.is_dir() else []
    strange = [item.name for item in items if item.is_dir() and item.name not in _OF_A_LOCALE]
    if strange or (items and not (target / "priors.yaml").is_file()):
        shown = strange[0] if strange else items[0].name
        raise DestinationError(f"{target}: holds {shown!r}, which a locale would replace; give a new folder")


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Provide an empty folder beside `target`; on success it replaces the target.

    Call `refuse_other_folder` first.

    After an exception the target is unchanged and the new folder is deleted. A crash leaves at worst a folder whose
    name begins with a dot, and never half a target.
    """
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    new, old = work / "new", work / "old"
    new.mkdir()
    try:
        yield new
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    finally:
        shutil.rmtree(work)
