"""Education that the text claims, or plans, fits the education level."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("schooling",)

RULE = Rule.of(__name__)
# Texts whose plans are of today, and the one whose plans were carried out.
FUTURE = frozenset({"career_goals_and_ambitions", "professional_persona", "persona"})
PAST = "cultural_background"
TOLD = frozenset({"persona", "professional_persona", PAST})  # who the person is
FIRST_DEGREES = (
    "associate",
    "bachelor",
    "undergraduate",
    "b.a.",
    "b.s.",
    "university program",
    "college degree",
)
TRAINED = (
    "training",
    "trained",
    "background",
    "focused",
    "college-educated",
    "college educated",
)  # a course of study, finished or not
NEAR = 40  # letters before it in which a negation stands
BEFORE, AFTER = 30, 90  # letters around one of its words in which a credential stands
GED = "ged"
SHORTEST = 3  # letters of a word that is looked for as it is
LEAD = 70  # letters before a credential in which the verb stands
UNDERWAY = 16  # letters after it that may say that it is still being worked for

_OWN = re.compile(r"\b(?:his|her|their|with an?) (?:[\w-]+ )?$")


class _Words(NamedTuple):
    """The lexicon, compiled."""

    credential: re.Pattern[str]
    plans: re.Pattern[str]
    has: re.Pattern[str]
    builds: re.Pattern[str]
    acquires: re.Pattern[str]
    adds: re.Pattern[str]
    underway: re.Pattern[str]
    others: re.Pattern[str]
    causes: re.Pattern[str]
    negations: re.Pattern[str]
    no_diploma: re.Pattern[str]
    holder: re.Pattern[str]
    owns: re.Pattern[str]
    no_college: re.Pattern[str]
    no_degree: re.Pattern[str]
    diploma: re.Pattern[str]
    no_diploma_letters: tuple[str, ...]
    anchors: frozenset[str]
    pairs: tuple[tuple[frozenset[str], str], ...]


@cache
def _words() -> _Words:
    content = lexicon("education", ENGLISH)

    def any_of(patterns: list[str]) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(patterns)})\b")

    credentials = "|".join(
        f"(?P<{level}>{'|'.join(found)})" for level, found in content["credentials"].items()
    )
    return _Words(
        credential=re.compile(rf"\b(?:{credentials})"),
        plans=any_of(content["plans"]),
        has=any_of(content["has"]),
        builds=any_of(content["builds"]),
        acquires=re.compile(rf"\b{content['acquires']}"),
        adds=re.compile(content["adds"]),
        underway=re.compile(content["underway"]),
        others=any_of(content["others"]),
        causes=any_of(content["causes"]),
        negations=any_of(content["negations"]),
        no_diploma=re.compile("|".join(content["no_diploma"])),
        holder=re.compile(content["holder"]),
        owns=re.compile(content["owns"]),
        no_college=re.compile(rf"\b{content['no_college']}"),
        no_degree=re.compile(content["no_degree"]),
        diploma=re.compile(rf"\b{content['diploma']}"),
        no_diploma_letters=tuple(content["no_diploma_letters"]),
        anchors=frozenset(word for word in content["anchors"] if " " not in word),
        pairs=tuple(
            (frozenset(both.split()), both.split()[-1]) for both in content["anchors"] if " " in both
        ),
    )


@cache
def _ladder() -> Mapping[str, int]:
    """The levels of education that the lexicon speaks of, from the lowest, and the place of each."""
    return {level: place for place, level in enumerate(lexicon("education", ENGLISH)["levels"])}


def _rung(level: str) -> int:
    return _ladder()[level]


class _Claim(NamedTuple):
    field: str
    low: int
    high: int
    quote: str


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Read each credential as held or planned, and compare the levels that this allows with the level given.

    Held: at least that level (a diploma or an associate's degree is also claimed by people one level above). Planned:
    below it; people who hold a degree plan further ones of the same level, so that only lower plans speak.
    """
    reading = reference.read(record)
    level = reading.fact_of("schooling")
    column = reading.column_of("schooling")
    if level is None or level not in _ladder():
        if reading.prose:
            yield RULE.not_judged(column, "no education is given to compare with")
        return
    own = _rung(level)
    wrong = [claim for claim in _claims(reading) if not claim.low <= own <= claim.high]
    words = reference.label(column, level)
    for claim in wrong:
        yield RULE.error(claim.field, f"the person's education is: {words}", claim.quote)


def _claims(reading: RecordView) -> Iterator[_Claim]:
    lexis, words = _words(), reading.words
    anchors = lexis.anchors & words
    pairs = [(both, last) for both, last in lexis.pairs if both <= words]
    if not anchors and not pairs:
        return
    vocabulary = reading.vocabulary
    for field, text in reading.lowered.items():
        known = vocabulary[field]
        near = [*(anchors & known), *[last for both, last in pairs if both <= known]]
        if near:
            yield from _claims_of_text(field, text, near)


