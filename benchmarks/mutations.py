"""Mutations: ways in which a good record goes wrong, for the recall table of `validators.py`.

Each takes a row, another row to borrow from, and a generator, and returns the corrupted row, or None where the
mutation does not apply. Two kinds are told apart. A *corruption* makes a row that contradicts itself: text is spoilt,
or a fact is changed that the row is sure to tell of, by the facts that remain or by a statement that a regular
expression finds independently of the rules. A *swap* changes a fact of any row, and some of the rows that it yields are
as true as before (a carpenter whose education no text mentions, moved from high school to some college): nothing could
detect these. Where there is a swap, there is a corruption of the same fact beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from census_personas.foundation.schema import NARRATIVES
from census_personas.validators.text.lexicon import ENGLISH, lexicon

Row = Mapping[str, Any]
Mutation = Callable[[Row, Row, np.random.Generator], dict[str, Any] | None]

LEVELS: tuple[str, ...] = tuple(lexicon("education", ENGLISH)["levels"])
TEXTS = (*NARRATIVES, "cultural_background", "career_goals_and_ambitions")
IDLE = ("not_in_workforce", "no_occupation")
YEARS = 30
_AGE = re.compile(r"(\d\d)([- \u2011]years?[- \u2011]old)")
_NAME = re.compile(r"^([A-Z][\w\u2019'-]+) ([A-Z][\w\u2019'-]+)")
REFUSALS = (
    "I\u2019m sorry, but I can\u2019t help with creating a profile of this person.",
    "As an AI language model, I do not have personal experiences to describe.",
    "I cannot fulfill this request because it asks for demographic details.",
    "Unfortunately, I am unable to generate this content.",
)
LEAKS = (
    "Here is the persona in JSON format as requested:",
    "Based on the provided information, the persona is as follows.",
    "{{ first_name }} {{ last_name }} is a person.",
    "[Name] lives in [City] and works as a high_school teacher.",
    "<|im_end|> You are a helpful assistant.",
    "Note that the system prompt asks for high openness and low neuroticism.",
)
CONTACTS = (
    "Reach out at jane.doe@example.com.",
    "Call 415-555-0132 for details.",
    "The number on file is 078-05-1120.",
    "More at https://www.example.org/people.",
)


def _texts(row: Row) -> list[str]:
    return [field for field in TEXTS if isinstance(row.get(field), str) and row[field]]


def name_in_one_narrative(row: Row, other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Another person's full name in one of the six personas."""
    mine, theirs = _NAME.match(str(row["persona"])), _NAME.match(str(other["persona"]))
    field = str(rng.choice(NARRATIVES))
    if not mine or not theirs or mine.group() == theirs.group() or mine.group() not in row[field]:
        return None
    return {**row, field: row[field].replace(mine.group(), theirs.group())}


