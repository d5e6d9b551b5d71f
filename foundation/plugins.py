"""Plugins: finds the plug-ins that a config or call names, in folders and installed packages."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType

from census_personas.foundation.plugin import KINDS, OWN_NAMES, Plugin, PluginError, describe_error
from census_personas.foundation.user_path import check_input

GROUP = "census_personas.plugins"
"""Entry point group of plug-ins: each entry has the plug-in's name and its package."""
MAX_FILES, MAX_BYTES = 2_000, 64 * 2**20
"""Most files of a plug-in, and most bytes of all files together."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# These decide no row: reports alone use measures, and prompt sets have their own digest.
_DECIDE_NO_ROW = frozenset({"measures", "prompts"})


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plug-ins of one config or call, in the order in which they were named."""

    members: tuple[Plugin, ...] = ()

    @classmethod
    def load(cls, named: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Plugins:
        """Find the named plug-ins; their modules are imported later, on use.

        An installed plug-in takes precedence over a folder of the same name; write `./name` for the folder.

        Raises:
            PluginError: no folder or installed plug-in has this name, or two plug-ins have the same name.
        """
        members: dict[str, Plugin] = {}
        for name in [named] if isinstance(named, str | os.PathLike) else named:
            plugin = _plugin(name)
            other = members.setdefault(plugin.name, plugin)
            if other.folder != plugin.folder:
                raise PluginError(
                    f"plugins: {other.folder} and {plugin.folder} are both named {plugin.name!r}; rename one"
                )
        return cls(tuple(members.values()))

    def modules(
        self, kind: str, required: Collection[str], taken: Collection[str], home: str
    ) -> Mapping[str, ModuleType]:
        """Import the modules of a kind; return them by name, in alphabetical order.

        Args:
            kind: one of `KINDS`.
            required: names that each module must define.
            taken: names of this package's own modules, which a plug-in may not use.
            home: the folder of these modules, for the message.

        Raises:
            PluginError: a module cannot be imported, lacks a name, or is named like another one.
        """
        files: dict[str, Path] = {}
        modules: dict[str, ModuleType] = {}
        for plugin in self.members:
            for name, file in plugin.files(kind).items():
                if name in taken or name in files:
                    other = files.get(name, f"{home}/{name}.py")
                    raise PluginError(f"{file}: {name!r} is also the name of {other}; rename one")
                files[name] = file
                modules[name] = plugin.load(kind, name)
                if lacking := [wanted for wanted in required if not hasattr(modules[name], wanted)]:
                    raise PluginError(f"{file}: does not define {', '.join(lacking)}; define it in this file")
        return MappingProxyType(dict(sorted(modules.items())))

    def prompt_sets(self, taken: Collection[str] = ()) -> Mapping[str, Path]:
        """Return the folders of prompt sets by name; `taken` are the names of shipped sets.

        Raises:
            PluginError: two sets have the same name.
        """
        sets: dict[str, Path] = {}
        for plugin in self.members:
            for name, folder in plugin.prompt_sets.items():
                if name in taken or name in sets:
                    other = sets.get(name, f"the shipped prompts/{name}")
                    raise PluginError(f"{folder}: {name!r} is also the name of {other}; rename one")
                sets[name] = folder
        return MappingProxyType(sets)

    @property
    def digests(self) -> dict[str, str]:
        """Digests of the plug-ins that may decide rows, by `plugins/NAME`."""
        return {f"plugins/{plugin.name}": plugin.digest for plugin in self.members if plugin.digest}


NO_PLUGINS = Plugins()


def installed() -> Mapping[str, metadata.EntryPoint]:
    """Return the plug-ins of installed packages by name, without importing them."""
    return {point.name: point for point in sorted(metadata.entry_points(group=GROUP))}


def _plugin(named: str | os.PathLike[str]) -> Plugin:
    point = installed().get(named) if isinstance(named, str) and _NAME.fullmatch(named) else None
    folder = _named_folder(os.fspath(named)) if point is None else _installed_folder(point)
    if not any(_is_folder(folder / kind) for kind in KINDS):
        raise PluginError(
            f"{folder}: is not a plug-in: it has no folder {', '.join(KINDS[:-1])} or {KINDS[-1]}"
        )
    name = folder.name if point is None else point.name
    if not _NAME.fullmatch(name):
        raise PluginError(f"{folder}: name the folder in letters, digits, dots, hyphens and underscores")
    whole, deciding = _digests(folder)
    if point is not None:
        return Plugin(name, folder, point.module, deciding)
    # Edited files become a new package, so that a notebook runs the files on disk, not an earlier import.
    identity = hashlib.sha256(f"{folder}\0{whole}".encode()).hexdigest()[:16]
    return Plugin(name, folder, f"{OWN_NAMES}{re.sub('[^0-9A-Za-z]', '_', name)}_{identity}", deciding)


def _named_folder(text: str) -> Path:
    if not _is_folder(text):
        offered = ", ".join(installed()) or "none"
        raise PluginError(
            f"plugins: {text!r} is neither a folder nor an installed plug-in; installed: {offered}"
        )
    return Path(os.path.realpath(text))


def _is_folder(place: str | Path) -> bool:
    """Return whether this is a folder; False for invalid names, for which `Path` would raise."""
    return os.path.isdir(place)  # noqa: PTH112


def _installed_folder(point: metadata.EntryPoint) -> Path:
    """Return the folder of an installed package; Python imports its parent packages to find it."""
    try:
        spec = find_spec(point.module)
    except (Exception, SystemExit) as error:  # foreign code may raise anything
        reason = describe_error(error)
        raise PluginError(f"plugins: {point.name}: {point.module} cannot be imported: {reason}") from error
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise PluginError(f"plugins: {point.name}: there is no package {point.module}; install it again")
    return Path(os.path.realpath(places[0]))


def _digests(folder: Path) -> tuple[str, str]:
    """Return the SHA-256 of all files, and of those that may decide rows (empty if there are none)."""
    whole, deciding, decides = hashlib.sha256(), hashlib.sha256(), False
    size = 0
    for number, file in enumerate(_files(folder), 1):
        try:
            check_input(file)
            size += file.stat().st_size
            if number > MAX_FILES or size > MAX_BYTES:
                raise PluginError(
                    f"{folder}: has more than {MAX_FILES} files or {MAX_BYTES} bytes; keep other files elsewhere"
                )
            content = file.read_bytes()
        except OSError as error:
            raise PluginError(
                f"{file}: cannot be read ({error.strerror}); move it out of the plug-in"
            ) from error
        inside = file.relative_to(folder)
        entry = f"{inside.as_posix()}\0{len(content)}\0".encode() + content
        whole.update(entry)
        if inside.parts[0] not in _DECIDE_NO_ROW:
            deciding.update(entry)
            decides = True
    return whole.hexdigest(), deciding.hexdigest() if decides else ""


def _files(folder: Path) -> Iterator[Path]:
    """Yield every file of a plug-in in a fixed order, without hidden and compiled files.

    Raises:
        PluginError: a folder cannot be read, or is a link, whose files an import would reach but the digest would not.
    """

    def refuse(error: OSError) -> None:
        raise PluginError(f"{error.filename}: cannot be read ({error.strerror})") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for name in folders:
            if (link := Path(place, name)).is_symlink():
                raise PluginError(f"{link}: is a link to a folder; replace it by the folder itself")
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))
