"""ObjectStore: the objects below one URL, each read and written whole; the only module that imports fsspec."""

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

# Module and base class of those errors of a scheme's library that are not an OSError.
_ERRORS: Mapping[str, tuple[str, str]] = {
    "file": ("builtins", "OSError"),
    "s3": ("botocore.exceptions", "BotoCoreError"),
    "gs": ("aiohttp", "ClientError"),
    "az": ("azure.core.exceptions", "AzureError"),
}
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


class StoreError(PersonasError, OSError):
    """A store cannot be reached or refuses access; objects that were written before stay."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


def is_url(text: str) -> bool:
    """Return whether a text is a URL of any scheme, not a path."""
    return _URL.match(text) is not None


class ObjectStore:
    """Objects by name, relative to a URL. Listings are not cached, so objects of other processes are seen."""

    def __init__(self, url: str) -> None:
        """Load the library for the scheme; send no request yet.

        Raises:
            ConfigError: the URL has no known scheme or no bucket, or its library is not installed.
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
        """Return the bytes of each object by name, in a folder or everywhere; empty if there are none."""
        with self._translated(folder):
            objects: Mapping[str, Any] = self._files.find(self._at(folder), detail=True)
        return {place[len(self._path) + 1 :]: int(info["size"]) for place, info in sorted(objects.items())}

    def read(self, names: Sequence[str]) -> list[bytes]:
        """Return the content of each of these objects."""
        return self._ranges(names, [0] * len(names), [None] * len(names))

    def read_ends(self, names: Sequence[str], sizes: Sequence[int], most: int) -> list[bytes]:
        """Return the last `most` bytes of each of these objects of known size."""
        return self._ranges(names, [max(0, size - most) for size in sizes], list(sizes))

    def write(self, name: str, content: bytes) -> None:
        """Write an object, replacing one of the same name."""
        with self._translated(name):
            if self._scheme == "file":
                with whole_file(Path(self._at(name))) as partial:
                    partial.write_bytes(content)
            else:
                self._files.pipe_file(self._at(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a new object (`If-None-Match: *`); return False and change nothing if it exists."""
        with self._translated(name):
            try:
                self._files.pipe_file(self._at(name), content, mode="create")
            except FileExistsError:
                return False
            return True

    def put(self, name: str, file: Path) -> None:
        """Write an object from a file; readers see the old object or the whole new one."""
        with self._translated(name):
            if self._scheme == "file":
                with whole_file(Path(self._at(name))) as partial:
                    shutil.copyfile(file, partial)
            else:
                self._files.put_file(str(file), self._at(name))

    def get(self, name: str, file: Path) -> None:
        """Write a file from an object in one step."""
        with whole_file(file) as partial, self._translated(name):
            self._files.get_file(self._at(name), str(partial))

    def remove(self, name: str) -> None:
        """Remove an object if it exists."""
        with self._translated(name):
            if self._files.exists(self._at(name)):
                self._files.rm_file(self._at(name))

    def _ranges(self, names: Sequence[str], starts: list[int], ends: list[int | None]) -> list[bytes]:
        with self._translated(names[0] if names else ""):
            places = [self._at(name) for name in names]
            return list(self._files.cat_ranges(places, starts, ends, on_error="raise")) if places else []

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path

    def _options(self) -> dict[str, Any]:
        return {"auto_mkdir": True} if self._scheme == "file" else {}

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """Turn an error of the library into a `StoreError`."""
        try:
            yield
        except self._refusals as error:
            raise StoreError(f"{self.url}: {_explain(error, self.url, name)}") from error


def _explain(error: BaseException, url: str, name: str) -> str:
    """Return what a store's error means, and its remedy."""
    line = " ".join(str(error).split()) or type(error).__name__
    bucket = url.split("/")[2]
    if isinstance(error, PermissionError):
        return f"access is refused ({line}); check that the credentials may list, read and write there"
    if isinstance(error, FileNotFoundError) and "bucket" in line:
        return f"there is no bucket {bucket!r}; create it first, or correct the name"
    if "credentials" in line.lower():
        return f"no credentials ({line}); give them as usual, by environment variables or a profile"
    return f"{name or 'it'} cannot be read or written ({line}); repeat the command"


def check_url(url: str) -> str:
    """Return the scheme of a URL that a run can be written to.

    Raises:
        ConfigError: the URL has another scheme, no bucket, or credentials, which the message does not repeat.
    """
    parsed = _URL.match(url)
    scheme, rest = parsed.groups() if parsed else ("", url)
    if scheme not in _ERRORS:
        known = ", ".join(f"{name}://" for name in _ERRORS)
        raise ConfigError(f"{scheme}://: a run cannot be written to such a store; give one of {known}")
    bucket = rest.partition("/")[0]
    if "@" in bucket:
        raise ConfigError(
            f"{scheme}://…@{bucket.rpartition('@')[2]}: has credentials in the URL; give them by environment "
            "variables or a profile"
        )
    if "?" in rest or "#" in rest or (scheme != "file" and not bucket) or not rest.strip("/"):
        raise ConfigError(
            f"{url}: a run cannot be written there; give {scheme}://BUCKET/FOLDER, without a query"
        )
    if scheme == "file" and bucket:
        raise ConfigError(f"{url}: names a host; give file:///FOLDER")
    return scheme
