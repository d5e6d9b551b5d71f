"""No placeholder is left: template variables, bracketed gaps, codes in place of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"

RULE = Rule.of(__name__)
_GAP = re.compile(
    r"\{\{.{0,100}?\}\}|\{%.{0,100}?%\}|\{\w+\}|\$\{\w+\}"
    r"|\[(?:insert |your |the )?(?:full |first |last )?(?:name|age|city|state|occupation|job|place|hobby|skill|location"
    r"|town|company|employer|school|university|sports team|team)[^\]]{0,100}\]"
    r"|\[insert[^\]]{0,100}\]|\[\.{3}\]|\[_+\]|_{3,}"
    r"|<(?:insert |your )?(?:name|age|city|state|occupation|place|hobby|skill|person)>",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b[a-z0-9]{2,}(?:_[a-z0-9]+)+\b")
_FILLER_WORDS = frozenset({"lorem", "todo", "tbd", "xxx", "xxxx", "undefined", "nan"})
_FILLER = re.compile(r"\b[Ll]orem ipsum\b|\bTODO\b|\bTBD\b|\bXXX+\b|\bundefined\b(?= |$)|\bN/A\b|\bNaN\b")
SHORT = 40  # letters; a longer text is more than a placeholder
_EMPTY = frozenset(
    {"none", "null", "nan", "n/a", "na", "undefined", "unknown", "tbd", "todo", "string", "text", "..."}
)


def check(record: Mapping[str, Any], _reference: RuleContext) -> Iterator[Finding]:
    """Look for gaps that a template or a model left open."""
    reading = RecordView.of(record)
    everything = reading.text
    marked = "{" in everything or "[" in everything or "<" in everything or "_" in everything
    filled = "N/A" in everything or not reading.words.isdisjoint(_FILLER_WORDS)
    short = min(map(len, reading.prose.values()), default=SHORT) < SHORT
    for field, text in reading.prose.items() if marked or filled or short else ():
        if len(text) < SHORT and text.lower().strip(" .") in _EMPTY:
            yield RULE.error(field, "a placeholder stands in place of the text", text)
            continue
        match = _GAP.search(text) or _CODE.search(text) if marked else None
        if match is None and filled:
            match = _FILLER.search(text)
        if match:
            yield RULE.error(field, "a placeholder or code is left; write it out in words", match.group())
    for field, items in reading.listed.items():
        if "{{" not in items and "_" not in items and _EMPTY.isdisjoint(items.lower().split("; ")):
            continue
        for item in reading.list_of(field) or ():
            if item.strip().lower() in _EMPTY or "{{" in item or _CODE.fullmatch(item):
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