def sex(row: Row, _other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """The other sex in the facts."""
    return {**row, "sex": "Female" if row["sex"] == "Male" else "Male"}


def sex_in_text(row: Row, _other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """Pronouns of the other sex in the cultural background and the goals."""
    pairs = {"she": "he", "her": "his", "herself": "himself"}
    pairs |= {"he": "she", "his": "her", "him": "her", "himself": "herself"}

    def swap(match: re.Match[str]) -> str:
        word = pairs[match.group().lower()]
        return word.capitalize() if match.group()[0].isupper() else word

    pattern = re.compile(rf"\b(?:{'|'.join(pairs)})\b", re.IGNORECASE)
    fields = [field for field in ("cultural_background", "career_goals_and_ambitions") if row.get(field)]
    changed = {field: pattern.sub(swap, row[field]) for field in fields}
    return {**row, **changed} if any(changed[field] != row[field] for field in fields) else None


def age(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Thirty years more or less in the facts."""
    return {**row, "age": int(row["age"]) + YEARS * int(rng.choice((-1, 1)))}


def age_adult(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Thirty years more or less in the facts, kept between 18 and 95."""
    steps = [step for step in (-YEARS, YEARS) if 18 <= int(row["age"]) + step <= 95]
    return {**row, "age": int(row["age"]) + int(rng.choice(steps))} if steps else None


def age_where_stated(row: Row, other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Thirty years more or less where the text states the age in figures, kept between 18 and 95."""
    stated = any(_AGE.search(row[field]) for field in _texts(row))
    return age_adult(row, other, rng) if stated else None


def age_in_text(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Another age stated in one text."""
    fields = [field for field in _texts(row) if _AGE.search(row[field])]
    if not fields:
        return None
    field = str(rng.choice(fields))
    wrong = int(row["age"]) + YEARS if int(row["age"]) < 50 else int(row["age"]) - YEARS
    return {**row, field: _AGE.sub(lambda match: f"{wrong}{match.group(2)}", row[field])}


def state(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """Another state in the facts; city and ZIP code stay."""
    return {**row, "state": other["state"]} if other["state"] != row["state"] else None


def place(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """City, state and ZIP code of a person in another state: consistent facts, another place in the text."""
    if other["state"] == row["state"]:
        return None
    return {**row, **{field: other[field] for field in ("city", "state", "zipcode")}}


def occupation(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """Another person's occupation, or lack of one, in the facts."""
    return {**row, "occupation": other["occupation"]} if other["occupation"] != row["occupation"] else None


def occupation_of_workers(row: Row, other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Another worker's occupation for a worker."""
    if row["occupation"] in IDLE or other["occupation"] in IDLE:
        return None
    return occupation(row, other, rng)


def occupation_from_work(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """A worker is said to be without a job in the facts."""
    if row["occupation"] in IDLE:
        return None
    return {**row, "occupation": other["occupation"] if other["occupation"] in IDLE else IDLE[0]}


def occupation_into_work(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """A person without a job is given another's in the facts."""
    if row["occupation"] not in IDLE or other["occupation"] in IDLE:
        return None
    return {**row, "occupation": other["occupation"]}


def education_where_stated(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """Another education where the goals name a GED, or a bachelor's degree to be finished, that it makes absurd."""
    goals = str(row.get("career_goals_and_ambitions", ""))
    first = re.search(
        r"\b(?:earn|complete|obtain|finish)(?:ing)? (?:a|an|his|her)"
        r" (GED|high[- \u2011]school diploma|bachelor|associate)",
        goals,
    )
    if first is None:
        return None
    lowest = 3 if first.group(1)[0] in "Gh" else 5
    levels = [level for level in LEVELS[lowest:] if level != row["education_level"]]
    wrong = other["education_level"] if other["education_level"] in levels else levels[-1]
    return {**row, "education_level": wrong} if LEVELS.index(row["education_level"]) < lowest else None


def occupation_text(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """All that the text says of work is another worker's: professional persona, skills and goals."""
    if row["occupation"] in IDLE or other["occupation"] in IDLE or row["occupation"] == other["occupation"]:
        return None
    mine, theirs = _NAME.match(str(row["persona"])), _NAME.match(str(other["persona"]))
    if not mine or not theirs:
        return None
    fields = ("professional_persona", "career_goals_and_ambitions")
    text = {
        field: str(other[field]).replace(theirs.group(), mine.group()).replace(theirs.group(1), mine.group(1))
        for field in fields
    }
    return {**row, **text, "skills_and_expertise_list": other["skills_and_expertise_list"]}


def education(row: Row, other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """Another person's education in the facts."""
    if other["education_level"] == row["education_level"]:
        return None
    return {**row, "education_level": other["education_level"]}


def education_text(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A sentence that claims an education two or more levels away."""
    own = LEVELS.index(row["education_level"])
    claims = {
        1: "{} never finished high school.",
        2: "{}\u2019s formal education ended with a high\u2011school diploma.",
        5: "{} holds a bachelor\u2019s degree in chemistry.",
        6: "{} earned a master\u2019s degree in public policy.",
    }
    levels = [level for level in claims if abs(level - own) >= 2 and not (level > 4 and own > 4)]
    name = _NAME.match(str(row["persona"]))
    if not name or not levels:
        return None
    claim = claims[int(rng.choice(levels))].format(name.group(1))
    return {**row, "cultural_background": f"{row['cultural_background']} {claim}"}


def truncate(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """One text cut off at a random letter after its first third."""
    field = str(rng.choice(_texts(row)))
    text = row[field]
    cut = text[: int(rng.integers(len(text) // 3, len(text) - 2))]
    return {**row, field: cut}


def refusal(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A refusal in place of one text."""
    return {**row, str(rng.choice(_texts(row))): str(rng.choice(REFUSALS))}


def leak(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Instructions, template residue or chat markup before or after one text."""
    field, words = str(rng.choice(_texts(row))), str(rng.choice(LEAKS))
    text = f"{words} {row[field]}" if rng.random() < 0.5 else f"{row[field]} {words}"
    return {**row, field: text}


def contact(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A phone number, address or the like at the end of one text."""
    field = str(rng.choice(_texts(row)))
    return {**row, field: f"{row[field]} {rng.choice(CONTACTS)}"}


def copied_text(row: Row, _other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """One persona is a copy of another."""
    return {**row, "arts_persona": row["travel_persona"]}


def marital(row: Row, _other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """A widowed person of eighteen."""
    return {**row, "age": 18, "marital_status": "widowed"}


MUTATIONS: Mapping[str, tuple[Mutation, bool]] = {
    "name in one persona": (name_in_one_narrative, True),
    "sex (fact)": (sex, True),
    "sex (text)": (sex_in_text, True),
    "age +-30 (fact)": (age, False),
    "age +-30 (fact, adults)": (age_adult, False),
    "age +-30 (fact, text states it)": (age_where_stated, True),
    "age +-30 (text)": (age_in_text, True),
    "state (fact)": (state, True),
    "city, state, ZIP (facts)": (place, True),
    "occupation (fact)": (occupation, False),
    "occupation (fact, workers)": (occupation_of_workers, False),
    "occupation (fact, worker to none)": (occupation_from_work, False),
    "occupation (fact, none to worker)": (occupation_into_work, False),
    "occupation (text, workers)": (occupation_text, True),
    "education (fact)": (education, False),
    "education (fact, text states it)": (education_where_stated, True),
    "education (text)": (education_text, True),
    "widowed at 18 (facts)": (marital, True),
    "truncated": (truncate, True),
    "refusal": (refusal, True),
    "leak": (leak, True),
    "contact detail": (contact, True),
    "copied text": (copied_text, True),
}
"""Name -> mutation, and whether it is a corruption, every row of which contradicts itself; others are swaps."""
