"""The installed package equals the repository's packages, and nothing else.

An editable installation finds every folder; a wheel has only those that pyproject.toml names. These tests compare the
two, because a missing package shows itself only on somebody else's machine.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("census_priors", "foundation", "generator", "prompts", "validators")
PACKAGE = "census_personas"
"""The root package and its folder; the other packages are installed below it."""


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files_on_disk() -> set[str]:
    """Return the files of the package, by their installed names."""
    return {
        (PurePosixPath(PACKAGE) / path.relative_to(ROOT / folder if folder == PACKAGE else ROOT)).as_posix()
        for folder in (PACKAGE, *ROOMS)
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def source_of(package: str) -> Path:
    """Return the repository folder of an installed package."""
    inner = package.split(".")[1:]
    return ROOT.joinpath(*inner) if inner else ROOT / PACKAGE


def test_every_folder_is_a_listed_package(pyproject: dict[str, Any]) -> None:
    on_disk = {".".join(PurePosixPath(name).parent.parts) for name in files_on_disk() if name.endswith(".py")}
    assert on_disk == set(pyproject["tool"]["setuptools"]["packages"])


def test_every_package_has_an_init_file(pyproject: dict[str, Any]) -> None:
    packages = pyproject["tool"]["setuptools"]["packages"]
    assert [name for name in packages if not (source_of(name) / "__init__.py").is_file()] == []


def test_package_data_matches_every_file(pyproject: dict[str, Any]) -> None:
    matched = {
        "/".join((*package.split("."), path.relative_to(source_of(package)).as_posix()))
        for package, patterns in pyproject["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in source_of(package).glob(pattern)
    }
    data = {name for name in files_on_disk() if not name.endswith(".py")}
    assert data - matched == set()


def test_type_checker_links_resolve() -> None:
    links = ROOT / ".dev" / PACKAGE
    door = {path.name for path in (ROOT / PACKAGE).iterdir() if path.name != "__pycache__"}
    assert {path.name for path in links.iterdir()} == {*door, *ROOMS}
    assert all(path.is_symlink() and path.exists() for path in links.iterdir())


def test_installed_version_has_a_changelog(pyproject: dict[str, Any]) -> None:
    version = pyproject["project"]["version"]
    assert metadata.version("census-personas") == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_shipped_dependencies_need_no_gpu() -> None:
    required = " ".join(metadata.requires("census-personas") or []).lower()
    assert not [name for name in ("torch", "nvidia", "cuda", "triton", "vllm") if name in required]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """A wheel built from a copy, so that leftovers of earlier builds are not included."""
    folder = tmp_path_factory.mktemp("wheel")
    for room in (PACKAGE, *ROOMS):
        shutil.copytree(ROOT / room, folder / "source" / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source" / name)
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", folder / "source"]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ZipFile(next((folder / "dist").glob("*.whl")))


def test_wheel_holds_exactly_the_packages(wheel: ZipFile) -> None:
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == files_on_disk()


def test_wheel_has_licence_and_command(wheel: ZipFile) -> None:
    information = {name.split(".dist-info/")[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert "Apache License" in wheel.read(information["licenses/LICENSE"]).decode()
    assert f"personas = {PACKAGE}.__main__:main" in wheel.read(information["entry_points.txt"]).decode()


def test_api_works_outside_the_checkout(wheel: ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "site")
    code = (
        "import sys, census_personas as api; "
        "assert not {'numpy', 'pandas', 'pgmpy', 'pyarrow', 'openai'} & sys.modules.keys(); "
        "from census_personas import Population, generate; "
        "from census_personas.generator import Population as Same; "
        "assert Same is Population and all(getattr(api, name) for name in api.__all__); "
        "print(api.__file__, api.__version__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(tmp_path / "site" / PACKAGE / "__init__.py"),
        metadata.version("census-personas"),
    ]


def test_wheel_is_small(wheel: ZipFile) -> None:
    assert sum(item.compress_size for item in wheel.infolist()) < 20_000_000
