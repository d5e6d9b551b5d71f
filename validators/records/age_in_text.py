"""The words of all texts together suit the age: a person of eighty does not sound like a beginner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from census_personas.foundation.schema import LISTS, NARRATIVES
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"  # of seven rows in 12,000 that it suspected, readers could tell of none why
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("age",)

RULE = Rule.of(__name__)
# The texts that the weights were fitted on, without any of which nothing is said.
FIELDS = (*NARRATIVES, "cultural_background", "career_goals_and_ambitions")
# Years between the age and what the words add up to. One in a thousand released rows lies beyond the bound.
FAR = 20
# Words of them, fewer of which one in five hundred released rows has, and nearly every row by another narrator.
ENOUGH = 42
SHOWN = 6


@dataclass(frozen=True, slots=True)
class AgeWords:
    """Years that words of texts and some facts add to the age that a reader assumes.

    Attributes:
        start: the age that a reader assumes without any word.
        facts: role -> value -> years.
        words: field -> word -> years.
        telling: field -> the words.
    """

    start: float
    facts: Mapping[str, Mapping[str, float]]
    words: Mapping[str, Mapping[str, float]]
    telling: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> AgeWords:
        """Take what the lexicon says, in which words stand together under the years that each adds."""
        weights = {
            field: {word: years for years, told in groups.items() for word in told.split()}
            for field, groups in content["words"].items()
        }
        telling = {field: frozenset(years) for field, years in weights.items()}
        return cls(content["start"], content["facts"], weights, telling)

    def expected(self, reading: RecordView) -> float:
        """The age that a reader thinks of."""
        years = [sum(map(weights.__getitem__, found)) for weights, found in self._found(reading)]
        return round(self.start + sum(years), 1)  # words come in any order, and sums of floats with them

    def told(self, reading: RecordView) -> list[tuple[float, str]]:
        """The years that each fact and each word adds, and the word; one that stands in two texts comes twice."""
        return [(weights[word], word) for weights, found in self._found(reading) for word in found]

    def _found(self, reading: RecordView) -> Iterator[tuple[Mapping[str, float], Iterable[str]]]:
        """For each fact and each field, the years of all its words, and the words that are there."""
        for role, weights in self.facts.items():
            value = reading.fact_of(role)
            if value is not None and value in weights:
                yield weights, (value,)
        known = known_words(reading)
        for field, telling in self.telling.items():
            if field in known:
                yield self.words[field], telling & known[field]


def known_words(reading: RecordView) -> dict[str, frozenset[str]]:
    """Field -> the different words of its text or list, for the fields that are read."""
    known = {field: reading.vocabulary[field] for field in FIELDS if field in reading.prose}
    return known | {field: frozenset(words(items)) for field, items in reading.listed.items()}


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Add up the years by which words make their reader think of an older or a younger person."""
    yield from judged(reference.read(record), _age_words())


def judged(reading: RecordView, age_words: AgeWords) -> Iterator[Finding]:
    """What weights find wrong with a record."""
    age = reading.age
    if age is None or not all(field in reading.prose for field in FIELDS):
        return
    if not all(field in reading.listed for field in LISTS) or str(age) in reading.numbers:
        return  # a text that says the age leaves nothing to be guessed
    gap = age - age_words.expected(reading)
    if abs(gap) <= FAR or len(told := age_words.told(reading)) < ENOUGH:
        return
    against: dict[str, float] = {}
    for years, word in told:
        if (years < 0) == (gap > 0):
            against[word] = against.get(word, 0.0) + abs(years)
    shown = sorted(against, key=lambda word: (-against[word], word))[:SHOWN]
    yield RULE.error(
        "persona",
        f"the texts together read like those of a much {'younger' if gap > 0 else 'older'} person than one of {age}",
        ", ".join(word.replace("_", " ") for word in shown),
    )


@cache
def _age_words() -> AgeWords:
    return AgeWords.of(lexicon("age_words", ENGLISH))


_TEXTS = {**dict.fromkeys(FIELDS, "Ana Wu bakes bread."), **dict.fromkeys(LISTS, "['Bread']")}
_OLD = {
    **_TEXTS,
    "persona": "Ana Wu, a gentle octogenarian, blends frugality, tradition and stories of a lifetime in retirement.",
    "professional_persona": "Ana Wu, a retired veteran with decades of experience, turned to mentoring seniors and"
    " keeping local history at the center.",
    "sports_persona": "Ana Wu walks daily with the senior center, plays shuffleboard, and does gentle stretching,"
    " tai chi and low-impact aerobics for her arthritis and balance.",
    "travel_persona": "Ana Wu takes one relaxed cruise for seniors, and revisiting heritage sites, gardens and"
    " battlefields with her grandchildren as health and mobility permits.",
    "arts_persona": "Ana Wu plays recordings of hymns, ballads and Beethoven in the afternoons.",
    "cultural_background": "Ana was born during the second world war, after the depression, and witnessed migration.",
    "career_goals_and_ambitions": "Even in retirement, Ana hopes to remain active, volunteering weekly, to compile a"
    " memoir for younger generations, and to preserve oral history and handwritten recipes as a legacy.",
}
_YOUNG = {
    **_TEXTS,
    "persona": "Ana Wu, juggling guitar sessions, gaming marathons and journaling, hikes on impulsive night walks.",
    "professional_persona": "Ana Wu, an aspiring student, is a budding designer who will excel at tech events.",
    "sports_persona": "Ana Wu runs solo, trains with a crew of runners on weekends, jogs, and practices co-ed"
    " volleyball, soccer and pickup basketball in an intramural league.",
    "travel_persona": "Ana Wu, on a student budget, plans backpacking, music and food, hostels in Kyoto and Tokyo.",
    "arts_persona": "Ana Wu curates indie playlists on Instagram, and binges ambient beats while sketching.",
    "culinary_persona": "Ana Wu is experimenting with ramen, avocado toast, lime and quinoa bowls.",
    "career_goals_and_ambitions": "Ana hopes to enroll in college within the next years to earn her bachelor degree,"
    " pursue certifications, gain a technical position, and eventually build her own career in the long term.",
}
ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {**_OLD, "age": 88},
    {**_YOUNG, "age": 20},
    {**_TEXTS, "age": 80},
    {"age": 80, "persona": _YOUNG["persona"]},
    {**_YOUNG, "age": 80, "persona": "Ana Wu, 80, plays the guitar."},
)
REJECTS: tuple[Mapping[str, Any], ...] = ({**_OLD, "age": 24}, {**_YOUNG, "age": 80})
