"""Texts describe a job only for people who have one, and joblessness only for those who do not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.claims import Claim, clause_before, mood_at, statements, titles
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.record_view import RecordView
from census_personas.validators.text.stages import called_retired

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "record"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("occupation",)

RULE = Rule.of(__name__)
FIELDS = ("professional_persona", "career_goals_and_ambitions", "persona")
TEXT = "professional_persona"
CHARACTER = "persona"
# Age of Medicare (Social Security Act, section 226). From here on a title without a workplace is mostly that of
# a career that is over: "a mechanical engineer" of eighty mentors pupils.
CAREER_OVER = 65
PENSION = 67  # full retirement age of those born since 1960 (section 216(l))
PAST = "cultural_background"
NEAR = 30  # letters after a job taken in which it turns out to be none
_WORKS_AS = re.compile(r"work(?:s|ing)? as ")
AFTER = 90  # letters after a title in which its workplace stands


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Compare what the text says outright, in the present and without a hedge, with the fact of having a job."""
    reading = reference.read(record)
    occupation = reading.fact_of("occupation")
    if occupation is None or not all(field in reading.prose for field in FIELDS):
        return
    if occupation in reference.without_work:
        outside = occupation in reference.outside_occupations
        state = "is not in the labour force" if outside else "is looking for work"
        quote = _job(reading)
        if quote:
            yield RULE.error(TEXT, f"the person {state}; the text says that they have a job", quote)
        yield from _going(reading, f"the person {state}; the text has them go to a job")
        yield from _employed(reading, f"the person {state}; the text says that they have a job")
        yield from _undecided(reading)
        if not outside and (reading.age or 0) >= PENSION:
            said = called_retired(reading, working=False)
            yield from _retired(said, f"the person {state}; the text calls them retired")
    else:
        yield from _in_none(reading, occupation)


def _job(reading: RecordView) -> str:
    """The words by which the text says that the person has a job now; '' where it does not."""
    words, text = _words(), reading.lowered[TEXT]
    claims = titles(reading, TEXT)
    retired = any(claim.mood == "past" and "retire" in claim.quote for claim in claims)
    for claim in claims:
        if claim.mood == "present" and _is_job(claim, reading, words, retired=retired):
            return claim.quote
    if (reading.age or 0) < CAREER_OVER and not retired:
        quote = _hired(claims, words) or _service(claims, text, words)
        if quote:
            return quote
    at = words.work.search(text)  # what somebody does beside mentoring others is work as well
    return at.group() if at and mood_at(text, at.start()) in {"present", "other"} else ""


def _going(reading: RecordView, message: str) -> Iterator[Finding]:
    """The first words of a text of today that send the person to work, or give them a job."""
    words = _words()
    for field, text in reading.lowered.items():
        if field == PAST:
            continue
        for match in words.goes.finditer(text):
            near = text[match.start() : match.end() + NEAR]
            if mood_at(text, match.start()) == "present" and not words.goes_not.search(near):
                yield RULE.error(field, message, match.group())
                return


def _employed(reading: RecordView, message: str) -> Iterator[Finding]:
    """Report the first verb of a text of today by which the person has a job."""
    words = _words()
    for field in reading.lowered:
        if field == PAST:
            continue
        for claim in titles(reading, field):
            if claim.mood == "present" and _is_named_trade(claim, reading, words):
                yield RULE.error(field, message, claim.quote)
                return
        for pattern in (words.employed, words.possessed):
            for match in statements(reading, field, pattern):
                if not _is_unpaid(reading.lowered[field], match, words):
                    yield RULE.error(field, message, match.group())
                    return
        held = words.career.search(reading.lowered[field])
        if held is not None and not _is_unpaid(reading.lowered[field], held, words):
            yield RULE.error(field, message, held.group())
            return


def _is_unpaid(text: str, match: re.Match[str], words: _Words) -> bool:
    """Return whether the words near a job say that it is unpaid, or those before it that it was left."""
    gone = words.gone.search(text[max(0, match.start() - NEAR) : match.start()])
    if match.group().endswith(" as ") and words.jobs.isdisjoint(
        text[match.end() : match.end() + NEAR].split()
    ):
        return True  # "her role as a bridge between generations"
    return gone is not None or words.employed_not.search(text[match.start() : match.end() + NEAR]) is not None


def _is_named_trade(claim: Claim, reading: RecordView, words: _Words) -> bool:
    """Return whether a title is that of a job by its verb, "works as", or as it is no figure of speech."""
    young = (reading.age or 0) < CAREER_OVER
    literal = young and claim.field == CHARACTER and claim.head.rpartition("-")[2] in words.literal
    return (literal or _WORKS_AS.match(claim.quote) is not None) and _is_trade(claim, words)


