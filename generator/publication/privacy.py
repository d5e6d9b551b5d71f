"""Privacy: looks for keys, personal data and local paths in files that are about to be published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from census_personas.foundation.dataset_reader import footer_text, read_frames
from census_personas.generator.publication.contents import PublicFile

SUSPECTS = {
    "an API key": re.compile(
        r"\b(?:sk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{30,}"
        r"|github_pat_\w{30,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|xox[abprs]-[0-9A-Za-z-]{10,})"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b"),
    "a US social security number": re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"),
    "a telephone number": re.compile(
        r"(?<![\w.-])(?:(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"
        r"|\+\d{1,3}(?:[ .-]?\d{2,4}){3,4})(?![\w-])"
    ),
    "a path of this machine": re.compile(
        r"(?<![\w/:.<])/(?:home|Users|root|tmp|mnt|srv|opt|var|data|scratch|workspace)/[\w.-]+"
        r"|\b[A-Za-z]:\\Users\\[\w.-]+"
    ),
}
"""What is looked for, by what it is."""


def leaks(files: Iterable[PublicFile]) -> Iterator[str]:
    """Yield a line for each suspect: file, row and column where it has them, and what it looks like, not its value."""
    for file in files:
        if file.path.endswith(".parquet"):
            yield from _in_rows(file)
            continue
        text = (file.content if isinstance(file.content, bytes) else file.content.read_bytes()).decode(
            "utf-8", "replace"
        )
        for kind, pattern in SUSPECTS.items():
            if found := pattern.search(text):
                yield f"{file.path}, line {text.count(chr(10), 0, found.start()) + 1}: {kind}"


def _in_rows(file: PublicFile) -> Iterator[str]:
    if isinstance(file.content, bytes):
        return
    footer = footer_text(file.content)
    for kind, pattern in SUSPECTS.items():
        if pattern.search(footer):
            yield f"{file.path}, metadata of the file: {kind}"
    begin = 0
    for frame in read_frames(file.content):
        for column in frame.columns:
            values = frame[column]
            if values.dtype.kind in "iufb":
                continue
            texts = values.map(
                lambda value: "\n".join(map(str, value)) if not isinstance(value, str) else value
            )
            for kind, pattern in SUSPECTS.items():
                suspect = texts.astype(str).str.contains(pattern).to_numpy(dtype=bool)
                for row in suspect.nonzero()[0]:
                    yield f"{file.path}, row {begin + int(row)}, {column}: {kind}"
        begin += len(frame)
