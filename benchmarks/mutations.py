"""Mutations: ways in which a good record goes wrong, for the recall table of `validators.py`.

Each takes a row, another row to borrow from, and a generator, and returns the corrupted row, or None if the mutation
does not apply. There are two kinds. A *corruption* makes a row that contradicts itself: it spoils a text, or changes a
fact that the other facts or a statement in a text still give away (a regular expression finds the statement, without
the rules). A *swap* changes a fact of any row. Some of the resulting rows are as plausible as before (a carpenter whose
education no text mentions, moved from high school to some college), and nothing could detect these. For every swap
there is also a corruption of the same fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import census_personas.prompts
from census_personas.foundation.schema import NARRATIVES
from census_personas.prompts.static_text import static_texts
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.prose import plain, words

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
    """An education that contradicts the goals, which name a GED or a bachelor's degree to be finished."""
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
    """The texts about work are another worker's: professional persona, skills and goals."""
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


PROMPTS = static_texts(Path(census_personas.prompts.__path__[0]) / "en_US")
"""What the shipped prompts say to everybody; the echoes are of these."""
FAR = ("Seattle, Washington", "Savannah, Georgia")  # one of the two is far from everybody
WEST = frozenset("AK AZ CA CO HI ID KS MT ND NE NM NV OK OR SD TX UT WA WY".split())
VENTURES = (
    ("leads a weekly pottery workshop", "launch a pottery workshop"),
    ("runs a handyman service with one van", "start a small handyman service"),
    ("hosts a quarterly poetry festival in the park", "establish a poetry festival"),
    ("owns a rye bakery in the old mill", "open a rye bakery"),
    ("coordinates an oral-history archive", "launch an oral-history archive"),
)
HELD = (
    "a board-certified surgeon",
    "a tenured historian",
    "a licensed attorney",
    "a certified public accountant",
)
ABOUT = (
    "{} has not traveled anywhere and does not have a travel persona.",
    "{}\u2019s sports persona is that of a loyal fan, and {} likes it so.",
    "Not applicable, since {} has no such interest.",
    "{} lives as described above and has done so for years.",
)
_PLAIN_WORD = re.compile(r"(?<= )[a-z]{5,}(?= )")
_POSSESSIVE = re.compile(r"\b(of|with|into|from|on|for|by|through) (?:their|his|her) ")


def _inserted(row: Row, rng: np.random.Generator, change: Callable[[str], str]) -> dict[str, Any] | None:
    field = str(rng.choice(_texts(row)))
    places = list(_PLAIN_WORD.finditer(row[field]))
    if not places:
        return None
    match = places[int(rng.integers(len(places)))]
    return {**row, field: row[field][: match.start()] + change(match.group()) + row[field][match.end() :]}


def _appended(row: Row, field: str, sentence: str) -> dict[str, Any] | None:
    name = _NAME.match(str(row["persona"]))
    return {**row, field: f"{row[field]} {sentence.format(*[name.group()] * 3)}"} if name else None


def doubled_word(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A word twice in a row."""
    return _inserted(row, rng, lambda word: f"{word} {word}")


def doubled_stem(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Two words of one stem side by side, as "habitual habit"."""
    return _inserted(row, rng, lambda word: f"{word}ful {word}")


def they_for_their(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """After a preposition, "they" in place of a possessive."""
    fields = [field for field in _texts(row) if _POSSESSIVE.search(row[field])]
    if not fields:
        return None
    field = str(rng.choice(fields))
    return {**row, field: _POSSESSIVE.sub(r"\1 they ", row[field], count=1)}


def guessed_descent(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A hedge about the person's own descent."""
    one, two = rng.choice(("Irish", "Polish", "Danish", "Cuban", "Greek"), 2, replace=False)
    return _appended(row, "cultural_background", f"{{}} is likely of {one} or {two} descent.")


def about_the_field(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A persona about its own field."""
    name = _NAME.match(str(row["persona"]))
    said = str(rng.choice(ABOUT))
    return {**row, str(rng.choice(NARRATIVES)): said.format(name.group(), name.group(1))} if name else None


def far_and_near(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A day trip, or a nearby place, more than a thousand kilometres away."""
    place = FAR[1] if row["state"] in WEST else FAR[0]
    told = (f"{{}} takes day trips to {place}.", f"{{}} walks every Sunday in nearby {place}.")
    return _appended(row, "travel_persona", str(rng.choice(told)))


def getaway_home(row: Row, _other: Row, _rng: np.random.Generator) -> dict[str, Any] | None:
    """The person's own city as a place to travel to."""
    return _appended(row, "travel_persona", f"{{}} enjoys weekend getaways to {row['city']}.")


def planned_and_done(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """The same thing done in one text and an aim in another."""
    done, aim = VENTURES[int(rng.integers(len(VENTURES)))]
    both = _appended(row, "professional_persona", f"{{}} {done}.")
    return both and _appended(both, "career_goals_and_ambitions", f"{{}} hopes to {aim}.")


def unearned_credential(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """A licence or a post that nobody has with a high-school education."""
    if LEVELS.index(row["education_level"]) > LEVELS.index("high_school"):
        return None
    return _appended(row, "professional_persona", f"{{}} is {rng.choice(HELD)}.")


def echoed_prompt(row: Row, _other: Row, rng: np.random.Generator) -> dict[str, Any] | None:
    """Ten words of the prompt at the end of one text."""
    long = [said for passage in PROMPTS if len(said := words(plain(passage))) >= 10]
    said = long[int(rng.integers(len(long)))]
    field = str(rng.choice(_texts(row)))
    return {**row, field: f"{row[field]} {' '.join(said[:10]).capitalize()}."}


RUN_MUTATIONS: Mapping[str, Mutation] = {
    "doubled word": doubled_word,
    "doubled stem": doubled_stem,
    "they for their": they_for_their,
    "guess at descent": guessed_descent,
    "about the field": about_the_field,
    "far told as near": far_and_near,
    "own city as getaway": getaway_home,
    "plan and done": planned_and_done,
    "unearned credential": unearned_credential,
    "echo of the prompt": echoed_prompt,
}
"""Name -> corruption that rules find which only warn about files from elsewhere (`WRITTEN`), under a run's policy."""
