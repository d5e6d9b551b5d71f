"""Characters are ones that people write: no control characters, no broken encodings.

Typographic quotes, hyphens, dashes, spaces and letters of any script are normal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.prose import unusual

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_MOJIBAKE = re.compile(
    "\u00e2\u20ac[\u2122\u0153\u009d\u201c\u201d\u00a6\u2018]|\u00c3[\u0080-\u00bf]|\u00c2[\u00a0-\u00bf]"
)
_BROKEN = frozenset("\ufffd\u00e2\u00c3\u00c2")
_SPACES = frozenset(
    "\u00a0\u2002\u2003\u2009\u202f"
)  # of other widths, which are not printable, and no fault
_FIELDS = (*PROSE, *LISTS)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look at every text as it is written."""
    given = reference.read(record).record
    texts = {field: text for field in _FIELDS if isinstance(text := given.get(field), str)}
    strange = frozenset(unusual("".join(texts.values()))) - _SPACES
    if "".join(strange).isprintable() and _BROKEN.isdisjoint(strange):
        return
    for field, text in texts.items():
        if not text.isprintable():
            yield from _unprintable(field, text)
        if "\ufffd" in text:
            yield RULE.error(
                field, "a character was lost in decoding (U+FFFD); write the text again", "U+FFFD"
            )
        match = _MOJIBAKE.search(text) if "\u00e2" in text or "\u00c3" in text or "\u00c2" in text else None
        if match:
            yield RULE.error(field, "the text was decoded with the wrong encoding", repr(match.group()))


def _unprintable(field: str, text: str) -> Iterator[Finding]:
    kinds = {
        character: unicodedata.category(character) for character in set(text) if not character.isprintable()
    }
    bad = sorted(c for c, kind in kinds.items() if kind in {"Cc", "Co", "Cs", "Cn"} and c not in "\n\t\r")
    bidi = sorted(c for c, kind in kinds.items() if kind == "Cf" and c not in _INVISIBLE)
    if bad or bidi:
        shown = ", ".join(f"U+{ord(character):04X}" for character in (bad + bidi)[:6])
        yield RULE.error(field, "control characters have no place in a text; leave them out", shown)
    hidden = sorted(c for c in kinds if c in _INVISIBLE)
    if hidden:
        yield RULE.warning(field, "invisible characters", ", ".join(f"U+{ord(c):04X}" for c in hidden))


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana\u2019s caf\u00e9\u202f\u2014 a well\u2011known corner, \u201copen\u201d since 2019.\nCome in."
    },
    {"skills_and_expertise_list": "['na\u00efve art']"},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana\x00 Wu"},
    {"persona": "Ana\u00e2\u20ac\u2122s"},
    {"persona": "Ana \ufffd Wu"},
    {"persona": "Ana \u202e uW"},
)