def _is_trade(claim: Claim, words: _Words) -> bool:
    """Return whether a title is one that people work as for pay."""
    head = claim.head.rpartition("-")[2]
    return head in words.jobs | words.trades and words.unpaid.isdisjoint(claim.title.split())


def _undecided(reading: RecordView) -> Iterator[Finding]:
    """Warn where one text wants no job and another wants one; a wish may come after the present."""
    words = _words()
    declined = next((m.group() for t in reading.lowered.values() if (m := words.declines.search(t))), "")
    wanted = ((field, match) for field, t in reading.lowered.items() if (match := words.wants.search(t)))
    field, match = next(wanted, ("", None))
    if declined and match is not None:
        quote = f"{declined} | {match.group()}"
        yield RULE.warning(
            field, "one passage says that the person wants no job, another that they do", quote
        )


def _hired(claims: Iterable[Claim], words: _Words) -> str:
    """The first unhedged title that only paid work gives: "freelance illustrator"."""
    for claim in claims:
        paid = claim.mood == "present" and not words.hired.isdisjoint(claim.title.split())
        if paid and claim.head.rpartition("-")[2] not in words.never_hired:
            return claim.quote
    return ""


def _service(claims: Iterable[Claim], text: str, words: _Words) -> str:
    """The words that tell of work for others, where the text has a title for the person in the present."""
    heads = {claim.head for claim in claims if claim.mood == "present" and not claim.head.endswith("mentor")}
    if not heads:
        return ""
    for pattern in (words.services, *([] if heads.isdisjoint(words.educators) else [words.lessons])):
        at = pattern.search(text)
        if at and mood_at(text, at.start()) == "present":
            return at.group()
    return ""


def _is_job(claim: Claim, reading: RecordView, words: _Words, *, retired: bool) -> bool:
    """Whether an unhedged title is that of paid work, by its own words, its workplace, or its clients."""
    text = reading.lowered[TEXT]
    head, own = claim.head.rpartition("-")[2], frozenset(claim.title.split())
    given = head in words.jobs and not words.degree.search(claim.title)
    if not given and head not in words.trades:
        return False
    unpaid = not words.unpaid.isdisjoint(own) or (
        head in words.event_heads and not words.events.isdisjoint(own)
    )
    paid = not words.paid.isdisjoint(own)
    rest = text[claim.end :]
    planned = words.plans.search(rest) is not None
    if (reading.age or 0) >= CAREER_OVER:
        return given and paid and not (unpaid or planned or retired)
    if words.workplace.match(rest[:AFTER]) or _works_at(reading, claim.end, words):
        return True
    if given and not unpaid and (words.colleagues.search(rest) or words.advance.search(rest)):
        return True
    if planned:
        return False
    clients = words.clients.search(text) is not None
    return (given and not unpaid) or (clients and (paid or not unpaid))


def _works_at(reading: RecordView, start: int, words: _Words) -> bool:
    """Whether a workplace is named after a title, where the person works rather than hopes to or volunteers."""
    match = words.workplace_named.search(reading.prose[TEXT], start)
    return match is not None and mood_at(reading.lowered[TEXT], match.start()) == "present"


def _in_none(reading: RecordView, occupation: str) -> Iterator[Finding]:
    words = _words()
    for field in FIELDS:
        text = reading.lowered[field]
        for match in words.idle.finditer(text):
            if words.others.isdisjoint(clause_before(text, match.start()).replace(",", " ").split()):
                yield RULE.error(
                    field,
                    f"the person works ({occupation}); the text says that they have no job",
                    match.group(),
                )
                return
    yield from _retired(
        called_retired(reading, FIELDS), f"the person works ({occupation}); the text calls them retired"
    )


def _retired(said: tuple[str, str] | None, message: str) -> Iterator[Finding]:
    if said is not None:
        field, quote = said
        yield RULE.error(field, message, quote)


class _Words(NamedTuple):
    """The lexicon, compiled."""

    jobs: frozenset[str]
    trades: frozenset[str]
    unpaid: frozenset[str]
    paid: frozenset[str]
    events: frozenset[str]
    event_heads: frozenset[str]
    others: frozenset[str]
    degree: re.Pattern[str]
    workplace: re.Pattern[str]
    workplace_named: re.Pattern[str]
    clients: re.Pattern[str]
    colleagues: re.Pattern[str]
    advance: re.Pattern[str]
    plans: re.Pattern[str]
    hired: frozenset[str]
    never_hired: frozenset[str]
    services: re.Pattern[str]
    educators: frozenset[str]
    lessons: re.Pattern[str]
    work: re.Pattern[str]
    employed: re.Pattern[str]
    employed_not: re.Pattern[str]
    possessed: re.Pattern[str]
    gone: re.Pattern[str]
    career: re.Pattern[str]
    literal: frozenset[str]
    declines: re.Pattern[str]
    wants: re.Pattern[str]
    goes: re.Pattern[str]
    goes_not: re.Pattern[str]
    idle: re.Pattern[str]


