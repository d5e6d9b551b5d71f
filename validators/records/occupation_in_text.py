"""Work and retirement that the text speaks of fit the occupation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import Claim, titles
from census_personas.validators.text.coherence import shared_words, stem
from census_personas.validators.text.lexicon import ENGLISH
from census_personas.validators.text.prose import plain, words
from census_personas.validators.text.record_view import RecordView
from census_personas.validators.text.stages import called_retired

if TYPE_CHECKING:
    from census_personas.validators.occupations.occupation_match import Match
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
WARNINGS: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("occupation",)
LOOKUPS: tuple[str, ...] = ("occupations",)

RULE = Rule.of(__name__)
WARNING_BELOW = 0.44  # share of the best fitting occupation's score; no such share tells an aim from an error
# Below these the work told is another's, where the texts about it share no telling word with the rest of the record: a
# record into which another person's work was put. Titles of a broad occupation ("manager") have many trades.
STRANGE_BELOW, BROAD_BELOW = 0.3, 0.2
PLACED_BELOW = 0.9  # the same where these texts also tell of another region
ELSEWHERE = 0.9  # votes for another region
MOST_USUAL, MOST_USUAL_PLACED = 2, 4  # usual words that such texts may share
OPENING = 10  # words in which a text says what its person is
# Words of occupations' names that any trade has.
ANY_NAME = frozenset(
    "or and of all other general worker manager related except first line specialist not".split()
)
WORK = {
    "professional_persona": 2.0,
    "skills_and_expertise": 1.0,
    "career_goals_and_ambitions": 1.0,
}


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare the words about work with those of every occupation; a job and "retired" exclude each other.

    People without a job are not judged by what they can do: most texts about them tell of a trade.
    """
    reading = reference.read(record)
    name = reading.fact_of("occupation")
    if name is None or name in reference.without_work or "professional_persona" not in reading.prose:
        if name is None and reading.prose:
            yield RULE.not_judged(reading.column_of("occupation"), "no occupation is given to compare with")
        return
    if name not in reference.occupations:
        yield RULE.not_judged(reading.column_of("occupation"), "the locale has no such occupation", name)
        return
    matcher, tokens = reference.occupations, reading.tokens
    told = reading.beside.get(RULE.code) or matcher.told([_texts(reading)])[0]
    match = matcher.match(
        name, told, tokens["professional_persona"], tokens.get("persona", ()), enough=WARNING_BELOW
    )
    if match.share < PLACED_BELOW and not match.named:
        yield from _unfit(reading, name, match, reference)
    if name in reference.occupations and reference.occupations.is_management(name):
        intern = next((claim for claim in titles(reading, "professional_persona") if _is_intern(claim)), None)
        if intern is not None:
            yield RULE.error(
                "professional_persona",
                f"the person works ({name}); the text calls them an intern",
                intern.quote,
            )
    retired = called_retired(reading)
    if retired is not None:
        field, quote = retired
        yield RULE.error(field, f"the person works ({name}); the text calls them retired", quote)


def _is_intern(claim: Claim) -> bool:
    return claim.mood == "training" and claim.title.split()[-1] == "intern"


def _unfit(reading: RecordView, name: str, match: Match, reference: RuleContext) -> Iterator[Finding]:
    """A warning where words about work fit another occupation; an error where a title says so, or other texts do."""
    stated, other = reference.occupation(name), reference.occupation(match.best)
    if stated is None or other is None:
        return
    claims = titles(reading, "professional_persona")
    sure = _claimed(claims, name, match.share, reference) or (
        _strange(reading, name, match.share, reference) and not _same_trade(claims, name, reading)
    )
    if sure or match.share < WARNING_BELOW:
        make = RULE.error if sure else RULE.warning
        yield make(
            "professional_persona",
            f"the person is a {stated.title}; the text speaks of work like a {other.title}'s",
            next((claim.quote for claim in claims if claim.mood == "present"), f"fit {match.share:.2f}"),
        )


