"""Work and retirement that the text speaks of fit the occupation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH
from census_personas.validators.text.prose import plain
from census_personas.validators.text.record_view import RecordView
from census_personas.validators.text.stages import quote_of

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("occupation",)
LOOKUPS: tuple[str, ...] = ("occupations",)

RULE = Rule.of(__name__)
# Share of the best fitting occupation's score: where the text names another occupation that it fits, and where it names
# none, which may be one that goes by a title unheard of. One in a thousand released workers is told of so.
ERROR_BELOW, UNNAMED_BELOW = 0.39, 0.31
WARNING_BELOW = 0.44
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
    if match.share < WARNING_BELOW:
        make = RULE.error if match.share < (ERROR_BELOW if match.other else UNNAMED_BELOW) else RULE.warning
        stated, other = reference.occupation(name), reference.occupation(match.best)
        if stated is not None and other is not None:
            yield make(
                "professional_persona",
                f"the person is a {stated.title}; the text speaks of work like a {other.title}'s",
                f"fit {match.share:.2f}",
            )
    yield from _retired(reading, name, fits=match.named or match.share >= 1)


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


def _retired(reading: RecordView, name: str, *, fits: bool) -> Iterator[Finding]:
    """An error unless the text names the very occupation: "a retired bus driver" may drive on."""
    make = RULE.warning if fits else RULE.error
    if "retire" not in reading.lower:
        return
    for field, text in reading.lowered.items():
        quote = quote_of("retired", text)
        if quote:
            yield make(field, f"the person works ({name}); the text calls them retired", quote)
            return


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
)
