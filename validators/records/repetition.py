"""A record says each thing once: no text, sentence or run of words is repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from operator import eq
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"

RULE = Rule.of(__name__)
RUN = 12  # words in a row that two texts of one record may not share
LOOP = 0.35  # share of distinct words below which a text of LONG words is looked at as a loop
LONG = 40
AROUND = " .\"')"  # what may stand around a sentence
ENDING = 5  # words at the end of a sentence: two texts share them in 7 of 6,500 released rows,
OFTEN = 3  # and so many texts in none


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare sentences across fields, then look for loops within one."""
    reading = reference.read(record)
    repeated = _repeated(reading)
    yield from _endings(reading)
    seen: dict[str, str] = {}
    for field in reading.tokens:
        yield from reading.once(_looped, field)
        for key, sentence in _sentences(reading.lowered[field]) if repeated else ():
            first = seen.setdefault(key, field)
            if first != field:
                yield RULE.error(
                    field, f"a sentence is the same as in {first}; say something new", sentence[:80]
                )
                break


def _looped(reading: RecordView, field: str) -> tuple[Finding, ...]:
    """What is wrong in a text by itself."""
    tokens, different = reading.tokens[field], len(reading.vocabulary[field])
    if len(tokens) >= LONG and different < LOOP * len(tokens):
        shown = _stopped(reading.lowered[field])[:80]
        return (RULE.error(field, "the text repeats itself; say each thing once", shown),)
    if different != len(tokens) and any(map(eq, tokens, islice(tokens, 1, None))):
        return tuple(_stuttered(field, tokens, reading.prose[field]))
    return ()


def _repeated(reading: RecordView) -> bool:
    """Whether a sentence, or a part of one, stands twice in the record."""
    parts = [part for field in reading.tokens for part in reading.once(_parts, field)]
    return len(set(parts)) < len(parts)


def _endings(reading: RecordView) -> Iterator[Finding]:
    """Texts whose sentences end in the same words, as models repeat what sounded well: "and enhance her well-being"."""
    fields: dict[str, list[str]] = {}
    for field in reading.tokens:
        for ending in reading.once(_ends, field):
            fields.setdefault(ending, []).append(field)
    for ending, alike in fields.items():
        if len(alike) >= OFTEN:
            said = f"a sentence ends as in {', '.join(alike[:-1])}; end it with something else"
            yield RULE.error(alike[-1], said, ending)


def _ends(reading: RecordView, field: str) -> tuple[str, ...]:
    """The last words of each longer sentence of a text, each once."""
    parts = (part.rsplit(None, ENDING) for part in reading.once(_parts, field))
    return tuple(dict.fromkeys(" ".join(words[1:]) for words in parts if len(words) > ENDING))


def _parts(reading: RecordView, field: str) -> list[str]:
    """The sentences of a text, bare."""
    return [part.strip(AROUND) for part in _stopped(reading.lowered[field]).split(". ")]


def _sentences(text: str) -> list[tuple[str, str]]:
    """The long sentences of a text, each bare and as it stands."""
    bare = [(part.strip(AROUND), part) for part in _stopped(text).split(". ")]
    return [pair for pair in bare if pair[0].count(" ") >= RUN - 1]


def _stopped(text: str) -> str:
    """The text with a full stop at the end of every sentence."""
    return text.replace("!", ".").replace("?", ".") if "!" in text or "?" in text else text


def _stuttered(field: str, tokens: list[str], text: str) -> Iterator[Finding]:
    """The first word that stands three times in a row and is no name: a studio is called Bee Bee Bee."""
    for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name = " ".join([first.capitalize()] * 3)
        if first == second == third and len(first) > 1 and name not in text:
            yield RULE.error(field, "a word is repeated", f"{first} {second} {third}")
            return


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu swims.",
        "sports_persona": "Ana Wu swims.",
        "arts_persona": "Ana Wu had had enough of jazz.",
    },
    {"arts_persona": "Ana Wu paints glitches in the manner of Bee Bee Bee."},
    {
        "sports_persona": "Ana Wu swims at dawn at the neighborhood garden pool.",
        "persona": "Ana Wu reads to old friends at the neighborhood garden pool.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "persona": "Ana Wu folds dumplings on Sundays and reads long novels to all her plants.",
        "arts_persona": "Ana Wu folds dumplings on Sundays and reads long novels to all her plants.",
    },
    {"persona": "Ana Wu is very very very happy."},
    {
        "sports_persona": "Ana Wu swims to keep fit and enhance her overall well-being.",
        "arts_persona": "Ana Wu paints to rest and enhance her overall well-being.",
        "travel_persona": "Ana Wu walks the coast to breathe and enhance her overall well-being. She flies on Fridays.",
    },
    {"persona": "Ana Wu paints and sings and " * 12 + "rests."},
)
