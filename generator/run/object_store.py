"""ObjectStore: the objects below one URL, each read and written whole; nothing else here imports fsspec."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from census_personas.foundation.atomic_file import whole_file
from census_personas.foundation.errors import PersonasError
from census_personas.generator.config.run_config import ConfigError

# Where the library of a scheme keeps the root of those of its errors that are no OSError.
_ERRORS: Mapping[str, tuple[str, str]] = {
    "file": ("builtins", "OSError"),
    "s3": ("botocore.exceptions", "BotoCoreError"),
    "gs": ("aiohttp", "ClientError"),
    "az": ("azure.core.exceptions", "AzureError"),
}
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


class StoreError(PersonasError, OSError):
    """A store that cannot be reached or refuses; what was written before stays."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """The message alone."""
        return str(self.args[0])


def is_url(text: str) -> bool:
    """Whether a text is a URL, of whatever scheme, and no path."""
    return _URL.match(text) is not None


class ObjectStore:
    """Objects by name, relative to a URL. Listings are never cached: what another process wrote is seen."""

    def __init__(self, url: str) -> None:
        """Find the scheme's library; nothing is asked of the store.

        Raises:
            ConfigError: no URL of a known scheme with a bucket, or its library is not installed.
        """
        self.url = url.rstrip("/")
        self._scheme = check_url(url)
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra

            self._files, path = url_to_fs(self.url, use_listings_cache=False, **self._options())
            module, name = _ERRORS[self._scheme]
            self._refusals = (OSError, getattr(importlib.import_module(module), name))
        except ImportError as error:
            extra = "census-personas[s3]" if self._scheme in {"s3", "file"} else _PACKAGES[self._scheme]
            raise ConfigError(f"{url}: {error.name} is not installed; pip install '{extra}'") from error
        self._path = str(path).rstrip("/")

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of each object, by name, in a folder or in all; empty where there is none."""
        with self._asked(folder):
            found: Mapping[str, Any] = self._files.find(self._at(folder), detail=True)
        return {place[len(self._path) + 1 :]: int(said["size"]) for place, said in sorted(found.items())}

    def read(self, names: Sequence[str]) -> list[bytes]:
        """What is in each of these objects."""
        return self._ranges(names, [0] * len(names), [None] * len(names))

    def read_ends(self, names: Sequence[str], sizes: Sequence[int], most: int) -> list[bytes]:
        """The last `most` bytes of each of these objects, of which the sizes are known."""
        return self._ranges(names, [max(0, size - most) for size in sizes], list(sizes))

    def write(self, name: str, content: bytes) -> None:
        """Write an object, in place of what has its name."""
        with self._asked(name):
            if self._scheme == "file":
                with whole_file(Path(self._at(name))) as partial:
                    partial.write_bytes(content)
            else:
                self._files.pipe_file(self._at(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object that is not there yet; False, and nothing is changed, where it is (`If-None-Match: *`)."""
        with self._asked(name):
            try:
                self._files.pipe_file(self._at(name), content, mode="create")
            except FileExistsError:
                return False
            return True

    def put(self, name: str, file: Path) -> None:
        """Write an object from a file; readers see what was there before, or all of it."""
        with self._asked(name):
            if self._scheme == "file":
                with whole_file(Path(self._at(name))) as partial:
                    shutil.copyfile(file, partial)
            else:
                self._files.put_file(str(file), self._at(name))

    def get(self, name: str, file: Path) -> None:
        """Write a file from an object, whole."""
        with whole_file(file) as partial, self._asked(name):
            self._files.get_file(self._at(name), str(partial))

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        with self._asked(name):
            if self._files.exists(self._at(name)):
                self._files.rm_file(self._at(name))

    def _ranges(self, names: Sequence[str], starts: list[int], ends: list[int | None]) -> list[bytes]:
        with self._asked(names[0] if names else ""):
            places = [self._at(name) for name in names]
            return list(self._files.cat_ranges(places, starts, ends, on_error="raise")) if places else []

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _options(self) -> dict[str, Any]:
        return {"auto_mkdir": True} if self._scheme == "file" else {}

    @contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        """Say an error of the library as one of ours."""
        try:
            yield
        except self._refusals as error:
            raise StoreError(f"{self.url}: {_said(error, self.url, name)}") from error


def _said(error: BaseException, url: str, name: str) -> str:
    """What a store's refusal means, and what to do about it."""
    line = " ".join(str(error).split()) or type(error).__name__
    bucket = url.split("/")[2]
    if isinstance(error, PermissionError):
        return (
            f"access is refused ({line}); check the credentials, and that they may list, read and write there"
        )
    if isinstance(error, FileNotFoundError) and "bucket" in line:
        return f"there is no bucket {bucket!r}; make it first, or correct the name"
    if "credentials" in line.lower():
        return f"no credentials ({line}); give them as usual, by environment variables or a profile"
    return f"{name or 'it'} cannot be read or written ({line}); repeat the command"


def check_url(url: str) -> str:
    """The scheme of a URL that a run can be written to.

    Raises:
        ConfigError: another scheme, no bucket, or credentials in the URL, which are not repeated.
    """
    parsed = _URL.match(url)
    scheme, rest = parsed.groups() if parsed else ("", url)
    if scheme not in _ERRORS:
        known = ", ".join(f"{name}://" for name in _ERRORS)
        raise ConfigError(f"{scheme}://: is no store that a run can be written to; give one of {known}")
    bucket = rest.partition("/")[0]
    if "@" in bucket:
        raise ConfigError(
            f"{scheme}://…@{bucket.rpartition('@')[2]}: has credentials in the URL; give them by environment "
            "variables or a profile"
        )
    if "?" in rest or "#" in rest or (scheme != "file" and not bucket) or not rest.strip("/"):
        raise ConfigError(f"{url}: is no place of a run; give {scheme}://BUCKET/FOLDER, without a query")
    if scheme == "file" and bucket:
        raise ConfigError(f"{url}: names a host; give file:///FOLDER")
    return scheme
