"""A long key is kept out of messages and answers in every form in which it can still be read."""

from __future__ import annotations

import base64
import html
from urllib.parse import quote

import pytest

from census_personas.generator.llm.redaction import Secrets

pytestmark = pytest.mark.quick

KEY = "sk-Zq7SECRETxyzzy/+=0123456789abc"
DISGUISES = {
    "as it stands": KEY,
    "Base64": base64.b64encode(KEY.encode()).decode(),
    "Base64 of a header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "Base64 inside a text": base64.b64encode(f"x{KEY}yy".encode()).decode(),
    "Base64 inside a longer text": base64.b64encode(f"xx{KEY}, and more".encode()).decode(),
    "Base64 for URLs": base64.urlsafe_b64encode(f"Bearer {KEY}".encode()).decode(),
    "JSON escapes of every letter": "".join(f"\\u{ord(c):04x}" for c in KEY),
    "percent-encoded": quote(KEY, safe=""),
    "percent-encoded twice": quote(quote(KEY, safe=""), safe=""),
    "HTML": html.escape(KEY).replace("/", "&#47;"),
    "capitals": KEY.upper(),
    "a new line inside": f"{KEY[:8]}\n{KEY[8:]}",
    "an escape sequence inside": f"{KEY[:8]}\x1b{KEY[8:]}",
    "a soft hyphen inside": f"{KEY[:8]}\u00ad{KEY[8:]}",
    "zero-width spaces between": "\u200b".join(KEY),
    "marks of direction between": "\u202e".join(KEY),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_disguised_key_is_not_shown(disguise: str) -> None:
    text = f"refused: {DISGUISES[disguise]} is not known"
    secrets = Secrets([KEY])
    assert secrets.held_by(text)
    shown = secrets.scrub(text)
    assert not secrets.held_by(shown)
    assert KEY[:12].lower() not in shown.lower()


@pytest.mark.parametrize("part", [KEY[:20] + "...", KEY[-14:], f"...{KEY[5:18]}..."])
def test_no_long_part_of_a_key_is_shown(part: str) -> None:
    assert Secrets([KEY]).scrub(f"incorrect key provided: {part}") == "[a text that repeats a key]"


def test_ordinary_text_is_unchanged() -> None:
    text = "the model 'mistral-nemo' does not exist (100 % sure, \\u and &amp; included)"
    assert Secrets([KEY]).scrub(text) == text
    assert not Secrets([KEY]).held_by(text)


def test_short_key_spoils_no_answer() -> None:
    assert not Secrets(["EMPTY"]).held_by("an EMPTY room")
    assert Secrets(["EMPTY"]).scrub("key EMPTY refused") == "key [key] refused"
