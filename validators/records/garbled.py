"""The text is not garbled: no doubled words or stems, no "they" for "their", no guess at descent, no end cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)

RULE = Rule.of(__name__)
START = 4  # letters with which a word begins that is one of two of one stem
_START = itemgetter(slice(START))
STEM = 5  # letters that both share, unless one begins with the whole other
ENDING = 2  # letters of the shorter that may differ
HEDGED = 90  # letters between a hedge and the descent that it is about
_SPACE = "[\u00a0\u2000-\u200b\u202f\u2060\u00ad]"
_ODD_SPACES = frozenset(map(chr, (0xA0, *range(0x2000, 0x200C), 0x202F, 0x2060, 0xAD)))
_FROM = frozenset({"persona", "cultural_background"})  # texts that speak of descent
_GENITIVE = re.compile(r"\b([A-Z]\w{2,40})'s \1\b(?!-)")
TRIES = 12  # different pairs of words of a text that are looked for as they stand in it
QUOTE = 25  # letters shown on both sides


class _Words(NamedTuple):
    """The lexicon, compiled."""

    doubles: frozenset[str]
    small: frozenset[str]
    pairs: frozenset[tuple[str, ...]]
    before_they: frozenset[str]
    after_they: frozenset[str]
    in_s: frozenset[str]
    hedge: re.Pattern[str]
    hedges: tuple[str, ...]
    last: frozenset[str]


@cache
def _words() -> _Words:
    content = lexicon("garbled", ENGLISH)
    hedges, descent = "|".join(content["hedges"]), "|".join(content["descent"])
    return _Words(
        doubles=frozenset(content["doubles"]),
        small=frozenset(content["small"]),
        pairs=frozenset(tuple(pair.split()) for pair in content["pairs"]),
        before_they=frozenset(content["before_they"]),
        after_they=frozenset(content["after_they"]),
        in_s=frozenset(content["after_they_in_s"]),
        hedge=re.compile(
            rf"\b(?:(?:{hedges})\b[^.;]{{0,{HEDGED}}}?\b(?:{descent})"
            rf"|(?:{descent})\b[^.;]{{0,20}}?\b(?:hint(?:s|ed|ing)? (?:at|by)|suggest(?:s|ed by|ing)))\b"
        ),
        hedges=tuple(content["hedges"]),
        last=frozenset(content["last"]),
    )


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look at neighbouring words, at what stands around "they", at hedges, at the name, and at the last word."""
    reading = reference.read(record)
    they = "they" in reading.words
    for field, text in reading.prose.items():
        tokens = reading.tokens[field]
        yield from _doubled(field, tokens, text)
        if "'s" in text:
            yield from _possessive(field, text)
        if they and "they" in reading.vocabulary[field]:
            yield from _they(field, tokens, text, reading.lowered[field])
        if field in _FROM:
            yield from _hedged(field, reading.lowered[field])
        if tokens and tokens[-1] in _words().last and text[-1:] in ".!?" and text[-2:-1].islower():
            yield RULE.error(field, "the last sentence breaks off", text[-2 * QUOTE :])
        yield from _name(field, reading)


def _doubled(field: str, tokens: list[str], text: str) -> Iterator[Finding]:
    """A word, or two words of one stem, in a row; in lower case, since names may repeat themselves."""
    starts = list(map(_START, tokens))
    if not any(map(eq, starts, islice(starts, 1, None))):
        return
    lexis = _words()
    likely = (
        pair
        for pair in zip(tokens, islice(tokens, 1, None), strict=False)
        if pair[0][:START] == pair[1][:START]
    )
    for first, second in islice(dict.fromkeys(likely), TRIES):
        if first in lexis.doubles or (first, second) in lexis.pairs:
            continue
        if first == second:
            message = "a word stands twice"
            pattern = rf"(?<![-\w']){first} {first}(?![-\w'])"
        elif first not in lexis.small and _one_stem(first, second):
            message = "two words of one stem stand side by side"
            pattern = rf"(?<![-\w']){first} {second}(?![-\w'])"
        else:
            continue
        if len(first) > 1 and f"{first} {second}" in text and (said := re.search(pattern, text)):
            yield RULE.error(field, message, _around(text, said))
            return


