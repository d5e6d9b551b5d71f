"""Mend: what can be put right in a text without a model, because it does not change what is said.

A last sentence that breaks off is dropped, a sentence that stands there twice is dropped once, and the last name is put
behind the first one where a narrative lacks it. Nothing else is touched: every other fault is the model's to repair.
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
# Words of a sentence that is dropped where it stands twice.
_SHORTEST = 4


def mend(
    written: Mapping[str, Any],
    asked: Sequence[FieldSpec],
    name: tuple[str, str],
    policy: Mapping[str, str],
) -> Iterator[tuple[str, str, Finding]]:
    """Each mend as the field, its new text, and a warning that says what was done.

    Args:
        written: the record's texts so far.
        asked: the fields that were just written; no other is touched.
        name: first and last name.
        policy: what to do about an error, by rule.

    No mend is made that would leave a text shorter than its field may be. Doing it again changes nothing.
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
    """Whether anything between two full stops may stand twice: nearly always nothing does, and this is quick."""
    stopped = (text.lower().replace("!", ".").replace("?", ".") for text in texts)
    parts = [bare for text in stopped for part in text.split(".") if (bare := part.strip(_AROUND))]
    return len(set(parts)) < len(parts)


def _ended(field: str, texts: Mapping[str, str], _: tuple[str, str]) -> str:
    return whole(texts[field])


def _said_once(field: str, texts: Mapping[str, str], _: tuple[str, str]) -> str:
    return once(texts[field])


def _named(field: str, texts: Mapping[str, str], name: tuple[str, str]) -> str:
    return with_last_name(texts[field], *name) if field in NARRATIVES else texts[field]


# Each with the rule that would find the fault: where that is off, texts are left alone.
_STEPS: tuple[tuple[str, str, Callable[[str, Mapping[str, str], tuple[str, str]], str]], ...] = (
    ("sentence_count_length", "a last sentence that broke off was dropped", _ended),
    ("repetition", "a sentence that was there already was dropped", _said_once),
    ("name_present", "the last name was put behind the first", _named),
)


@cache
def _other_words() -> frozenset[str]:
    """Given names that are words or places too, in any language that lists some."""
    listed = (lexicon("name_words", language)["words"] for language in languages_with("name_words"))
    return frozenset(word for words in listed for word in words.split())


def whole(text: str) -> str:
    """The text without a last sentence that breaks off; as it is where no other sentence is left."""
    if _is_ended(text):
        return text
    parts = sentences(text)
    return " ".join(parts[:-1]) or text


def once(text: str) -> str:
    """The text without whole sentences that stand earlier in it, word for word.

    A sentence that two texts share stays: a record that repeats itself is written anew, not made to look better.
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
    """The text with the last name behind the first mention of the first name, where it is nowhere else.

    Left as it is where another name follows the first, or where the first name is a word or a place too.
    """
    if not first or not last or last.casefold() in text.casefold() or first.casefold() in _other_words():
        return text
    mention = re.search(rf"(?<![\w'\u2019-]){re.escape(first)}(?![\w-])", text)
    if mention is None or re.match(r"\s+(?:[\"'(\u201c\u2018]*)[A-Z]", text[mention.end() :]):
        return text
    return f"{text[: mention.end()]} {last}{text[mention.end() :]}"


def sentences(text: str) -> list[str]:
    """The sentences of a text; joined by blanks they are the text again."""
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
    """The end of the text or the sentence that is not there any more; the beginning of one that grew."""
    kept = sentences(after)
    return next((part for part in reversed(sentences(before)) if part not in kept), before)[:80]
