"""Portrait: what a grammar needs to know of one person, read from the facts: words, tags and marked traits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.offline.title import occupation_words
from census_personas.validators.text.number_words import TENS

_LABELS = {trait: f"{trait}_label" for trait in TRAITS}
_LEVEL_OF: Mapping[object, int] = {level: place for place, level in enumerate(LEVELS, 1)}
_STAGES = ((30, "young"), (45, "prime"), (66, "mature"))
RETIREMENT_AGE = 62
_STUDENT_AGE = 24
_ELDERLY_AGE = 78
_EDUCATION = {
    "less_than_9th": "no_diploma",
    "9th_12th_no_diploma": "no_diploma",
    "high_school": "high_school",
    "some_college": "some_college",
    "associates": "associate",
    "bachelors": "bachelor",
    "graduate": "graduate",
}
_MARITAL = {
    "never_married": "single",
    "married_present": "married",
    "separated": "separated",
    "divorced": "divorced",
    "widowed": "widowed",
}
# Facts that are a tag of their own: column -> value -> tag.
_PLAIN: Mapping[str, Mapping[object, str]] = {
    "bachelors_field": {f: f"field_{f}" for f in ("stem", "stem_related", "business", "education", "arts_humanities")},
    "ethnicity": {
        d: f"descent_{d}"
        for d in ("hispanic", "white", "black", "asian", "native", "pacific_islander", "multiple")
    },
    "nativity": {"naturalized": "immigrant", "not_citizen": "immigrant"},
    "language_at_home": {"spanish": "spanish", "asian_pacific": "asian_language"},
    "veteran_status": {"veteran": "veteran"},
    "disability_status": {"with_disability": "limited"},
    "household_type": {"group_quarters": "group", "alone": "alone", "nonfamily": "shared"},
    "class_of_worker": {
        "self_employed": "own_boss",
        "own_company": "own_boss",
        "local_government": "local_gov",
        "state_government": "state_gov",
        "federal_government": "federal",
        "nonprofit": "nonprofit",
    },
    "industry": {
        trade: f"ind_{trade}"
        for trade in "health retail manufacturing construction finance transportation leisure agriculture".split()
    },
    "commute_mode": {"from_home": "remote", "transit": "transit", "bicycle": "bicycle", "walked": "on_foot"},
    "income_band": {"100k_150k": "well_off", "over_150k": "well_off", "none": "thrifty", "under_10k": "thrifty"},
    "urbanicity": {
        "urban": "urban", "suburban": "suburban", "metro": "urban", "metropolitan": "urban",
        "rural": "rural", "town": "town", "small_town": "town", "nonmetro": "rural",
    },
}  # fmt: skip
_OF_WORK = frozenset(
    tag for column in ("class_of_worker", "industry", "commute_mode") for tag in _PLAIN[column].values()
)
_COUNTIES = (" County", " Parish")
_WALKS = ("worker", "military", "seeking", "student", "homebound", "retired")
PRONOUNS = {
    "male": {"he": "he", "him": "him", "his": "his", "himself": "himself", "spouse": "wife", "man": "man"},
    "female": {
        "he": "she",
        "him": "her",
        "his": "her",
        "himself": "herself",
        "spouse": "husband",
        "man": "woman",
    },
}
_DECADES = {number // 10: name for name, number in TENS.items()}
TAGS = frozenset(
    {
        *PRONOUNS,
        *(stage for _, stage in _STAGES),
        "senior",
        "elderly",
        "limited",
        "home",
        "near",
        "county",
        "bilingual",
    }
    | {
        *_WALKS,
        *_EDUCATION.values(),
        *_MARITAL.values(),
        *(f"{t[0]}{n}" for t in TRAITS for n in range(1, 6)),
    }
    | {tag for values in _PLAIN.values() for tag in values.values()}
)
"""Tags that the facts of a record may give, beside those of its state and of its field of work."""
WORDS = frozenset(
    {
        *PRONOUNS["male"],
        "name",
        "first",
        "age",
        "next_decade",
        "city",
        "state",
        "county",
        "near1",
        "near2",
        "title",
    }
)
"""Words that the facts of a record give, as slots name them."""
# Which traits lead a text, by place in the order of salience, so that ten texts do not all tell the same two.
_TURNS = ((0, 1), (1, 2), (0, 2), (2, 0), (1, 3), (0, 3), (3, 1), (2, 1), (1, 0), (0, 4))


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person as a grammar sees them.

    `words` fill slots by name, `tags` open groups of alternatives, `salience` orders the tags of the
    five traits from the most to the least marked, `home` holds the names of the places lived in.
    """

    words: Mapping[str, str]
    tags: frozenset[str]
    salience: tuple[str, ...]
    home: tuple[str, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Portrait:
        """Read the facts of a record. Names, sex and age are needed."""
        sex, age, first = sex_of(facts), int(facts["age"]), str(facts["first_name"])
        city, state = str(facts.get("city") or ""), str(facts.get("state_name") or facts.get("state") or "")
        county = str(facts.get("county") or "")
        nearby = (facts.get("grounding") or {}).get("nearby") or ()
        tags = life_tags(facts)
        words = {
            **PRONOUNS[sex],
            "name": f"{first} {facts['last_name']}".strip(),
            "first": first,
            "age": str(age),
            "next_decade": _DECADES.get(age // 10 + 1, "a hundred"),
            "city": city or state or "town",
            "state": state or city or "the state",
            "county": county,
            "title": occupation_words(facts, sex) or ("service member" if "military" in tags else "worker"),
        }
        for place, town in enumerate(nearby, 1):
            words[f"near{place}"] = str(town)
        # Ties are broken differently from person to person.
        turn = sum(str(facts.get("uuid") or first).encode()) % len(TRAITS)
        salience = _salience(trait_levels(facts), turn)
        tags.add(sex)
        tags.update(salience)
        if len(nearby) > 1:
            tags.add("near")
        # "Western Connecticut Planning Region" is no name that one would use.
        if county.endswith(_COUNTIES):
            tags.add("county")
        return cls(words, frozenset(tags), salience, tuple([place for place in (city, state) if place]))

    def leads(self, turn: int) -> tuple[str, str]:
        """Return which trait levels lead the text number `turn`."""
        lead, second = _TURNS[turn % len(_TURNS)]
        return self.salience[lead], self.salience[second]


def sex_of(facts: Mapping[str, Any]) -> str:
    """Return 'female' or 'male', which choose the pronouns."""
    return "female" if str(facts["sex"]).lower() == "female" else "male"


def life_tags(facts: Mapping[str, Any]) -> set[str]:
    """Return the tags of age, work, family, schooling, place and descent."""
    age, status = int(facts["age"]), str(facts.get("labor_force_status") or _status(facts))
    tags = {next((stage for bound, stage in _STAGES if age < bound), "senior")}
    for column, values in _PLAIN.items():
        value = facts.get(column)
        if value in values:
            tags.add(values[value])
    if age >= _ELDERLY_AGE:
        tags |= {"elderly", "limited"}
    if status == "not_in_workforce":
        walk = "retired" if age >= RETIREMENT_AGE else "student" if age <= _STUDENT_AGE else "homebound"
        tags |= {"home", walk}
    else:
        tags.add({"armed_forces": "military", "unemployed": "seeking"}.get(status, "worker"))
    if "worker" not in tags:
        tags -= _OF_WORK
    tags.add(_EDUCATION.get(str(facts.get("education_level")), "high_school"))
    tags.add(_MARITAL.get(str(facts.get("marital_status")), "single"))
    if not str(facts.get("language_at_home") or "english").lower().startswith("english"):
        tags.add("bilingual")
    return tags


def _status(facts: Mapping[str, Any]) -> str:
    occupation = facts.get("occupation")
    return {"not_in_workforce": "not_in_workforce", "no_occupation": "unemployed"}.get(
        str(occupation), "employed"
    )


def trait_levels(facts: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the level of each trait, 1 (very low) to 5 (very high), in the order of `TRAITS`."""
    levels = []
    for trait, label in _LABELS.items():
        level = _LEVEL_OF.get(facts.get(label))
        if level is None:
            score = facts.get(trait)
            level = 3 if score is None else 1 + level_of(int(score))
        levels.append(level)
    return tuple(levels)


@lru_cache(maxsize=32768)
def _salience(levels: tuple[int, ...], turn: int) -> tuple[str, ...]:
    """Return the trait tags (`o1` to `n5`), most marked first; ties go by a rotation, `turn`."""
    order = sorted(range(len(TRAITS)), key=lambda i: (-abs(levels[i] - 3), (i + turn) % len(TRAITS)))
    return tuple(f"{TRAITS[i][0]}{levels[i]}" for i in order)
