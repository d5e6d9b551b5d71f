"""Portrait: words, tags and marked traits of one person, derived from the facts for a grammar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from census_personas.census_priors.roles import NAME_RECIPE, full_name
from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.offline.portrait_guide import PortraitGuide

_LABELS = {trait: f"{trait}_label" for trait in TRAITS}
_LEVEL_OF: Mapping[object, int] = {level: place for place, level in enumerate(LEVELS, 1)}
# Salience ranks of the two leading traits by text, so that ten texts do not all mention the same two.
_TURNS = ((0, 1), (1, 2), (0, 2), (2, 0), (1, 3), (0, 3), (3, 1), (2, 1), (1, 0), (0, 4))


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person as input to a grammar.

    `words` fill slots by name, `tags` select groups of alternatives, `salience` orders the tags of the
    five traits from the most to the least marked, `home` holds the names of the person's places.
    """

    words: Mapping[str, str]
    tags: frozenset[str]
    salience: tuple[str, ...]
    home: tuple[str, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any], guide: PortraitGuide) -> Portrait:
        """Derive a portrait from the facts of a record, by a guide. Names, sex and age are needed."""
        fact = guide.fact
        sex, age, first = (
            guide.tag_of_sex(facts),
            int(facts[fact("age")]),
            str(facts.get(fact("given_name")) or ""),
        )
        city = str(facts.get(fact("municipality")) or "")
        state = str(facts.get("state_name") or facts.get(fact("region")) or "")
        county = str(facts.get(fact("subregion")) or "")
        nearby = (facts.get("grounding") or {}).get("nearby") or ()
        tags = life_tags(facts, guide)
        words = {
            **guide.people[sex].words,
            "name": str(facts.get("full_name") or full_name(map(fact, NAME_RECIPE), facts.get)),
            "first": first,
            "age": str(age),
            "next_decade": guide.decades.get(age // 10 + 1, guide.beyond_decades),
            "city": city or state or guide.town,
            "state": state or city or guide.state,
            "county": county,
            "title": occupation_words(facts, sex, guide)
            or guide.titles["military" if "military" in tags else "worker"],
        }
        for place, town in enumerate(nearby, 1):
            words[f"near{place}"] = str(town)
        # Break ties differently for each person.
        turn = sum(str(facts.get("uuid") or first).encode()) % len(TRAITS)
        salience = _salience(trait_levels(facts), turn)
        tags.add(sex)
        tags.update(salience)
        if len(nearby) > 1:
            tags.add("near")
        if county.endswith(guide.counties):
            tags.add("county")
        return cls(words, frozenset(tags), salience, tuple([place for place in (city, state) if place]))

    def leads(self, turn: int) -> tuple[str, str]:
        """Return the two leading trait levels of text number `turn`."""
        lead, second = _TURNS[turn % len(_TURNS)]
        return self.salience[lead], self.salience[second]


def life_tags(facts: Mapping[str, Any], guide: PortraitGuide) -> set[str]:
    """Return the tags of age, work, family, schooling, place and origin."""
    fact = guide.fact
    age, status = int(facts[fact("age")]), facts.get(fact("work"))
    tags = {next((stage for stage, bound in guide.stages.items() if age < bound), guide.oldest)}
    for name, states, usual in guide.tags_by_fact:
        if (tag := states.get(str(facts.get(name))) or usual) is not None:
            tags.add(tag)
    if age >= guide.elderly:
        tags |= {"elderly", "limited"}
    walk = (
        guide.work.get(str(status), "worker")
        if status
        else guide.without_occupation.get(str(facts.get(fact("occupation"))), "worker")
    )
    tags.add(walk)
    if walk == "home":
        tags.add("retired" if age >= guide.retired else "student" if age <= guide.student else "homebound")
    if walk != "worker":
        tags -= guide.tags_of_work
    own = guide.own_language
    if guide.other_language and not str(facts.get(fact("language")) or own).lower().startswith(own):
        tags.add(guide.other_language)
    return tags


def occupation_words(facts: Mapping[str, Any], sex: str, guide: PortraitGuide) -> str:
    """Return the occupation as the title of one person ("construction or extraction supervisor": the first).

    Empty for people without one.
    """
    occupation = str(facts.get(guide.fact("occupation")) or "")
    if not occupation or occupation in guide.without_occupation:
        return ""
    return guide.spoken_titles.of(str(facts.get("occupation_title") or occupation.replace("_", " ")), sex)


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
