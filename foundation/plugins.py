"""Plugins: those that a configuration or a call names, found in folders and among installed packages."""

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
"""Entry points by which a package offers itself: the plug-in's name, and the package whose folder it is."""
MAX_FILES, MAX_BYTES = 2_000, 64 * 2**20
"""Files of a plug-in, and their bytes together."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# These decide no row: a measure is read in reports alone, and a run knows a prompt set by a digest of its own.
_DECIDE_NO_ROW = frozenset({"measures", "prompts"})


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plug-ins of one configuration or call, in the order in which they were named."""

    members: tuple[Plugin, ...] = ()

    @classmethod
    def load(cls, named: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Plugins:
        """Look at the plug-ins that are named; their modules are imported when they are asked for.

        An installed name is taken before a folder of that name, which `./name` still means.

        Raises:
            PluginError: there is no such folder and nothing of that name is installed, or two have the same name.
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
        """The modules of a kind by name, in alphabetical order, imported.

        Args:
            kind: one of `KINDS`.
            required: names that each module must define.
            taken: names of the modules of this package, which a plug-in's may not have.
            home: the folder of those, for the message.

        Raises:
            PluginError: a module that cannot be imported, lacks a name, or is named like another one.
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
        """The folders of prompt sets by name; shipped sets have `taken` some names.

        Raises:
            PluginError: two sets have one name.
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
    """The plug-ins that packages of this environment offer, by name; nothing of theirs is imported."""
    return {point.name: point for point in sorted(metadata.entry_points(group=GROUP))}


def _plugin(named: str | os.PathLike[str]) -> Plugin:
    point = installed().get(named) if isinstance(named, str) and _NAME.fullmatch(named) else None
    folder = _named_folder(os.fspath(named)) if point is None else _installed_folder(point)
    if not any(_is_folder(folder / kind) for kind in KINDS):
        raise PluginError(f"{folder}: is no plug-in: it has no folder {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    name = folder.name if point is None else point.name
    if not _NAME.fullmatch(name):
        raise PluginError(f"{folder}: name the folder in letters, digits, dots, hyphens and underscores")
    whole, deciding = _digests(folder)
    if point is not None:
        return Plugin(name, folder, point.module, deciding)
    # Files that were edited are another package, so that a notebook runs what is on disk, not what was imported before.
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
    """Whether there is such a folder; False for what no file system takes for a name, where `Path` would raise."""
    return os.path.isdir(place)  # noqa: PTH112


def _installed_folder(point: metadata.EntryPoint) -> Path:
    """The folder of an installed package. Python imports the packages around it to find it, where it has any."""
    try:
        spec = find_spec(point.module)
    except (Exception, SystemExit) as error:  # whatever foreign code may raise
        said = describe_error(error)
        raise PluginError(f"plugins: {point.name}: {point.module} cannot be imported: {said}") from error
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise PluginError(f"plugins: {point.name}: there is no package {point.module}; install it anew")
    return Path(os.path.realpath(places[0]))


def _digests(folder: Path) -> tuple[str, str]:
    """SHA-256 of all files, and of those that may decide rows (empty where there are none)."""
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
    """Every file of a plug-in, in one order; hidden ones and what Python compiles are left out.

    Raises:
        PluginError: a folder that cannot be read, or is a link, whose files an import would reach and a digest not.
    """

    def refuse(error: OSError) -> None:
        raise PluginError(f"{error.filename}: cannot be read ({error.strerror})") from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        for name in folders:
            if (link := Path(place, name)).is_symlink():
                raise PluginError(f"{link}: is a link to a folder; put the folder itself there")
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))
