"""Plugin: a folder of rules, measures and prompt sets, and the import of its modules."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from census_personas.foundation.errors import PersonasError

KINDS = ("rules", "measures", "prompts")
"""Subfolders of a plug-in, each of which may be absent."""
OWN_NAMES = "census_personas_plugin_"
"""Prefix of package names for plug-in folders that are not installed packages."""


_IMPORTING = threading.RLock()
_imported: dict[str, str] = {}  # digest of the imported files, by package


class PluginError(PersonasError, ValueError):
    """A plug-in that cannot be used; the message names the file, what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in.

    Attributes:
        name: of the folder, or of the entry point.
        folder: the folder of its files.
        package: the name under which Python imports its modules.
        digest: SHA-256 of the files that may decide rows: all but measures and prompt sets; empty if there are none.
    """

    name: str
    folder: Path
    package: str
    digest: str

    @property
    def reference(self) -> str:
        """The name of the plug-in in a config."""
        return str(self.folder) if self.package.startswith(OWN_NAMES) else self.name

    def files(self, kind: str) -> Mapping[str, Path]:
        """Return the modules of a kind by name, in alphabetical order; `_name.py` files are private.

        Raises:
            PluginError: a file name is not a Python name.
        """
        files = sorted((self.folder / kind).glob("*.py"))
        modules = {file.stem: file for file in files if not file.name.startswith("_")}
        for name, file in modules.items():
            if not name.isidentifier():
                raise PluginError(f"{file}: {name!r} is not a Python name; use letters, digits and _")
        return modules

    @property
    def prompt_sets(self) -> Mapping[str, Path]:
        """The prompt sets by name: folders of `prompts/`."""
        return {
            place.parent.name: place.parent for place in sorted(self.folder.glob("prompts/*/personas.j2"))
        }

    def load(self, kind: str, name: str) -> ModuleType:
        """Import a module.

        Raises:
            PluginError: the import fails; the message names file, line and exception. Or an installed package was
                changed after its first import, so that its digest would not match the running code.
        """
        if _imported.setdefault(self.package, self.digest) != self.digest:
            raise PluginError(f"{self.folder}: was changed after it was imported; restart Python")
        try:
            with _IMPORTING:
                if self.package.startswith(OWN_NAMES) and self.package not in sys.modules:
                    _import_folder(self.package, self.folder)
            return import_module(f"{self.package}.{kind}.{name}")
        except (Exception, SystemExit) as error:  # foreign code may raise anything
            place = locate_error(error, self.folder) or self.folder / kind / f"{name}.py"
            raise PluginError(f"{place}: cannot be imported: {describe_error(error)}") from error


def describe_error(error: BaseException) -> str:
    """Describe an exception in one line, with its type."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    line = " ".join(text.split())
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def locate_error(error: BaseException, folder: Path) -> str:
    """Return the innermost file and line in a folder where an exception was raised; empty if there is none."""
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((error.filename, error.lineno))
    inside = [(file, line) for file, line in lines if Path(os.path.realpath(file)).is_relative_to(folder)]
    return "{}:{}".format(*inside[-1]) if inside else ""


def _import_folder(package: str, folder: Path) -> None:
    """Import a folder as a package, with its `__init__.py` if it has one."""
    invalidate_caches()
    start = folder / "__init__.py"
    places = [str(folder)]
    spec = spec_from_file_location(package, start, submodule_search_locations=places)
    if spec is None or spec.loader is None or not start.is_file():
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = places
    sys.modules[package] = module = module_from_spec(spec)
    if spec.loader is None:
        return
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[package]
        raise
