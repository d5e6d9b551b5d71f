"""Generated pages: what the reference takes from the code, put into its pages when the site is built.

A page says where: the line `<!-- generated: commands -->` becomes the Markdown that `commands.py` writes, and
`<!-- repository: CHANGELOG.md -->` that file of the repository. On GitHub both are invisible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generated_pages import checks, commands, config_keys, files, python_api
from generated_pages.repository_links import rebased, site_links

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands.markdown,
    "config": config_keys.markdown,
    "measures": checks.measures_markdown,
    "python-api": python_api.markdown,
    "rules": checks.rules_markdown,
    "run-folder": files.run_folder_markdown,
    "columns": files.columns_markdown,
    "manifest": files.manifest_markdown,
    "report": files.report_markdown,
    "validation": files.validation_markdown,
    "footer": files.footer_markdown,
}
"""The parts that pages may ask for, by name."""

_GENERATED = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)
_REPOSITORY = re.compile(r"^<!-- repository: (\S+) -->$", re.MULTILINE)


def completed(text: str, page: str) -> str:
    """The text of a page (its path in the repository) with its parts in place and links as the site needs them."""
    text = _REPOSITORY.sub(lambda part: rebased(_file(part[1]), part[1], page), text)
    text = _GENERATED.sub(lambda part: PARTS[part[1]](), text)
    return site_links(text, page, ROOT)


def _file(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _on_source_read(app: Sphinx, page: str, source: list[str]) -> None:
    path = Path(app.env.doc2path(page)).relative_to(ROOT)
    source[0] = completed(source[0], path.as_posix())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", _on_source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