@cache
def _words() -> _Words:
    content = lexicon("working_life", ENGLISH)

    def any_of(key: str) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(content[key])})")

    def words_of(key: str) -> frozenset[str]:
        return frozenset(content[key])

    return _Words(
        jobs=words_of("jobs"),
        trades=words_of("trades"),
        unpaid=words_of("unpaid"),
        paid=words_of("paid"),
        events=words_of("events"),
        event_heads=words_of("event_heads"),
        others=words_of("others"),
        degree=re.compile(content["degrees"]),
        workplace=re.compile(content["workplace"]),
        workplace_named=re.compile(content["workplace_named"]),
        clients=re.compile(content["clients"]),
        colleagues=re.compile(content["colleagues"]),
        advance=re.compile(content["advance"]),
        plans=any_of("plans"),
        hired=words_of("hired"),
        never_hired=words_of("never_hired"),
        services=any_of("services"),
        educators=words_of("educators"),
        lessons=re.compile(content["lessons"]),
        work=any_of("work"),
        employed=any_of("employed"),
        employed_not=re.compile(content["employed_not"]),
        possessed=re.compile(content["possessed"]),
        gone=re.compile(content["gone"]),
        career=re.compile(content["career"]),
        literal=words_of("literal"),
        declines=re.compile(content["declines"]),
        wants=re.compile(content["wants"]),
        goes=any_of("goes"),
        goes_not=re.compile(content["goes_not"]),
        idle=any_of("idle"),
    )