def _claims_of_text(field: str, text: str, near: Iterable[str]) -> Iterator[_Claim]:
    """What a text claims; `near` are the words of credentials that it has."""
    lexis = _words()
    ends = [text.find(degree) + len(degree) for degree in FIRST_DEGREES if degree in text]
    first = min(ends, default=len(text) + 1)  # where the first mention of a first degree ends
    for match in _credentials(text, near):
        start = _sentence(text, match.start())
        lead = text[start : match.start()]
        kind = match.lastgroup or next(iter(_ladder()))
        own = _OWN.search(lead) is not None
        if lexis.others.search(lead) or lexis.negations.search(lead[-NEAR:]) or (kind == "field" and not own):
            continue
        quote = text[start : match.end()].strip()
        if kind == "enrolment":
            if field in FUTURE:
                yield _Claim(field, 0, _rung("some_college"), quote)
            continue
        sure = not (own and match.group() == GED)  # "her GED" is as often one still to come
        planned, held = _hold(lead, text[match.end() : match.end() + UNDERWAY], own=own, sure=sure)
        if kind == "degree":
            if not planned:
                yield _Claim(field, _rung("associates"), _rung("graduate"), quote)
        elif planned:
            yield from _plans(field, kind, quote, after_first=first <= match.start())
        elif held or lexis.holder.match(match.group()) or _is_major(kind, field, lead):
            yield from _has(field, kind, quote)
    if any(letters in text for letters in lexis.no_diploma_letters):
        yield from _outright(field, text)


def _is_major(kind: str, field: str, lead: str) -> bool:
    """Return whether a course of study is the person's rather than a cause that they promote."""
    return kind == "major" and field in TOLD and not _words().causes.search(lead)


def _outright(field: str, text: str) -> Iterator[_Claim]:
    """Yield what a text says of schooling without naming a credential: where it ended."""
    lexis, high_school, top = _words(), _rung("high_school"), _rung("graduate")
    for pattern, low, high in (
        (lexis.no_diploma, 0, high_school - 1),
        (lexis.no_college, 0, high_school),
        (lexis.no_degree, 0, _rung("associates")),
        (lexis.diploma, high_school, top),
    ):
        left = pattern.search(text)
        if left is not None and not lexis.others.search(text[_sentence(text, left.start()) : left.start()]):
            yield _Claim(field, low, high, left.group())


def _credentials(text: str, near: Iterable[str]) -> Iterator[re.Match[str]]:
    """Matches of the credentials in order; the pattern, which has many branches, is tried around the words alone."""
    credential = _words().credential
    done = 0
    for at in sorted({at for word in near for at in _places(word, text)}):
        while done <= at:
            match = credential.search(text, max(done, at - BEFORE), at + AFTER)
            if match is None or match.start() > at:
                break
            yield match
            done = match.end()


def _places(word: str, text: str) -> Iterator[int]:
    if len(word) < SHORTEST:  # the letters of "B.A." and "Ph.D.", which stand in most words
        word += "."
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _sentence(text: str, at: int) -> int:
    """Where the sentence of a position begins, at most LEAD letters before it."""
    earliest = max(0, at - LEAD)
    return max(text.rfind(". ", earliest, at) + 1, earliest)


def _plans(field: str, kind: str, quote: str, *, after_first: bool) -> Iterator[_Claim]:
    if field in FUTURE and (kind in _ladder() or quote.endswith("degree")):
        yield from _planned(field, _level(kind), quote, after_first=after_first)
    elif field == PAST and _level(kind) >= _rung("some_college"):
        yield from _held(field, _level(kind), quote)


def _has(field: str, kind: str, quote: str) -> Iterator[_Claim]:
    if kind == "field" or (kind == "major" and quote.endswith(TRAINED)):  # that of any college
        yield _Claim(field, _rung("some_college"), _rung("graduate"), quote)
    else:
        yield from _held(field, _level(kind), quote)


def _level(kind: str) -> int:
    """The rung of a kind of credential."""
    return _rung("bachelors" if kind in {"field", "major"} else kind)


def _hold(lead: str, after: str, *, own: bool, sure: bool) -> tuple[bool, bool]:
    """Whether a credential is planned, and whether it is held, by the clause before it and the words after it."""
    lexis = _words()
    plan = _last(lexis.plans, lead)
    if lexis.underway.match(after):
        return True, False
    if own and sure:
        planned = lexis.acquires.search(lead) is not None or (
            plan >= 0 and lexis.adds.search(lead) is not None
        )
        return planned, not planned
    if lexis.owns.search(lead):
        return False, True
    if plan >= 0:
        held = _last(lexis.has, lead) >= plan
        return not held, held
    return False, lexis.has.search(lead) is not None or lexis.builds.search(lead) is not None


