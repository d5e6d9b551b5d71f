"""Prose: normalises text to one plain form for matching."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_TYPOGRAPHY = {
    "\u2011": "-",
    "\u2019": "'",
    "\u2013": "-",
    "\u2014": " - ",
    "\u202f": " ",
    "\u00a0": " ",
    "\u2018": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2010": "-",
    "\u2012": "-",
    "\u2015": " - ",
    "\u2212": "-",
    "\u02bc": "'",
    "\u2032": "'",
    "\u00ad": "",
    "\u200b": "",
    "\u2060": "",
    "\ufeff": "",
    "\u00df": "ss",
    "\u00e6": "ae",
    "\u00c6": "Ae",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u0131": "i",
    "\u0111": "d",
    "\u0110": "D",
}
_SPACES = re.compile(r"\s+")
_PRINTABLE = bytes(range(32, 127))
_LETTERS = bytes(
    code + 32 if chr(code).isupper() else code if chr(code).islower() or code == 10 else 32
    for code in range(128)
)
_DIGITS = bytes(code if chr(code).isdigit() else 32 for code in range(128)) + b" " * 128
_TABLE = _LETTERS + b" " * 128


def plain(text: str) -> str:
    """Return text in plain ASCII: straight quotes and hyphens, letters without diacritics, single spaces.

    Letters of other scripts are dropped; rules that search for them read the original text.
    """
    return _ascii(_straight(text))


def plain_each(texts: Sequence[str]) -> list[str]:
    """Apply `plain` to each text; faster than one by one."""
    whole = _straight("\n".join(texts))
    parts = whole.split("\n")
    if len(parts) != len(texts):
        return list(map(plain, texts))
    if "  " not in whole and len(unusual(whole)) == len(texts) - 1:  # only the line ends are unusual
        return list(map(str.strip, parts))
    return list(map(_ascii, parts))


def unusual(text: str) -> str:
    """Return the characters of a text that are not printable ASCII, in order."""
    return text.encode("utf-8", "surrogatepass").translate(None, _PRINTABLE).decode("utf-8", "surrogatepass")


def _straight(text: str) -> str:
    if not text.isascii():
        for character in set(unusual(text)):
            if character in _TYPOGRAPHY:
                text = text.replace(character, _TYPOGRAPHY[character])
    return text


def _ascii(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    if "  " in text or not text.isprintable():
        text = _SPACES.sub(" ", text)
    return text.strip()


def numbers(text: str) -> list[str]:
    """Return the runs of digits in a text, in order."""
    return text.encode("ascii", "replace").translate(_DIGITS).decode("ascii").split()


def words(text: str) -> list[str]:
    """Return the words of plain text in lower case; every character that is no letter separates words."""
    return letters(text).split()


def letters(text: str) -> str:
    """Return plain text in lower case; every character but letters and line ends becomes a space."""
    return text.encode("ascii", "replace").translate(_TABLE).decode("ascii")