def _claimed(claims: Sequence[Claim], name: str, share: float, reference: RuleContext) -> bool:
    """Whether the text claims another occupation's title as the present job, and its words fit that as well."""
    if share >= STRANGE_BELOW or reference.occupations.is_broad(name):
        return False
    said = [(words(claim.title), claim.mood == "present") for claim in claims]
    return reference.occupations.names_another(name, said)


def _same_trade(claims: Sequence[Claim], name: str, reading: RecordView) -> bool:
    """Whether what the text calls the person has a word of the occupation's name: an "office administrator"."""
    opening = reading.lowered["professional_persona"].replace("-", " ").split()[:OPENING]
    told = {stem(word.strip(",.")) for word in opening}
    told.update(stem(word) for claim in claims for word in claim.title.replace("-", " ").split())
    return not told.isdisjoint(stem(word) for word in name.split("_") if word not in ANY_NAME)


def _strange(reading: RecordView, name: str, share: float, reference: RuleContext) -> bool:
    """Whether the texts about work speak of another person than the rest of the record."""
    rare, usual = shared_words(reading)
    if rare or usual > MOST_USUAL_PLACED:
        return False
    below = BROAD_BELOW if reference.occupations.is_broad(name) else STRANGE_BELOW
    return (share < below and usual <= MOST_USUAL) or _elsewhere(reading, reference)


def _elsewhere(reading: RecordView, reference: RuleContext) -> bool:
    """Whether the texts about work name places of another region, and none of the person's."""
    region, city = reading.fact_of("region"), reading.fact_of("municipality")
    texts = [reading.prose[field] for field in WORK if field in reading.prose]
    if region is None or "places" not in reference.lookups:
        return False
    if city and plain(city) in " ".join(texts):
        return False
    name = frozenset(reading.name.full.split()) if reading.name else frozenset()
    votes = reference.gazetteer.votes(texts, name)
    own = votes.pop(region, 0.0)
    return not own and max(votes.values(), default=0.0) >= ELSEWHERE


def prepare(readings: Sequence[RecordView], reference: RuleContext) -> None:
    """Read what the texts of many records tell of work, which takes much longer one by one."""
    workers = [reading for reading in readings if reading.fact_of("occupation") in reference.occupations]
    judged = [reading for reading in workers if "professional_persona" in reading.prose]
    told = reference.occupations.told([_texts(reading) for reading in judged]) if judged else ()
    for reading, found in zip(judged, told, strict=True):
        reading.beside[RULE.code] = found


def _texts(reading: RecordView) -> list[tuple[str, float]]:
    """The texts about work, plain, each with its weight."""
    prose = reading.prose
    told = [(prose[field], weight) for field, weight in WORK.items() if field in prose]
    skills = reading.list_of("skills_and_expertise_list")
    return [*told, (plain(". ".join(skills)), 1.0)] if skills else told


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {
        "occupation": "registered_nurse",
        "professional_persona": "Ana Wu, an ICU nurse, monitors her patients.",
    },
    {"occupation": "not_in_workforce", "professional_persona": "Ana Wu, a retired nurse, volunteers."},
    {
        "occupation": "cashier",
        "professional_persona": "Ana Wu runs the checkout and saves for her retirement.",
    },
    {"occupation": "manager", "professional_persona": "Ana Wu, a manager, mentors an intern each year."},
    {
        "occupation": "office_clerk_general",
        "professional_persona": "Ana Wu, an office administrator, plans budgets and directs staff.",
    },
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        "occupation": "cashier",
        "professional_persona": "Ana Wu is a surgeon who operates on patients, plans surgical procedures and"
        " prescribes medications.",
    },
    {
        "occupation": "cashier",
        "professional_persona": "Ana Wu, a retired chemist, tests samples at a museum.",
    },
    {
        "occupation": "manager",
        "professional_persona": "Ana Wu, a 19-year-old strategic analyst intern at an incubator, leads.",
    },
)
