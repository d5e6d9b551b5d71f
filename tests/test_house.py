"""Rules of the project that a program can check: short modules named after a noun, and true documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[1]
ROOMS = ("census_priors", "foundation", "generator", "prompts", "validators")
MODULES = sorted(path for room in ("census_personas", *ROOMS) for path in (ROOT / room).rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NOT_A_NOUN = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_module_has_a_vague_name() -> None:
    assert [str(path.relative_to(ROOT)) for path in MODULES if path.stem in NOT_A_NOUN] == []


def test_array_types_have_one_name() -> None:
    here = ROOT / "foundation/arrays.py"
    shared = re.findall(r"npt\.NDArray\[np\.\w+\]", here.read_text(encoding="utf-8"))
    spelled_out = {
        str(path.relative_to(ROOT)): spelling
        for path in MODULES
        if path != here
        for spelling in shared
        if spelling in path.read_text(encoding="utf-8")
    }
    assert spelled_out == {}


def test_only_the_command_prints_or_exits() -> None:
    loud = re.compile(r"(?<![\w.])(print|sys\.exit|exit)\(")
    found = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if path.parent.name != "cli"
        and path.stem != "__main__"
        and loud.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_quick_tests_cover_every_folder() -> None:
    tests = ROOT / "tests"
    texts = {path: path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")}
    quick = {path.parent for path, text in texts.items() if "\npytestmark = pytest.mark.quick\n" in text}
    assert {path.parent for path in texts} - quick == {tests / "inference_server", tests / "small_model"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_into_the_repository_resolve(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def paths_of(tree: str) -> set[str]:
    """Return the paths in a tree indented by two blanks per level; siblings may share a line (`a.py, b.py`)."""
    found: set[str] = set()
    folders: list[str] = []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = [name for name in line.split("  ")[depth].split(", ") if name]
        folders[depth:] = [names[0].rstrip("/")] if names[0].endswith("/") else []
        found |= {"/".join([*folders[:depth], name.rstrip("/")]) for name in names}
    return found


def test_architecture_names_every_folder() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    tree = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    assert tree is not None
    named = paths_of(tree[1])
    assert {name for name in named if not any(ROOT.glob(name))} == set()
    assert {path.parent.relative_to(ROOT).as_posix() for path in MODULES} - named == set()
