"""No placeholder is left: template variables, bracketed gaps, codes in place of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon_if_any

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_GAP = r"\{\{.{0,100}?\}\}|\{%.{0,100}?%\}|\{\w+\}|\$\{\w+\}"
_BLANK = r"\[\.{3}\]|\[_+\]|_{3,}"
_CODE = re.compile(r"\b[a-z0-9]{2,}(?:_[a-z0-9]+)+\b")
SHORT = 40  # letters; a longer text is more than a placeholder


class _Placeholders(NamedTuple):
    """What stands for a text that nobody has written.

    Attributes:
        gap: a variable, or a place in brackets that is to be filled in.
        filler: words that fill a place.
        filler_words: words without one of which `filler` need not be looked for.
        empty: what a whole text, or an item of a list, may be instead.
    """

    gap: re.Pattern[str]
    filler: re.Pattern[str]
    filler_words: frozenset[str]
    empty: frozenset[str]


@cache
def _placeholders(language: str) -> _Placeholders:
    """What templates and models leave in a language, and in English, which they are made in."""
    contents = [lexicon_if_any("placeholders", code) for code in dict.fromkeys((ENGLISH, language))]
    gaps = [pattern for content in contents for pattern in content.get("gaps", ())]
    fillers = [pattern for content in contents for pattern in content.get("fillers", ())]
    return _Placeholders(
        re.compile("|".join((_GAP, *gaps, _BLANK)), re.IGNORECASE),
        re.compile("|".join(fillers)),
        frozenset(word for content in contents for word in content.get("filler_words", ())),
        frozenset(word for content in contents for word in content.get("empty", ())),
    )


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look for gaps that a template or a model left open."""
    reading = reference.read(record)
    known = _placeholders(reference.language)
    everything = reading.text
    marked = "{" in everything or "[" in everything or "<" in everything or "_" in everything
    filled = "N/A" in everything or not reading.words.isdisjoint(known.filler_words)
    short = min(map(len, reading.prose.values()), default=SHORT) < SHORT
    for field, text in reading.prose.items() if marked or filled or short else ():
        if len(text) < SHORT and text.lower().strip(" .") in known.empty:
            yield RULE.error(field, "a placeholder stands in place of the text", text)
            continue
        match = known.gap.search(text) or _CODE.search(text) if marked else None
        if match is None and filled:
            match = known.filler.search(text)
        if match:
            yield RULE.error(field, "a placeholder or code is left; write it out in words", match.group())
    for field, items in reading.listed.items():
        if "{{" not in items and "_" not in items and known.empty.isdisjoint(items.lower().split("; ")):
            continue
        for item in reading.list_of(field) or ():
            if item.strip().lower() in known.empty or "{{" in item or _CODE.fullmatch(item):
                yield RULE.error(field, "an item is a placeholder", item[:80])


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu writes C++ {and sometimes Rust} at a start-up [her third]."},
    {"skills_and_expertise_list": ["None-destructive testing"]},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "{{ first_name }} paints."},
    {"persona": "[Name] lives in [City]."},
    {"persona": "Ana Wu, a high_school graduate."},
    {"persona": "N/A"},
    {"hobbies_and_interests_list": "['string', 'chess']"},
)
