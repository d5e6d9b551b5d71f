"""Redaction: what comes from outside made fit to be shown, and secrets kept out of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit
from urllib.request import getproxies

LONG = 16
"""Characters from which on a secret is unmistakable: an answer that holds it is unusable."""
LONGEST_SHOWN = 300
"""Characters of a foreign text that a message quotes."""
_HIDDEN = "[key]"
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_USER_INFO = re.compile(r"^[^/?#]*//([^@]*)@|^([^@/]+)@")


def printable(text: str) -> str:
    """The text in one line, in which every character that a terminal could obey stands as its escape."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


class Secrets:
    """What must not be shown: a key, the passwords in proxies' URLs, and the forms in which they may come back.

    Secrets of at least `LONG` characters are looked for in answers too; shorter ones, such as `EMPTY`, are words that
    an answer may hold, and are kept out of messages alone.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Keep every form of each secret, the longest first, so that no part of one is left."""
        known = {secret for secret in secrets if secret}
        forms = {form for secret in known for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        long = {form for secret in known if len(secret) >= LONG for form in _forms(secret)}
        self._long = tuple(sorted(long, key=lambda form: (-len(form), form)))

    @classmethod
    def of_environment(cls, *keys: str) -> Secrets:
        """These keys, and the credentials of the proxies that the environment names."""
        return cls([*keys, *(secret for url in getproxies().values() for secret in credentials(url))])

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
        return line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + "…"

    def hide(self, text: str) -> str:
        """The text, one of ours, without secrets that no text holds by chance."""
        for form in self._long:
            text = text.replace(form, _HIDDEN)
        return text

    def held_by(self, text: str) -> bool:
        """Whether a text holds a secret that no text holds by chance, as it stands or in JSON's escapes."""
        if not self._long:
            return False
        if any(form in text for form in self._long):
            return True
        if "\\u" not in text and "\\/" not in text:  # no other escape stands for a character of a key
            return False
        plain = _ESCAPE.sub(_unescaped, text)
        return any(form in plain for form in self._long)


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
