"""PUMS download: fetches the national person and housing files from the Census Bureau."""

from __future__ import annotations

import zipfile
from pathlib import Path

from census_personas.census_priors.build.download import DownloadError, download
from census_personas.census_priors.build.en_US.pums import person_files
from census_personas.census_priors.build.en_US.sources import PUMS
from census_personas.census_priors.build.source import SourceError

FILES = ("csv_pus.zip", "csv_hus.zip")
"""All states and DC; Puerto Rico has separate files (csv_ppr.zip, csv_hpr.zip)."""


def fetch_pums(folder: Path, base: str = PUMS.url, *, plain_http: bool = False) -> Path:
    """Fetch missing files, test every archive, and return the folder.

    The Census Bureau publishes no digests of these files: their length and the checksums inside each archive are
    verified, and their SHA-256 goes into the provenance of the locale.

    Raises:
        DownloadError: a file cannot be fetched, or is damaged.
        SourceError: the folder has other person files, whose people would count twice.
    """
    others = [path.name for path in _present(folder) if path.name not in FILES]
    if others:
        raise SourceError(
            f"{folder}: already has person files ({others[0]}); name an empty folder, or build from these"
        )
    for name in FILES:
        path = download(base + name, folder / name, plain_http=plain_http)
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
        except zipfile.BadZipFile as error:
            raise DownloadError(f"{path}: not a ZIP file ({error}); delete it and try again") from error
        if damaged is not None:
            raise DownloadError(f"{path}: {damaged} is damaged; delete the file and try again")
    return folder


def _present(folder: Path) -> list[Path]:
    try:
        return person_files(folder)
    except SourceError:
        return []
