"""What the commands that narrate a run share: progress, result, headline."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from persona_engine.generator.config import Config
    from persona_engine.generator.run.manifest import Manifest


def run(settings: Config, folder: Path, *, as_json: bool) -> None:
    """Write or resume a run; a shortfall is the last line, and exit code 1."""
    from persona_engine.generator.cli.progress import progress
    from persona_engine.generator.session import generate

    with progress(settings.runtime.progress) as observe:
        manifest = generate(settings, folder, observe)
    print(manifest.model_dump_json() if as_json else f"{folder}: {manifest.accepted} rows")
    headline(manifest, folder)


def headline(manifest: Manifest, folder: Path) -> None:
    """The narrator's notice, and what is missing."""
    if manifest.notice:
        print(f"note: {manifest.notice}", file=sys.stderr)
    if manifest.state == "complete":
        return
    missing = manifest.rows - manifest.accepted
    why = f"{manifest.rejected} rejected, see {folder / 'rejected.jsonl'}" if manifest.rejected else "stopped"
    print(
        f"personas: {missing} of {manifest.rows} rows are missing ({why}); the same command tries them again",
        file=sys.stderr,
    )
    raise typer.Exit(1)
