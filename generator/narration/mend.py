"""Mend: corrects faults of a text without a model and without changing what the text says.

An unfinished last sentence is dropped, a repeated sentence is dropped once, and a missing last name is put behind the
first name. All other faults are left for the model to repair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from census_personas.foundation.schema import NARRATIVES
from census_personas.prompts.fields import FieldSpec
from census_personas.validators.finding import Finding
from census_personas.validators.text.lexicon import languages_with, lexicon

CODE = "mended"
_END = ".!?"
_CLOSING = "\"')]\u201d\u2019"
_BOUNDARY = re.compile(
    r"(?<![A-Z])(?<!\b(?:St|Mr|Dr|vs|Jr|Sr|Mt|Ft|No))(?<!\b(?:Mrs|etc))[.!?][\"')\]\u201d\u2019]* "
    r"(?=[\"'(\u201c\u2018]*[A-Z0-9])"
)
_AROUND = " \"'()\u201c\u201d\u2018\u2019"
_WORD = re.compile(r"\w+")
# Fewest words of a repeated sentence that is dropped.
_SHORTEST = 4


def mend(
    written: Mapping[str, Any],
    asked: Sequence[FieldSpec],
    name: tuple[str, str],
    policy: Mapping[str, str],
) -> Iterator[tuple[str, str, Finding]]:
    """Yield each mend: the field, its new text, and a warning that says what was done.

    Args:
        written: the record's texts so far.
        asked: the fields that were just written; no other is touched.
        name: first and last name.
        policy: what to do about an error, by rule.

    A mend that would make a text shorter than its field's minimum is not made. A second call changes nothing.
    """
    texts = {field: text for field, text in written.items() if isinstance(text, str)}
    off = {rule for rule, _, _ in _STEPS if policy.get(rule) == "off"}
    if not _repeats(texts.values()):
        off.add("repetition")
    for spec in asked:
        if spec.name not in texts:
            continue
        for rule, said, step in _STEPS:
            before = texts[spec.name]
            after = before if rule in off else step(spec.name, texts, name)
            if after != before and len(after) >= max(spec.minimum, 1):
                texts[spec.name] = after
                yield spec.name, after, Finding(CODE, "warning", spec.name, said, _lost(before, after))


def _repeats(texts: Iterable[str]) -> bool:
    """Return whether a sentence may be repeated. A quick test first, as nearly always none is."""
    stopped = (text.lower().replace("!", ".").replace("?", ".") for text in texts)
    parts = [bare for text in stopped for part in text.split(".") if (bare := part.strip(_AROUND))]
    return len(set(parts)) < len(parts)


def _ended(field: str, texts: Mapping[str, str], _: tuple[str, str]) -> str:
    return whole(texts[field])


def _said_once(field: str, texts: Mapping[str, str], _: tuple[str, str]) -> str:
    return once(texts[field])


def _named(field: str, texts: Mapping[str, str], name: tuple[str, str]) -> str:
    return with_last_name(texts[field], *name) if field in NARRATIVES else texts[field]


# Each step with the rule that finds its fault: if the rule is off, the step is skipped.
_STEPS: tuple[tuple[str, str, Callable[[str, Mapping[str, str], tuple[str, str]], str]], ...] = (
    ("sentence_count_length", "a last sentence that broke off was dropped", _ended),
    ("repetition", "a sentence that was there already was dropped", _said_once),
    ("name_present", "the last name was put behind the first", _named),
)


@cache
def _other_words() -> frozenset[str]:
    """Return given names that are also words or places, in any language that lists some."""
    listed = (lexicon("name_words", language)["words"] for language in languages_with("name_words"))
    return frozenset(word for words in listed for word in words.split())


def whole(text: str) -> str:
    """Return the text without an unfinished last sentence; unchanged if that is the only one."""
    if _is_ended(text):
        return text
    parts = sentences(text)
    return " ".join(parts[:-1]) or text


def once(text: str) -> str:
    """Return the text without sentences that occur earlier in it, word for word.

    A sentence that two texts share stays: a record that repeats itself is rewritten, not made to look better.
    """
    kept: list[str] = []
    seen: set[str] = set()
    for part in sentences(text):
        key = _key(part)
        is_long = key.count(" ") >= _SHORTEST - 1
        if not (is_long and _is_ended(part) and key in seen):
            kept.append(part)
        seen.add(key)
    return " ".join(kept)


def with_last_name(text: str, first: str, last: str) -> str:
    """Return the text with the last name after the first mention of the first name, if it is nowhere else.

    Unchanged if another name follows the first name, or if the first name is also a word or a place.
    """
    if not first or not last or last.casefold() in text.casefold() or first.casefold() in _other_words():
        return text
    mention = re.search(rf"(?<![\w'\u2019-]){re.escape(first)}(?![\w-])", text)
    if mention is None or re.match(r"\s+(?:[\"'(\u201c\u2018]*)[A-Z]", text[mention.end() :]):
        return text
    return f"{text[: mention.end()]} {last}{text[mention.end() :]}"


def sentences(text: str) -> list[str]:
    """Split a text into sentences; joined by blanks they are the text again."""
    ends = [match.end() for match in _BOUNDARY.finditer(text)]
    starts = [0, *ends]
    return (
        [text[start:end].removesuffix(" ") for start, end in zip(starts, [*ends, None], strict=True)]
        if ends
        else [text]
    )


def _is_ended(text: str) -> bool:
    return text.rstrip(_CLOSING)[-1:] in _END if text.rstrip(_CLOSING) else True


def _key(sentence: str) -> str:
    return " ".join(_WORD.findall(sentence.casefold()))


def _lost(before: str, after: str) -> str:
    """Return the removed sentence; the beginning of a text from which none was removed."""
    kept = sentences(after)
    return next((part for part in reversed(sentences(before)) if part not in kept), before)[:80]
