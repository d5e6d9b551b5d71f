"""Repository links: links that lead to the right place on GitHub, made to lead to the right place on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

PAGES: Mapping[str, str] = {
    "CHANGELOG.md": "docs/changelog.md",
    "CONTRIBUTING.md": "docs/contributing.md",
    "README.md": "docs/index.md",
    "census_priors/en_US/METHODS.md": "docs/methods-en_US.md",
    "census_priors/en_US/SOURCES.md": "docs/sources-en_US.md",
    "census_priors/es_ES/METHODS.md": "docs/methods-es_ES.md",
    "census_priors/es_ES/SOURCES.md": "docs/sources-es_ES.md",
    "generator/offline/README.md": "docs/reference/offline-grammar.md",
}
"""Files of the repository that are pages of the site, and where they stand in it."""

_LINK = re.compile(r"(?<=\])\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_WHOLE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def rebased(text: str, was: str, page: str) -> str:
    """The text of the file `was` with its relative links as they must be on `page`."""

    def link(found: re.Match[str]) -> str:
        return f"({_from(page, _target(was, found[1]))}{found[2] or ''})"

    return _outside_code(text, lambda prose: _LINK.sub(link, prose))


def site_links(text: str, page: str, root: Path) -> str:
    """A page's text with links to files of the repository led to their pages.

    Other files are offered as they are. Folders have no page: their link becomes their name.
    """

    def link(found: re.Match[str]) -> str:
        words, place, anchor = found[1], found[2], found[3] or ""
        target = _target(page, place)
        if target in PAGES:
            return f"[{words}]({_from(page, PAGES[target])}{anchor})"
        if (root / target).is_dir():
            return words if target in words else f"{words} (`{target}/`)"
        return found[0]

    return _outside_code(text, lambda prose: _WHOLE_LINK.sub(link, prose))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change what stands between fenced blocks of code."""
    changed, end = [], 0
    for fence in _FENCE.finditer(text):
        changed += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*changed, change(text[end:])])


def _target(page: str, place: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), place))


def _from(page: str, target: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(page) or ".")
