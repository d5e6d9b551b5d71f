"""The documentation site: it takes its reference from the code, and builds without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from generated_pages import PARTS, completed
from generated_pages.commands import commands
from generated_pages.config_keys import Key, fingerprinted, keys, markdown
from generated_pages.repository_links import PAGES, rebased, site_links

from census_personas.validators.measure_registry import measures
from census_personas.validators.rules import rules

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES_OF_SITE = sorted(page for page in DOCS.rglob("*.md"))
KEYS = {key.path: key for key in keys()}


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.path)
def test_every_key_is_described(key: Key) -> None:
    assert key.description.endswith("."), f"{key.path} needs Field(description=...), a sentence"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("seed", "in the fingerprint"),
        ("rows", "not in the fingerprint"),
        ("llm.model", "in the fingerprint"),
        ("llm.concurrency", "not in the fingerprint"),
        ("validation.stop_early", "not in the fingerprint"),
        ("output.schema", "in the fingerprint"),
        ("input", "in the fingerprint by its contents"),
    ],
)
def test_the_fingerprint_of_a_key_is_computed(path: str, expected: str) -> None:
    assert fingerprinted(KEYS[path]) == expected


def test_a_key_has_type_bounds_and_default() -> None:
    assert "*whole number from 1 to 100,000; default `64`; not in the fingerprint*" in markdown()
    assert "*number above 0 up to 1; default `1.0`; in the fingerprint*" in markdown()


def test_every_command_and_option_is_listed() -> None:
    text = PARTS["commands"]()
    for name, command in commands():
        section = text.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        options = {word for part in command.params for word in part.opts if word.startswith("-")}
        assert [word for word in options - {"--help"} if f"`{word}`" not in section] == [], name


def test_every_rule_and_measure_is_listed() -> None:
    assert {*re.findall(r"^### `(\w+)`$", PARTS["rules"](), re.MULTILINE)} == set(rules())
    assert {*re.findall(r"^### `(\w+)`$", PARTS["measures"](), re.MULTILINE)} == set(measures())


def test_every_environment_variable_is_listed() -> None:
    rooms = ("census_personas", "census_priors", "foundation", "generator", "prompts", "validators")
    code = "".join(path.read_text(encoding="utf-8") for room in rooms for path in (ROOT / room).rglob("*.py"))
    page = (DOCS / "reference/environment.md").read_text(encoding="utf-8")
    assert {name for name in re.findall(r"\bPERSONAS_[A-Z_]+", code) if f"`{name}`" not in page} == set()


def test_every_part_stands_on_one_page() -> None:
    asked = re.findall(
        r"<!-- generated: ([a-z-]+) -->", "".join(page.read_text("utf-8") for page in PAGES_OF_SITE)
    )
    assert sorted(asked) == sorted(PARTS)


def test_files_of_the_repository_have_their_pages() -> None:
    assert {place for place in PAGES.values() if not (ROOT / place).exists()} == set()


def test_links_follow_a_file_to_its_page() -> None:
    text = "See [it](../../examples/README.md#x) and [code](a.md).\n```text\n[no](link.md)\n```\n"
    moved = rebased(text, "docs/how-to/one.md", "docs/two.md")
    assert (
        moved == "See [it](../examples/README.md#x) and [code](how-to/a.md).\n```text\n[no](link.md)\n```\n"
    )


def test_links_into_the_repository_lead_to_pages() -> None:
    text = "[methods](../census_priors/en_US/METHODS.md#counted), [the example](../examples/puerto_rico)"
    linked = site_links(text, "docs/methodology.md", ROOT)
    assert linked == "[methods](methods-en_US.md#counted), the example (`examples/puerto_rico/`)"


def test_the_changelog_page_is_the_changelog() -> None:
    page = completed("<!-- repository: CHANGELOG.md -->", "docs/changelog.md")
    assert page.startswith("# Changelog")
    assert "](docs/" not in page


def test_ci_builds_the_site_strictly() -> None:
    assert "\n  sphinx-build -EnW --keep-going -q docs site\n" in (ROOT / ".ci/run").read_text(
        encoding="utf-8"
    )


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    config = "extensions = ['myst_parser']\nnitpicky = True\nmyst_heading_anchors = 4\n"
    (tmp_path / "conf.py").write_text(config, encoding="utf-8")
    broken = ("gone.md", "index.md#lost", "#missing")
    links = "\n".join(f"[link]({link})" for link in broken)
    (tmp_path / "index.md").write_text(f"# Title\n\n{links}\n", encoding="utf-8")
    options = ["-nW", "--keep-going", "-q", "-b", "dummy"]
    command = [sys.executable, "-m", "sphinx", *options, str(tmp_path), str(tmp_path / "site")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode != 0
    assert [link for link in ("gone.md", "lost", "missing") if link not in built.stderr] == []


def test_the_glossary_defines_each_term_once() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8").partition("## Words to avoid")[0]
    terms = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    words = [word.strip() for term in terms if term != "term" for word in term.split(",")]
    assert sorted(words) == sorted(set(words))
    assert {"marginal", "evidence", "TVD", "PUMS", "finding", "repair", "shard", "seal", "fingerprint"} <= {
        *words
    }


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_generated(part: str) -> None:
    assert PARTS[part]().strip()
