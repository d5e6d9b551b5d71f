"""Redaction: outside text cleaned for display, with secrets removed."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit
from urllib.request import getproxies

from census_personas.foundation.printable import printable

LONG = 16
"""Characters from which on a secret is unmistakable: an answer that holds it is unusable."""
LONGEST_SHOWN = 300
"""Characters of a foreign text that a message quotes."""
LONGEST_PART = 12
"""Characters in a row of a long secret from which on a message is kept back whole."""
_HIDDEN = "[key]"
_KEPT_BACK = "[a text that repeats a key]"
# Characters without a shape of their own: soft hyphens, joiners, marks of direction and order.
_INVISIBLE = re.compile(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff\\x00-\\x1f\\x7f-\\x9f]"
)
_CODED = re.compile(r"[\\%&]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_USER_INFO = re.compile(r"^[^/?#]*//([^@]*)@|^([^@/]+)@")


class Secrets:
    """What must not be shown: a key, the passwords in proxies' URLs, and the forms in which they may come back.

    Secrets of at least `LONG` characters are looked for in answers too; shorter ones, such as `EMPTY`, are words that
    an answer may hold, and are kept out of messages alone.
    """

    def __init__(self, secrets: Iterable[str], quiet: Iterable[str] = ()) -> None:
        """Keep every form of each secret, the longest first, so that no part of one is left.

        `quiet` is kept out of messages alone, however long it is, such as a header's value that is ordinary words.
        """
        known = {secret for secret in secrets if secret}
        forms = {form for secret in {*known, *quiet} if secret for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        long = sorted(secret for secret in known if len(secret) >= LONG)
        self._long = tuple(
            sorted({form for secret in long for form in _forms(secret)}, key=len, reverse=True)
        )
        self._bones = tuple(_bare(secret) for secret in long)
        self._encoded = tuple({form for secret in long for form in _inside_base64(secret)})

    @classmethod
    def of_environment(cls, *keys: str, quiet: Iterable[str] = ()) -> Secrets:
        """These keys, and the credentials of the proxies that the environment names."""
        return cls([*keys, *(secret for url in getproxies().values() for secret in credentials(url))], quiet)

    def __repr__(self) -> str:
        """Nothing of what it keeps."""
        return f"Secrets({len(self._forms)} forms)"

    def scrub(self, text: str) -> str:
        """The text without any secret, printable, and cut afterwards, so that no part of one stands at its end."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        line = printable(text)
        # What was in the way of a match, such as a line's end, may be gone.
        for form in self._forms:
            line = line.replace(form, _HIDDEN)
        if self._holds(line, LONGEST_PART) or self._holds(text, LONGEST_PART):
            return _KEPT_BACK
        return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"

    def hide(self, text: str) -> str:
        """The text, one of ours, without secrets that no text holds by chance."""
        for form in self._long:
            text = text.replace(form, _HIDDEN)
        return text

    def held_by(self, text: str) -> bool:
        """Whether a text holds a secret that no text holds by chance, as it stands or disguised.

        Disguises are other capitals, spaces and invisible characters between its letters, escapes of JSON, HTML and
        URLs, and Base64, also with something before it.
        """
        return bool(self._long) and (any(form in text for form in self._long) or self._holds(text))

    def _holds(self, text: str, part: int | None = None) -> bool:
        """Whether a disguised secret, or `part` characters in a row of one, stand in a text."""
        if not self._bones:
            return False
        if any(form in text for form in self._encoded):
            return True
        seen = _bare(text)
        readings = [seen, _bare(_decoded(text))] if _CODED.search(text) else [seen]
        return any(
            piece in reading
            for bones in self._bones
            for piece in ([bones] if part is None else _parts(bones, part))
            for reading in readings
        )


def _bare(text: str) -> str:
    """A text without what hides its letters: space, invisible characters, capitals."""
    return _INVISIBLE.sub("", "".join(text.split())).lower()


def _decoded(text: str) -> str:
    """A text with the escapes of JSON, HTML and URLs read, those of URLs twice."""
    return unquote(unquote(html.unescape(_ESCAPE.sub(_unescaped, text))))


def _parts(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(len(text) - size + 1)]


def _inside_base64(secret: str) -> Iterator[str]:
    """What Base64 of any text has in it that holds the secret: one form for each place in a group of three bytes."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        # The first and last digits also say bits of what stands beside the secret.
        middle = text[(0, 2, 3)[before] : len(text) - 1]
        yield middle
        yield middle.replace("+", "-").replace("/", "_")


def credentials(url: str) -> Iterator[str]:
    """User and password of a URL of any form, malformed ones too, as they stand there and decoded."""
    found = _USER_INFO.match(url)
    said = (found.group(1) or found.group(2) or "") if found else ""
    try:
        parts = urlsplit(url)
        said = said or parts.netloc.rpartition("@")[0]
    except ValueError:
        pass
    user, colon, password = said.partition(":")
    secret = password if colon else user
    if secret:
        yield secret
        yield unquote(secret)
        yield base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()


def _forms(secret: str) -> set[str]:
    """A secret as it stands, percent-encoded, in JSON, and as the end of an HTTP Basic header."""
    encoded = base64.b64encode(secret.encode()).decode()
    escaped = json.dumps(secret)[1:-1]
    forms = {secret, quote(secret, safe=""), quote_plus(secret), escaped, escaped.replace("/", "\\/")}
    return forms | ({encoded, encoded.rstrip("=")} if len(secret) >= LONG else set())


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16)) if match.group(1) else match.group(2)
