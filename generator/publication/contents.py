"""Contents: the files of a run that are published, by an allow-list; everything else stays."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.run_layout import RunLayout
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.shard_store import check_parts

PUBLIC_MANIFEST = "manifest.json"
_PRIVATE = frozenset({"endpoint", "seconds", "cost", "notes"})
"""Keys of a manifest that say how and where a run was made, not what it is."""
_LICENCE = re.compile(r"^license:[ \t]*(\S.*)?$", re.MULTILINE)
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9.\-]*")
_BLOCK = 1 << 20


class PublicationError(PersonasError, ValueError):
    """A run that cannot be published, or a hub that refuses; the message names the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class PublicFile:
    """One file to publish: its path in the repository, and its content as a local file or as bytes."""

    path: str
    content: Path | bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def sha256(self) -> str:
        """Compute its digest, in blocks."""
        digest = hashlib.sha256()
        if isinstance(self.content, bytes):
            digest.update(self.content)
            return digest.hexdigest()
        with self.content.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


def public_files(
    run: Path, *, licence: str | None = None, keys: bool = False, shortfall: bool = False
) -> tuple[PublicFile, ...]:
    """Return the files of a run to publish: parts, card, report, public manifest, citation.

    Args:
        run: the run folder.
        licence: identifier for the card, in place of the one that it has.
        keys: also publish `keys.parquet`, the keys of an input.
        shortfall: allow a run that lacks rows.

    Raises:
        PublicationError: the folder holds no run, or the run is unfinished, lacks rows, a card or a licence.
        DatasetError: a part is damaged.
    """
    layout = RunLayout(run)
    manifest = Manifest.read(run) if run.is_dir() else None
    if manifest is None:
        raise PublicationError(f"{run}: holds no run; give a folder that `personas generate` wrote")
    if manifest.state not in {"complete", "short"}:
        raise PublicationError(f"{run}: is {manifest.state}; finish it by the command that began it")
    if manifest.state == "short" and not shortfall:
        raise PublicationError(
            f"{run}: lacks {manifest.rows - manifest.accepted} of {manifest.rows} rows; complete it, or add "
            "--allow-shortfall"
        )
    check_parts(run)
    for name in ("README.md", "report.html", "report.json"):
        if not (run / name).is_file():
            raise PublicationError(f"{run / name}: is missing; repeat the run's command, which writes it")
    card = _licensed((run / "README.md").read_text(encoding="utf-8"), licence, run)
    found = [PublicFile("README.md", card.encode())]
    found += [PublicFile(f"personas/{part.name}", part) for part in sorted(layout.parts.glob("*.parquet"))]
    found += [PublicFile(name, run / name) for name in ("report.html", "report.json")]
    if keys:
        if not (run / "keys.parquet").is_file():
            raise PublicationError(f"{run}: has no keys.parquet; leave --keys out")
        found.append(PublicFile("keys.parquet", run / "keys.parquet"))
    found.append(PublicFile("CITATION.cff", _citation(manifest).encode()))
    digests = {file.path: file.sha256() for file in found}
    return (*found, PublicFile(PUBLIC_MANIFEST, _manifest(manifest, digests).encode()))


def _licensed(card: str, licence: str | None, run: Path) -> str:
    """Return the card with the licence in its front matter; refuse one without."""
    front = _FRONT.match(card)
    if front is None:
        raise PublicationError(f"{run / 'README.md'}: has no front matter; repeat the run's command")
    if licence is not None:
        if not _IDENTIFIER.fullmatch(licence):
            raise PublicationError(f"--license {licence}: give an identifier such as cc-by-4.0 or other")
        head = front[0]
        line = f"license: {licence}"
        head = (
            _LICENCE.sub(line, head, count=1)
            if _LICENCE.search(head)
            else head.replace("---\n", f"---\n{line}\n", 1)
        )
        return head + card[front.end() :]
    said = _LICENCE.search(front[0])
    if said is None or not said[1]:
        raise PublicationError(
            f"{run / 'README.md'}: names no licence; add --license, such as --license cc-by-4.0"
        )
    return card


def _manifest(manifest: Manifest, digests: dict[str, str]) -> str:
    values = {key: value for key, value in manifest.model_dump(mode="json").items() if key not in _PRIVATE}
    return json.dumps({**values, "sha256": digests}, indent=2, ensure_ascii=False) + "\n"


def _citation(manifest: Manifest) -> str:
    """Return a citation file (CFF 1.2.0) for the dataset."""
    date = f"date-released: {manifest.finished[:10]}\n" if manifest.finished else ""
    return (
        "cff-version: 1.2.0\n"
        "message: If you use this dataset, please cite it as below.\n"
        "type: dataset\n"
        f"title: {json.dumps(manifest.name + ': synthetic personas')}\n"
        "authors:\n  - name: its publisher\n"
        f"{date}"
        f"identifiers:\n  - type: other\n    value: {json.dumps(manifest.fingerprint)}\n"
        "    description: Fingerprint of the run's configuration\n"
    )
