"""Imports go one way between packages, and each heavy dependency has few importers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
ROOMS = ("foundation", "census_priors", "prompts", "validators", "generator")
MAY_IMPORT = {
    "foundation": {"foundation"},
    "census_priors": {"foundation", "census_priors"},
    "prompts": {"foundation", "prompts"},
    "validators": {"foundation", "census_priors", "validators"},
    "generator": set(ROOMS),
}
# The folders of the engine, in the order of the data flow: each may import those before it. The modules at its root
# (`""`: a session, a trial, an estimate) are above all folders except the command line.
ENGINE = (
    "config",
    "model",
    "sampling",
    "population",
    "llm",
    "offline",
    "narration",
    "input",
    "run",
    "executor",
    "report",
    "comparison",
    "analysis",
    "",
    "cli",
)
# How many modules of each package may import a dependency; others use these modules. Builders are left out: they run
# once a year, on files of the statistical offices.
IMPORTERS = {
    "aiohttp": {"generator": 2},
    "fsspec": {"generator": 1},
    "openai": {"generator": 1},
    "pgmpy": {"generator": 1},
    "pyarrow": {"foundation": 5, "census_priors": 3, "validators": 1, "generator": 2},
    "ray": {"generator": 2},
    "tenacity": {"generator": 1},
    "torch": {},
    "vllm": {},
}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def name_of(module: Path) -> str:
    parts = module.relative_to(ROOT).with_suffix("").parts
    return ".".join(("census_personas", *(parts[:-1] if parts[-1] == "__init__" else parts)))


@cache
def imported(module: Path, *, inside: bool = True) -> set[str]:
    """Return the dotted names that a module imports; without `inside`, only those outside functions."""
    names = set()
    for node in _running(ast.parse(module.read_text(encoding="utf-8")), inside=inside):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {"." * node.level + (node.module or "")}
            names |= {f"{node.module}.{alias.name}" for alias in node.names if not node.level}
    return names


def _running(tree: ast.AST, *, inside: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not is_for_types and (inside or not is_function):
            yield child
            yield from _running(child, inside=inside)


@pytest.mark.parametrize("room", ROOMS)
def test_package_imports_only_allowed_ones(room: str) -> None:
    trespasses = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in modules(room)
        for name in imported(module)
        if name.startswith("census_personas.") and name.split(".")[1] not in MAY_IMPORT[room]
    }
    assert not trespasses


@pytest.mark.parametrize("room", ROOMS)
def test_package_is_imported_by_full_name(room: str) -> None:
    bare = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in [*modules(room), *ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py")]
        for name in imported(module)
        if name.startswith(".") or name.split(".")[0] in ROOMS
    }
    assert not bare


def floor_of(name: str) -> int:
    """Return the position in `ENGINE` of a dotted name below `generator`; the package itself is the lowest."""
    parts = name.split(".")[2:]
    if not parts:
        return 0
    return ENGINE.index(parts[0] if parts[0] in ENGINE else "")


def test_engine_folders_import_only_earlier_ones() -> None:
    trespasses = {
        f"{module.relative_to(ROOT)}: {name}"
        for module in modules("generator")
        if module.parent != ROOT / "generator" or module.stem != "__init__"
        for name in imported(module)
        if name.startswith("census_personas.generator.") and floor_of(name) > floor_of(name_of(module))
    }
    assert not trespasses


def test_tables_are_read_without_builders() -> None:
    users = {
        str(module.relative_to(ROOT))
        for room in ROOMS
        for module in modules(room)
        if "build" not in module.relative_to(ROOT).parts
        and any(name.startswith("census_personas.census_priors.build") for name in imported(module))
    }
    assert users == {
        "generator/analysis/raking_weights.py",
        "generator/cli/priors.py",
        "generator/population/scoring.py",
    }


@pytest.mark.parametrize("dependency", sorted(IMPORTERS))
def test_heavy_dependency_has_few_importers(dependency: str) -> None:
    importers = [
        module.relative_to(ROOT)
        for room in ROOMS
        for module in modules(room)
        if any(name.split(".")[0] == dependency for name in imported(module))
    ]
    counts = Counter(path.parts[0] for path in importers if path.parts[1] != "build")
    assert counts <= Counter(IMPORTERS[dependency]), importers


def test_no_import_cycles() -> None:
    needs = {name_of(module): imported(module, inside=False) for room in ROOMS for module in modules(room)}
    left = {
        name: {other for other in names if other in needs and other != name} for name, names in needs.items()
    }
    while free := {name for name, names in left.items() if not names & left.keys()}:
        left = {name: names for name, names in left.items() if name not in free}
    assert not left, "these modules import each other in a circle"


@pytest.mark.parametrize("start", ["census_personas", "census_personas.generator.cli.main"])
def test_start_loads_no_heavy_dependency(start: str) -> None:
    heavy = "{'numpy', 'pandas', 'pgmpy', 'pyarrow', 'scipy', 'openai', 'aiohttp', 'datasets', 'ray'}"
    code = f"import sys, {start}; print(*sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