def _last(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _planned(field: str, credential: int, quote: str, *, after_first: bool) -> Iterator[_Claim]:
    """Who plans a credential does not have it yet; whose first plan is a graduate degree has been to college."""
    if credential == _rung("graduate"):
        if not after_first:
            yield _Claim(field, _rung("some_college"), credential, quote)
    elif credential == _rung("high_school"):
        yield _Claim(field, 0, credential, quote)
    elif credential in {_rung("associates"), _rung("bachelors")}:
        yield _Claim(field, 0, credential - 1, quote)


def _held(field: str, credential: int, quote: str) -> Iterator[_Claim]:
    if credential == _rung("high_school"):
        yield _Claim(field, credential, credential + 1, quote)
    elif credential in {_rung("some_college"), _rung("associates")}:
        yield _Claim(field, _rung("some_college"), _rung("associates") + 1, quote)
    else:
        yield _Claim(field, credential, _rung("graduate"), quote)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "education_level": "bachelors",
        "persona": "With a bachelor's degree in art, Ana hopes to earn a master's.",
    },
    {
        "education_level": "high_school",
        "persona": "Ana plans to enrol and earn an associate degree next year.",
    },
    {"education_level": "9th_12th_no_diploma", "persona": "Ana plans to complete her GED."},
    {"education_level": "less_than_9th", "persona": "Ana cheers for the local high-school team."},
    {"education_level": "high_school", "persona": "Ana saves for her daughter's bachelor's degree."},
    {"education_level": "high_school", "persona": "Ana promotes STEM education among girls of the block."},
    {"education_level": "high_school", "persona": "Ana plans a bachelor's degree, and in time a master's."},
    {"education_level": "graduate", "persona": "Ana plans to enroll in a community-college class on clay."},
    {
        "education_level": "bachelors",
        "career_goals_and_ambitions": "Ana plans to leverage a forthcoming MBA.",
    },
    {
        "education_level": "high_school",
        "career_goals_and_ambitions": "Ana plans to enroll in a B.A. at a college, and envisions pursuing a master's.",
    },
    {"education_level": "some_college", "persona": "Ana, who leverages her humanities training, curates."},
    {"education_level": "bachelors", "persona": "Ana dreams of a cruise once her MBA is completed."},
    {"education_level": "some_college", "persona": "Ana Wu, a college-educated baker, reads."},
    {
        "education_level": "some_college",
        "cultural_background": "She left college before she earned a bachelor's degree.",
    },
    {"education_level": "9th_12th_no_diploma", "persona": "Ana misses deadlines for her GED studies."},
    {
        "education_level": "associates",
        "professional_persona": "Ana, an aspiring planner, uses her associate's degree.",
    },
    {
        "education_level": "high_school",
        "persona": "Ana never went to college, and married a man with a doctorate.",
    },
    {"education_level": "graduate", "persona": "Ana coaches a college dropout and a high-school dropout."},
    {
        "education_level": "high_school",
        "career_goals_and_ambitions": "Ana plans to supplement her high-school diploma with an associate's degree.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"education_level": "high_school", "persona": "Ana Wu, a college-educated archivist, sorts letters."},
    {
        "education_level": "high_school",
        "cultural_background": "After completing some college coursework in law, she moved to Erie.",
    },
    {
        "education_level": "some_college",
        "professional_persona": "Ana Wu, a paralegal with a graduate business degree, drafts contracts.",
    },
    {"education_level": "high_school", "persona": "Ana Wu, a STEM-educated baker, measures twice."},
    {"education_level": "high_school", "career_goals_and_ambitions": "Ana plans to pursue an MBA by forty."},
    {"education_level": "graduate", "persona": "Ana hopes to enroll in a community college program."},
    {
        "education_level": "high_school",
        "cultural_background": "A love of books led her to pursue a bachelor's degree in history.",
    },
    {"education_level": "high_school", "skills_and_expertise": "Ana has a degree in law, and negotiates."},
    {"education_level": "high_school", "persona": "Ana, who holds a master's degree in physics, teaches."},
    {"education_level": "graduate", "career_goals_and_ambitions": "Ana plans to earn her GED next year."},
    {"education_level": "bachelors", "cultural_background": "Ana never finished high school, and says so."},
    {"education_level": "some_college", "persona": "Ana, an alumna of a small medical school, sews well."},
    {"education_level": "high_school", "persona": "Ana has two master's degrees and one cat."},
    {"education_level": "graduate", "persona": "Ana never attended college, and says so."},
    {"education_level": "9th_12th_no_diploma", "persona": "Ana graduated early from high school."},
    {"education_level": "bachelors", "persona": "Ana is a proud college dropout."},
)
