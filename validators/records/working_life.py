"""A person without a job is not told of as if in one, nor a person who works as if without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView
from census_personas.validators.text.stages import quote_of

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("occupation",)

RULE = Rule.of(__name__)
FIELDS = ("professional_persona", "career_goals_and_ambitions", "persona")
# Nats for having a job. Of released people without one, fewer than one in a hundred is told of above the first bound.
ERROR_ABOVE = 0.8
WARNING_ABOVE = 0.4
EVIDENCE = 1.0  # nats of phrases for a job without which nothing is said: other texts speak of none
# Of people who work: single words alone, before all is looked for, and everything. One in a thousand released workers,
# who is told of as retired, lies below the second bound, and seven in ten of the people without a job do.
DOUBTED_BELOW, WITHOUT_BELOW = 1.5, -2.5
PENSION = 67  # full retirement age of those born since 1960 (Social Security Act, section 216(l))
IDLE = 2.6  # nats against a job, of saying that one has none
BEGINNER = 1.9  # of being introduced as aspiring, retired, in training
# First letters of a text, which introduce the person.
INTRODUCED = {"professional_persona": 150, "persona": 80}


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Add up the weights of the phrases about work; most texts about people without a job say so, or tell of plans."""
    reading = reference.read(record)
    occupation = reading.fact_of("occupation")
    if occupation is None or not all(field in reading.prose for field in FIELDS):
        return
    if occupation in reference.without_work:
        outside = occupation in reference.outside_occupations
        yield from _in_a_job(reading, outside=outside)
        if not outside and (reading.age or 0) >= PENSION:
            yield from _retired(reading)
    else:
        yield from _in_none(reading, occupation)


def _in_a_job(reading: RecordView, *, outside: bool) -> Iterator[Finding]:
    intercept, weights = _weights()
    found = {phrase: weights[phrase] for phrase in sorted(_phrases(reading))}
    score = intercept + sum(found.values())
    if score <= WARNING_ABOVE or sum(weight for weight in found.values() if weight > 0) < EVIDENCE:
        return
    score -= _said_to_have_none(reading)
    if score > WARNING_ABOVE:
        make = RULE.error if score > ERROR_ABOVE else RULE.warning
        told = sorted(found, key=lambda phrase: -found[phrase])[:6]
        state = "is not in the labour force" if outside else "is looking for work"
        yield make("professional_persona", f"the person {state}; the text tells of a job", ", ".join(told))


def _in_none(reading: RecordView, occupation: str) -> Iterator[Finding]:
    doubts = _doubts()
    if all(doubts.isdisjoint(reading.vocabulary[field]) for field in FIELDS):
        return
    intercept, weights = _weights()
    single, _ = _shapes()
    known = frozenset[str]().union(*(reading.vocabulary[field] for field in FIELDS))
    if intercept + sum(map(weights.__getitem__, single & known)) >= DOUBTED_BELOW:
        return
    found = {phrase: weights[phrase] for phrase in sorted(_phrases(reading))}
    if intercept + sum(found.values()) - _said_to_have_none(reading) < WITHOUT_BELOW:
        told = sorted(found, key=lambda phrase: found[phrase])[:6]
        yield RULE.error(
            "professional_persona",
            f"the person works ({occupation}); the text tells of somebody without a job",
            ", ".join(told),
        )


def _retired(reading: RecordView) -> Iterator[Finding]:
    for field, text in reading.lowered.items():
        quote = quote_of("retired", text)
        if quote:
            yield RULE.error(field, "the person is looking for work; the text calls them retired", quote)
            return


def _phrases(reading: RecordView) -> frozenset[str]:
    """The lexicon's phrases that stand in one of the texts."""
    single, several = _shapes()
    known = frozenset[str]().union(*(reading.vocabulary[field] for field in FIELDS))
    text = " | ".join(" ".join(reading.tokens[field]) for field in FIELDS)
    text = f" {text} "
    return (single & known) | {
        phrase for first in several.keys() & known for phrase in several[first] if f" {phrase} " in text
    }


def _said_to_have_none(reading: RecordView) -> float:
    """Nats against a job for what the text says outright, which counts of words may drown."""
    idle, beginner = _outright()
    said = any(idle.search(reading.lowered[field]) for field in FIELDS)
    introduced = any(beginner.search(reading.lowered[field][:end]) for field, end in INTRODUCED.items())
    return IDLE * said + BEGINNER * introduced


@cache
def _weights() -> tuple[float, Mapping[str, float]]:
    content = lexicon("working_life", ENGLISH)
    return content["intercept"], content["phrases"]


@cache
def _doubts() -> frozenset[str]:
    return frozenset(lexicon("working_life", ENGLISH)["doubts"])


@cache
def _shapes() -> tuple[frozenset[str], Mapping[str, list[str]]]:
    """Phrases of one word, and those of several by their first word."""
    _, weights = _weights()
    several: dict[str, list[str]] = {}
    for phrase in weights:
        if " " in phrase:
            several.setdefault(phrase.split(" ", 1)[0], []).append(phrase)
    return frozenset(phrase for phrase in weights if " " not in phrase), several


@cache
def _outright() -> tuple[re.Pattern[str], re.Pattern[str]]:
    content = lexicon("working_life", ENGLISH)
    idle, beginner = (re.compile(rf"\b(?:{'|'.join(content[key])})") for key in ("idle", "beginner"))
    return idle, beginner


_IDLE = {
    "occupation": "not_in_workforce",
    "persona": "Ana Wu, a baker of memory, keeps a small garden and her neighbors' keys.",
    "career_goals_and_ambitions": "Although retired, Ana hopes to write a memoir and to go on volunteering.",
    "professional_persona": "Ana Wu, a retired baker, runs baking workshops in the neighborhood.",
}
_SEEKING = {
    "occupation": "no_occupation",
    "age": 66,
    "persona": "Ana Wu, a retired baker, plays chess.",
    "career_goals_and_ambitions": "Ana aims to secure a part-time role.",
    "professional_persona": "Ana Wu, a baker, plans her return to the kitchen.",
}
ACCEPTS: tuple[Mapping[str, Any], ...] = (_IDLE, _SEEKING, {**_SEEKING, "occupation": "baker"})
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        **_IDLE,
        "persona": "Ana Wu is a seasoned nurse who leads her team through every shift.",
        "professional_persona": "Ana Wu, a veteran nurse with decades of experience, supervises the clinic's staff.",
        "career_goals_and_ambitions": "Ana aims to advance to a supervisory role within the next five years.",
    },
    {**_IDLE, "occupation": "baker"},
    {**_SEEKING, "age": 75},
)
