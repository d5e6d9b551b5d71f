"""Portrait: what a grammar needs to know of one person, read from the facts: words, tags and chosen details."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
LEVELS = ("very_low", "low", "average", "high", "very_high")
_LEVEL_BOUNDS = (35, 45, 55, 65)
_STAGES = ((30, "young"), (45, "prime"), (66, "mature"))
RETIREMENT_AGE = 60
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
_PRONOUNS = {
    "male": {"he": "he", "him": "him", "his": "his", "himself": "himself", "spouse": "wife"},
    "female": {"he": "she", "him": "her", "his": "her", "himself": "herself", "spouse": "husband"},
}
_DECADES = {
    2: "twenty",
    3: "thirty",
    4: "forty",
    5: "fifty",
    6: "sixty",
    7: "seventy",
    8: "eighty",
    9: "ninety",
}
_URBANICITY = {
    "urban": ("urban", "suburban", "metro", "metropolitan"),
    "rural": ("rural", "small_town", "nonmetro"),
}
# Nouns for the members of an occupation end so ("plumber", "technician"); other words are halves of compounds.
_AGENT = re.compile(
    r"(?:er|or|ist|ian|(?:ist|end|ult|unt|rv)ant|agent|man|nurse|clerk|guard|aide|maid|chef|cook|judge|coach|mason|mechanic|pilot|officer)$"
)
_NO_AGENT = re.compile(
    r"(?:computer|conveyor|motor|elevator|counter|water|boiler|tower|paper|power|leather|rubber|cement|center|layer|master)$"
)
_BY_SEX = {"waiter": "waitress", "restaurant host": "restaurant hostess", "actor": "actor"}


# Which traits lead a text, by place in the order of salience, so that ten texts do not all tell the same two.
_TURNS = ((0, 1), (1, 2), (0, 2), (2, 0), (1, 3), (0, 3), (3, 1), (2, 1), (1, 0), (0, 4))
_ALIASED = ("adj", "clause", "foible")


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
    def of(cls, facts: Mapping[str, Any], *, region: Iterable[str] = ()) -> Portrait:
        """Read the facts of a record; `region` are tags of the state. Names, sex and age are needed."""
        sex = "female" if str(facts["sex"]).lower() == "female" else "male"
        city, state = str(facts.get("city") or ""), str(facts.get("state_name") or facts.get("state") or "")
        words = {
            **_PRONOUNS[sex],
            "name": " ".join(part for part in (str(facts["first_name"]), str(facts["last_name"])) if part),
            "first": str(facts["first_name"]),
            "age": str(int(facts["age"])),
            "next_decade": _DECADES.get(int(facts["age"]) // 10 + 1, "a hundred"),
            "city": city or state,
            "state": state or city,
        }
        nearby = [str(town) for town in (facts.get("grounding") or {}).get("nearby") or ()]
        words.update({f"near{place}": town for place, town in enumerate(nearby, 1)})
        life = life_tags(facts)
        words["title"] = occupation_words(facts) or ("service member" if "military" in life else "worker")
        salience = _salience(facts)
        region = (*region, "near") if len(nearby) > 1 else region
        tags = frozenset({sex, *region, *life, *salience})
        return cls(words, tags, salience, tuple(place for place in (city, state) if place))

    def aliases(self, turn: int) -> dict[str, str]:
        """Return which pools `lead_...` and `second_...` stand for in the text number `turn`."""
        lead, second = (self.salience[place] for place in _TURNS[turn % len(_TURNS)])
        return {
            f"{rank}_{kind}": f"{kind}_{tag}"
            for rank, tag in (("lead", lead), ("second", second))
            for kind in _ALIASED
        }


def life_tags(facts: Mapping[str, Any]) -> set[str]:
    """Return the tags of age, work, family, schooling, place and descent."""
    age, status = int(facts["age"]), str(facts.get("labor_force_status") or _status(facts))
    tags = {next((stage for bound, stage in _STAGES if age < bound), "senior")}
    if age >= _ELDERLY_AGE:
        tags.add("elderly")
    if status == "not_in_workforce":
        tags.add("home")
        if age >= RETIREMENT_AGE:
            tags.add("retired")
        elif age <= _STUDENT_AGE:
            tags.add("student")
        else:
            tags.add("homebound")
    else:
        tags.add({"armed_forces": "military", "unemployed": "seeking"}.get(status, "worker"))
    tags.add(_EDUCATION.get(str(facts.get("education_level")), "high_school"))
    tags.add(_MARITAL.get(str(facts.get("marital_status")), "single"))
    if facts.get("bachelors_field") not in (None, "", "no_degree"):
        tags.add(f"field_{facts['bachelors_field']}")
    if facts.get("ethnicity"):
        tags.add(f"descent_{facts['ethnicity']}")
    if facts.get("nativity") in {"naturalized", "not_citizen"}:
        tags.add("immigrant")
    language = str(facts.get("language_at_home") or "english").lower()
    if not language.startswith("english"):
        tags.add("bilingual")
    if facts.get("veteran_status") == "veteran":
        tags.add("veteran")
    place = str(facts.get("urbanicity") or "").lower()
    tags.update(kind for kind, places in _URBANICITY.items() if place in places)
    return tags


def _status(facts: Mapping[str, Any]) -> str:
    occupation = facts.get("occupation")
    return {"not_in_workforce": "not_in_workforce", "no_occupation": "unemployed"}.get(
        str(occupation), "employed"
    )


def trait_levels(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return trait -> tag, `o1` (very low openness) to `n5` (very high neuroticism)."""
    levels = {}
    for trait in TRAITS:
        label = facts.get(f"{trait}_label")
        if label in LEVELS:
            level = LEVELS.index(label)
        else:
            score = facts.get(trait)
            level = 2 if score is None else sum(int(score) >= bound for bound in _LEVEL_BOUNDS)
        levels[trait] = f"{trait[0]}{level + 1}"
    return levels


def _salience(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the trait tags, most marked first; ties go by a rotation that differs from person to person."""
    levels = trait_levels(facts)
    turn = sum(map(ord, str(facts.get("uuid") or facts["first_name"])))
    order = sorted(
        range(len(TRAITS)), key=lambda i: (-abs(int(levels[TRAITS[i]][1]) - 3), (i + turn) % len(TRAITS))
    )
    return tuple(levels[TRAITS[i]] for i in order)


def occupation_words(facts: Mapping[str, Any]) -> str:
    """Return the occupation as one person would be called by it ("accountant or auditor" -> "accountant").

    Empty for people without one.
    """
    occupation = str(facts.get("occupation") or "")
    if occupation in {"", "not_in_workforce", "no_occupation"}:
        return ""
    title = str(facts.get("occupation_title") or occupation.replace("_", " ")).lower()
    parts = [part for part in re.split(r", | or ", title) if part]
    if len(parts) == 1 or " of " in parts[0] or not _AGENT.search(parts[0]) or _NO_AGENT.search(parts[0]):
        return title
    return _BY_SEX.get(parts[0], parts[0]) if facts.get("sex") == "Female" else parts[0]
