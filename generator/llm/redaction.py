"""Redaction: cleans outside text for display and removes secrets."""

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
"""Characters from which a secret is unmistakable: an answer that holds it is unusable."""
LONGEST_SHOWN = 300
"""Most characters of an outside text that a message quotes."""
LONGEST_PART = 12
"""Consecutive characters of a long secret from which a whole message is withheld."""
_HIDDEN = "[key]"
_KEPT_BACK = "[a text that repeats a key]"
# Invisible characters: soft hyphens, joiners, marks of direction and order.
_INVISIBLE = re.compile(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff\\x00-\\x1f\\x7f-\\x9f]"
)
_CODED = re.compile(r"[\\%&]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_USER_INFO = re.compile(r"^[^/?#]*//([^@]*)@|^([^@/]+)@")


class Secrets:
    """Secrets that must not be shown: keys, passwords in proxies' URLs, and the forms in which they may come back.

    Secrets of at least `LONG` characters make an answer unusable; shorter ones, such as `EMPTY`, may be ordinary
    words and are only kept out of messages.
    """

    def __init__(self, secrets: Iterable[str], quiet: Iterable[str] = ()) -> None:
        """Keep every form of each secret, longest first, so that replacing leaves no part of one.

        `quiet` values are only kept out of messages, however long they are: header values of ordinary words.
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
        """Return these keys and the credentials of the environment's proxies."""
        return cls([*keys, *(secret for url in getproxies().values() for secret in credentials(url))], quiet)

    def __repr__(self) -> str:
        """Return the number of forms, and none of them."""
        return f"Secrets({len(self._forms)} forms)"

    def scrub(self, text: str) -> str:
        """Return the text without secrets, printable and then cut, so that it cannot end in part of a secret."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        line = printable(text)
        # Making it printable may have removed what prevented a match, such as a line break.
        for form in self._forms:
            line = line.replace(form, _HIDDEN)
        if self._holds(line, LONGEST_PART) or self._holds(text, LONGEST_PART):
            return _KEPT_BACK
        return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"

    def hide(self, text: str) -> str:
        """Return a text of this project without the long secrets."""
        for form in self._long:
            text = text.replace(form, _HIDDEN)
        return text

    def held_by(self, text: str) -> bool:
        """Return whether a text holds a long secret, plain or disguised.

        Disguises are changed case, spaces and invisible characters between letters, escapes of JSON, HTML and
        URLs, and Base64 at any offset.
        """
        return bool(self._long) and (any(form in text for form in self._long) or self._holds(text))

    def _holds(self, text: str, part: int | None = None) -> bool:
        """Return whether a text holds a disguised secret, or `part` consecutive characters of one."""
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
    """Return a text in lower case without spaces and invisible characters."""
    return _INVISIBLE.sub("", "".join(text.split())).lower()


def _decoded(text: str) -> str:
    """Return a text with escapes of JSON, HTML and URLs decoded, those of URLs twice."""
    return unquote(unquote(html.unescape(_ESCAPE.sub(_unescaped, text))))


def _parts(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(len(text) - size + 1)]


def _inside_base64(secret: str) -> Iterator[str]:
    """Yield the Base64 forms of a secret inside a longer text: one for each offset in a group of three bytes."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret.encode()).decode().rstrip("=")
        # The first and last digits also encode bits of the neighbouring text.
        middle = text[(0, 2, 3)[before] : len(text) - 1]
        yield middle
        yield middle.replace("+", "-").replace("/", "_")


def credentials(url: str) -> Iterator[str]:
    """Yield user and password of a URL, even a malformed one, both as written and decoded."""
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
    """Return a secret as it is, percent-encoded, JSON-escaped, and as the end of an HTTP Basic header."""
    encoded = base64.b64encode(secret.encode()).decode()
    escaped = json.dumps(secret)[1:-1]
    forms = {secret, quote(secret, safe=""), quote_plus(secret), escaped, escaped.replace("/", "\\/")}
    return forms | ({encoded, encoded.rstrip("=")} if len(secret) >= LONG else set())


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16)) if match.group(1) else match.group(2)
