"""No contact detail or number that could belong to a real person: phone, e-mail, SSN, card, address, URL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import lexicon_if_any
from census_personas.validators.text.prose import numbers

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
# Names are at most as long as the internet allows (RFC 5321, 4.5.3.1; RFC 1035, 2.3.4), so that time stays linear.
_EMAIL = re.compile(r"\b[\w.+-]{1,64} ?(?:@|\(at\)|\[at\]) ?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")
_URL = re.compile(
    r"\bhttps?://\S+|\bwww\.\S+|\b[\w-]{1,63}\.(?:com|org|net|gov|edu|io|us)/\S*", re.IGNORECASE
)
_DOMAIN = re.compile(r"\b[\w-]{1,63}\.(?:com|org|net|gov|edu)\b", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w.])@[A-Za-z_]\w{2,}")
_CARD = re.compile(r"(?<!\d)(?:\d{4}[- ]){3}\d{4}(?!\d)|(?<!\d)\d{16}(?!\d)")
LONG = 16  # digits of a card's number in one run; other numbers come in several
FEWEST = 3  # digits of a number that could be somebody's
_PARTS = frozenset("www http https com org net gov edu us io".split())  # words of an address
_MARKS = ("@", "(at)", "[at]", "www.", "://", ".com", ".org", ".net", ".gov", ".edu", ".us/", ".io/")


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search texts and lists for the patterns; a bare domain name is only a warning."""
    reading = reference.read(record)
    lists = "\n".join(reading.listed.values())
    digits = (*reading.numbers, *numbers(lists))
    runs = [run for run in digits if len(run) >= FEWEST]
    known = _known_numbers(reference.language)
    houses = bool(digits) and any(way in reading.text or way in lists for way in known.ways)
    marked = (
        not reading.words.isdisjoint(_PARTS)
        or "@" in reading.text
        or "[" in reading.text
        or ("(" in reading.text and "(at)" in reading.text)
        or any(map(lists.__contains__, _MARKS))
    )
    if not marked and not runs and not houses:
        return
    for field, text in (*reading.prose.items(), *reading.listed.items()):
        if marked:
            yield from _addresses(field, text)
        if any(map(text.__contains__, runs)):
            yield from _numbers(field, text, known)
        if houses:
            yield from _streets(field, text, known)


def _addresses(field: str, text: str) -> Iterator[Finding]:
    if "@" in text or "(at)" in text or "[at]" in text:
        match = _EMAIL.search(text) or _HANDLE.search(text)
        if match:
            yield RULE.error(field, "an e-mail address or account name; leave it out", match.group())
    if (
        "www." in text
        or "://" in text
        or ".com" in text
        or ".org" in text
        or ".us/" in text
        or ".io/" in text
    ):
        match = _URL.search(text)
        if match:
            yield RULE.error(field, "a web address; leave it out", match.group())
    if ".com" in text or ".org" in text or ".net" in text or ".gov" in text or ".edu" in text:
        match = None if _URL.search(text) else _DOMAIN.search(text)
        if match:
            yield RULE.warning(field, "a site is named by its domain", match.group())


class _Numbers(NamedTuple):
    """Numbers that could be somebody's, by kind, and addresses with the words that one of them must have."""

    numbers: tuple[tuple[str, re.Pattern[str]], ...]
    addresses: tuple[tuple[str, re.Pattern[str]], ...]
    ways: tuple[str, ...]


@cache
def _known_numbers(language: str) -> _Numbers:
    content = lexicon_if_any("personal_data", language)
    kinds = {kind: re.compile(pattern) for kind, pattern in content.get("numbers", {}).items()}
    addresses = {kind: re.compile(pattern) for kind, pattern in content.get("addresses", {}).items()}
    ways = tuple(content.get("ways", ()))
    return _Numbers((*kinds.items(), ("a card number", _CARD)), tuple(addresses.items()), ways)


def _numbers(field: str, text: str, known: _Numbers) -> Iterator[Finding]:
    runs = numbers(text)
    several = len(runs) > 1 or any(len(run) >= LONG for run in runs)
    for kind, pattern in known.numbers if several else ():
        match = pattern.search(text)
        if match:
            yield RULE.error(field, f"{kind}; leave it out", match.group())


def _streets(field: str, text: str, known: _Numbers) -> Iterator[Finding]:
    """Addresses; a house may have a number of one digit."""
    for kind, pattern in known.addresses if any(way in text for way in known.ways) else ():
        match = pattern.search(text)
        if match:
            yield RULE.error(field, f"{kind}; leave it out", match.group())


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu reads 1984, runs on Route 66 and follows ISO 9001-2015; 3 Doors Down is her band."},
    {"persona": "Born in 1960-1961, Leo works 9-5."},
    {"persona": "Ana Wu drives the 17 Mile Drive."},
    {"persona": "Ana Wu, 34, of Wall Street, spends 5 days on Cape Court."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Call Ana at (212) 555-0147."},
    {"persona": "Write to ana.wu@example.com."},
    {"persona": "Her number is 123-45-6789."},
    {"persona": "See https://example.com/ana for more."},
    {"persona": "She lives at 221 Baker Street."},
    {"persona": "She lives at 7 Oak Street."},
    {"persona": "Ana Wu sells bread at 42 N. 5th Avenue."},
)