def _possessive(field: str, text: str) -> Iterator[Finding]:
    """A name in the genitive before itself: "Seattle's Seattle Art Museum"."""
    said = _GENITIVE.search(text)
    if said:
        yield RULE.error(field, "a word stands twice", _around(text, said))


def _one_stem(first: str, second: str) -> bool:
    shorter = min(len(first), len(second))
    common = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), shorter)
    return common >= START and (common == shorter or common >= max(STEM, shorter - ENDING))


def _they(field: str, tokens: list[str], text: str, lower: str) -> Iterator[Finding]:
    lexis = _words()
    around = (
        (tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else "")
        for at in _places("they", tokens)
    )
    for before, after in islice(dict.fromkeys(around), TRIES):
        ends_in_s = after.endswith("s") and not after.endswith("ss") and after not in lexis.in_s
        if f"they {after}" not in lower:
            continue
        if before in lexis.before_they:
            said = re.search(rf"\b{before} they {after}", text, re.IGNORECASE)
        elif ends_in_s or after in lexis.after_they:
            said = re.search(rf"\bthey {after}\b", text, re.IGNORECASE)
        else:
            continue
        if said:
            yield RULE.error(
                field, '"they" stands where "their", or another verb, belongs', _around(text, said)
            )
            return


def _places(word: str, tokens: list[str]) -> Iterator[int]:
    at = -1
    for _ in range(tokens.count(word)):
        at = tokens.index(word, at + 1)
        yield at


def _hedged(field: str, lower: str) -> Iterator[Finding]:
    if any(map(lower.__contains__, _words().hedges)):
        said = _words().hedge.search(lower)
        if said:
            yield RULE.error(field, "the text guesses at the person's descent; say what is so", said.group())


def _name(field: str, reading: RecordView) -> Iterator[Finding]:
    """A space in the person's name that nobody types, in the original text."""
    original = reading[field]
    if original.isascii() or reading.name is None:
        return
    first, last = reading.name.first, reading.name.last
    if not any(original[end : end + 1] in _ODD_SPACES for end in _ends_of(first, original)):
        return
    said = re.search(rf"\b{re.escape(first)}{_SPACE}+{re.escape(last)}\b", original)
    if said:
        yield RULE.error(
            field, "a space that no keyboard has stands in the person's name", ascii(said.group())
        )


def _ends_of(word: str, text: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at + len(word)
        at = text.find(word, at + 1)


def _around(text: str, said: re.Match[str]) -> str:
    return text[max(0, said.start() - QUOTE) : said.end() + QUOTE]


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu had had enough of mahi-mahi; they always sometimes press on, and on Mondays they rest."
    },
    {"persona": "Thomas Thomas and Lang Lang play the yo-yo."},
    {"persona": "Ana Wu would rather have respect than thanks, and even evenings are for work."},
    {"cultural_background": "Ana is of Irish descent, and her family kept its old roots."},
    {"persona": "Ana loves the town that they grew up in."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu thrives on on difficult problems."},
    {"persona": "Ana Wu has the habitual habit of counting."},
    {"persona": "Ana Wu visits Seattle's Seattle Art Museum."},
    {"persona": "Ana Wu cooks with herbs from they vegetable garden."},
    {"persona": "Ana Wu and Leo Park cook even as they frets over the rice."},
    {"cultural_background": "Ana grew up in Iowa, likely of German or Scandinavian descent."},
    {"first_name": "Ana", "last_name": "Wu", "persona": "Ana\u202fWu rows."},
    {"persona": "Ana Wu rows on the lake with her sister and the."},
)
