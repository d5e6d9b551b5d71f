"""The house rules that a program can see: short modules, named after a noun, and documents that tell the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("census_priors", "generator", "prompts", "validators")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NOT_A_NOUN = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}


def test_no_module_is_longer_than_300_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES
    }
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [str(path.relative_to(ROOT)) for path in MODULES if path.stem in NOT_A_NOUN] == []


def test_nothing_but_the_command_line_prints_or_exits() -> None:
    loud = re.compile(r"(?<![\w.])(print|sys\.exit|exit)\(")
    found = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if not path.name.startswith("cli") and loud.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_into_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_architecture_names_every_module_and_no_other() -> None:
    tree = re.search(
        r"```text\n(.*?)```", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert tree is not None
    named, folder = set(), ""
    for line in tree[1].splitlines():
        indent, entry = len(line) - len(line.lstrip()), line.split()[0]
        if entry.endswith("/"):
            parents = [part for part in folder.split("/") if part][: indent // 2]
            folder = "/".join([*parents, entry.rstrip("/")])
        elif entry.endswith(".py"):
            depth = indent // 2
            named.add("/".join([*folder.split("/")[:depth], entry]))
    # A rule or a measure is its file name; the tree names their folders.
    one_a_file = {ROOT / "validators/records", ROOT / "validators/dataset"}
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if path.name != "__init__.py" and path.parent not in one_a_file
    }
    assert named == on_disk
