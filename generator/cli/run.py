"""What the commands that narrate a run share: progress, result, headline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from census_personas.generator.cli.failure import DEADLINE, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from census_personas.generator.config.run_config import Config
    from census_personas.generator.llm.chat import ChatModel
    from census_personas.generator.run.manifest import Manifest


def run_folder(path: Path, inputs: Iterable[Path] = ()) -> Path:
    """The folder that a run is to be written into, refused where it is no place for one."""
    from census_personas.foundation.user_path import output_folder

    return output_folder(path, inputs=inputs)


def destination(output: str, inputs: Iterable[Path] = ()) -> Path | str:
    """Where a run is to be written: the folder, refused where it is no place for one, or the URL."""
    from census_personas.generator.run.object_store import check_url, is_url

    if not is_url(output):
        return run_folder(Path(output), inputs)
    check_url(output)
    return output


def name_of(settings: Config) -> str:
    """What a run's folder is called by default; shares of a run have folders of their own."""
    share = settings.runtime.shards
    return settings.name if share is None else f"{settings.name}-{share.replace('/', '-of-')}"


def run(settings: Config, folder: Path | str, *, as_json: bool) -> None:
    """Write or resume a run; a shortfall is the last line, and exit code 1, 124 at a deadline, 130 at an interrupt."""
    from census_personas.generator.run.run_store import staging_of
    from census_personas.generator.session import InterruptedRunError

    try:
        manifest = narrated(settings, folder)
        stopped = settings.runtime.deadline_s is not None and manifest.state == "stopped"
        code = DEADLINE if stopped else 1
    except InterruptedRunError as error:
        manifest, code = error.manifest, INTERRUPTED
    print(manifest.model_dump_json() if as_json else f"{folder}: {manifest.accepted} rows")
    headline(manifest, folder if isinstance(folder, Path) else staging_of(folder, settings), code)


def narrated(settings: Config, folder: Path | str, model: ChatModel | None = None) -> Manifest:
    """The manifest of a run that was written or resumed, its progress shown on the way."""
    from census_personas.generator.cli.progress import progress
    from census_personas.generator.session import generate

    with progress(settings.runtime.progress) as observe:
        return generate(settings, folder, observe, model=model)


def headline(manifest: Manifest, folder: Path, code: int = 1) -> None:
    """The narrator's notice, what of an input is not kept, what is missing, and what to do about it.

    Raises:
        Exit: with this code, where rows are missing.
    """
    from census_personas.generator.run.rejections import rejected_place

    for note in filter(None, (manifest.notice, *manifest.notes)):
        print(f"note: {note}", file=sys.stderr)
    if manifest.state == "complete":
        return
    if manifest.state == "share":
        print(
            "note: this is one job's share of the run; `personas merge` joins it with the others",
            file=sys.stderr,
        )
        return
    missing = manifest.rows - manifest.accepted
    why = f"{manifest.rejected} rejected, see {rejected_place(folder)}" if manifest.rejected else "stopped"
    print(
        f"personas: {missing} of {manifest.rows} rows are missing ({why}); {_remedy(manifest, folder)}",
        file=sys.stderr,
    )
    raise typer.Exit(code)


def _remedy(manifest: Manifest, folder: Path) -> str:
    from census_personas.generator.run.rejections import (
        count_for_facts,
        count_for_unknown_facts,
        rejected_place,
    )

    again = "the same command tries them again"
    hopeless = count_for_facts(folder) if manifest.rejected else 0
    if not hopeless:
        return again
    unknown = count_for_unknown_facts(folder)
    mend = "whose facts are wrong: mend them in the input, or change validation.policy"
    foreign = (
        "whose occupation or place is not known to the locale, and need not be wrong: mend them in the input to near "
        f"ones that it knows, which {rejected_place(folder)} names"
    )
    if unknown == hopeless:
        mend = foreign
    elif unknown:
        mend = f"{mend}; {unknown} of them {foreign}"
    if hopeless < manifest.rows - manifest.accepted:
        return f"{again}, all but {hopeless} {mend}"
    return f"all of people {mend}"