_IDLE = {
    "occupation": "not_in_workforce",
    "age": 50,
    "first_name": "Ana",
    "last_name": "Wu",
    "persona": "Ana Wu, a baker of memory, keeps a small garden and her neighbors' keys.",
    "career_goals_and_ambitions": "Ana hopes to write a memoir and to go on volunteering.",
    "professional_persona": "Ana Wu, a retired baker, runs baking workshops in the neighborhood.",
}
_SEEKING = {
    **_IDLE,
    "occupation": "no_occupation",
    "age": 66,
    "persona": "Ana Wu, a retired baker, plays chess.",
    "career_goals_and_ambitions": "Ana aims to secure a part-time role.",
    "professional_persona": "Ana Wu, a baker, plans her return to the kitchen.",
}
_WORKER = {**_IDLE, "occupation": "baker", "professional_persona": "Ana Wu, a baker, rises early."}
ACCEPTS: tuple[Mapping[str, Any], ...] = (
    _IDLE,
    _SEEKING,
    _WORKER,
    {**_IDLE, "professional_persona": "Ana Wu, an aspiring data analyst, learns statistics."},
    {**_IDLE, "professional_persona": "Ana Wu, a community organizer, plans the spring fair."},
    {**_IDLE, "professional_persona": "Ana Wu, a trained technician, seeks a role in a garage."},
    {**_IDLE, "professional_persona": "Ana Wu, a soon-to-launch part-time handyman, tinkers with engines."},
    {**_IDLE, "professional_persona": "Ana Wu, a part-time caregiver, cooks for her aunt."},
    {**_IDLE, "professional_persona": "Ana Wu, an aspiring handyman, hopes to deliver home repairs."},
    {**_IDLE, "professional_persona": "Ana Wu, an aspiring educator, dreams of leading curriculum design."},
    {**_IDLE, "professional_persona": "Ana Wu, a student, hopes to excel in retail work."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a seasoned handyman, is turning her skills into a business that offers home"
        " repairs.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu is a handyman-mentor who helps to provide home-maintenance services.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a former cashier at ease in her old job, raises bees.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu is a data analyst who seeks a role in a firm of emerging fame.",
    },
    {**_IDLE, "age": 70, "professional_persona": "Ana Wu, a retired smith and part-time welder, rests."},
    {**_IDLE, "age": 80, "professional_persona": "Ana Wu, an electrical engineer, mentors pupils."},
    {
        **_IDLE,
        "sports_persona": "Ana Wu jogs while her husband leaves for work, and goes to work on her roses.",
    },
    {**_IDLE, "persona": "Ana Wu has taken on a new role as a volunteer guide."},
    {**_IDLE, "culinary_persona": "Ana Wu no longer packs sandwiches for her lunch break."},
    {**_IDLE, "persona": "Ana Wu hopes to work for a shipping company when the twins start school."},
    {**_IDLE, "persona": "Ana Wu worked at a bank until the move, and works in her greenhouse now."},
    {**_IDLE, "persona": "Ana Wu thanks the cooks who work at the diner, and her son works for a hotel."},
    {**_WORKER, "persona": "Ana Wu, once a stay-at-home mother, now bakes."},
    {**_WORKER, "persona": "Ana Wu was jobless for a winter, and does not work on Mondays."},
    {**_WORKER, "persona": "Ana Wu is not retired, and her father retired last May."},
    {**_WORKER, "career_goals_and_ambitions": "Ana mentors women re-entering the workforce."},
    {**_WORKER, "persona": "Ana Wu, a retired nurse, keeps a part-time job at the bakery."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a 44-year-old paralegal, writes for a busy county law office.",
    },
    {**_IDLE, "professional_persona": "Ana Wu is an office administrator at a nonprofit in Peoria."},
    {**_IDLE, "professional_persona": "Ana Wu, a 50-year-old front-end developer, builds sites for clients."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu brings her sense of order into part-time consulting for startups.",
    },
    {**_IDLE, "professional_persona": "Ana Wu is a freelance visual artist who paints and plans a gallery."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a seasoned handyman, uses her skills to deliver home repairs.",
    },
    {**_IDLE, "professional_persona": "Ana Wu is a craftswoman who turns wood into a repair business."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu is a maintenance specialist who keeps facilities running, and is pursuing a"
        " certificate.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a 43-year-old educator, brings calm to lead curriculum design.",
    },
    {**_IDLE, "professional_persona": "Ana Wu mentors women and secures consulting contracts."},
    {**_IDLE, "professional_persona": "A meticulous data analyst named Ana Wu turns numbers into charts."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a project-management veteran turned freelance graphic designer, draws.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a handyman-entrepreneur, uses her skills to run a part-time home-repair"
        " service.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a student of numbers, keeps the ledgers at her part-time front-desk job.",
    },
    {
        **_IDLE,
        "professional_persona": "Ana Wu, a cashier with twenty years at the till, trains new hires and is pursuing a"
        " supervisory post.",
    },
    {
        **_IDLE,
        "first_name": "Hope",
        "professional_persona": "Hope Wu is a facilities manager who oversees the upkeep of nine buildings.",
    },
    {**_IDLE, "professional_persona": "Ana Wu uses her calm to excel in retail work and college projects."},
    {
        **_IDLE,
        "professional_persona": "Ana Wu uses her skills to deliver reliable solutions in the automotive sector.",
    },
    {**_IDLE, "age": 71, "sports_persona": "Ana Wu stretches for ten minutes before she leaves for work."},
    {
        **_IDLE,
        "occupation": "no_occupation",
        "career_goals_and_ambitions": "Ana has taken on a new role as a project manager.",
    },
    {**_IDLE, "arts_persona": "Ana Wu sketches strangers on her morning commute."},
    {**_IDLE, "age": 73, "persona": "Ana Wu, a widow, continues to work in the shipping industry."},
    {**_IDLE, "persona": "After a decade at home, Ana Wu works part-time at a hotel front desk."},
    {**_IDLE, "persona": "Ana Wu works as a bus dispatcher and knits between calls."},
    {**_IDLE, "persona": "Ana Wu reports to the shift supervisor and keeps the line moving."},
    {**_IDLE, "sports_persona": "Ana Wu plays darts with her coworkers on Fridays."},
    {**_IDLE, "occupation": "baker"},
    {**_WORKER, "persona": "Ana Wu has been out of work since the flood."},
    {**_WORKER, "persona": "Recently laid off, Ana Wu walks the dog twice a day."},
    {**_WORKER, "persona": "Ana Wu retired last June and sleeps until nine."},
    {**_WORKER, "persona": "Retirement leaves Ana Wu free to travel."},
    {**_WORKER, "career_goals_and_ambitions": "Ana aims to re-enter the workforce next year."},
    {**_WORKER, "career_goals_and_ambitions": "Ana aims to transition back into the workforce."},
    {**_WORKER, "persona": "Ana Wu, a curious retiree with a camera, walks the shore."},
    {**_WORKER, "persona": "Ana Wu has baked for nobody but herself since retiring."},
    {**_SEEKING, "age": 75},
)
