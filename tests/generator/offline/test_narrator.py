"""The offline narrator writes true, readable and varied texts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import shipped
from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.census_priors.occupations import PHRASES
from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.llm.chat import ChatRequest, RequestError
from census_personas.generator.offline.endings import endings_of
from census_personas.generator.offline.portrait import TRAITS, occupation_words
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.validators.text.lexicon import ENGLISH, lexicon

TEXTS = ("cultural_background", "skills_and_expertise", "hobbies_and_interests", "career_goals_and_ambitions")
PAIRS = {
    "skills_and_expertise_list": "skills_and_expertise",
    "hobbies_and_interests_list": "hobbies_and_interests",
}
FIELDS = (*TEXTS, *PAIRS, *NARRATIVES)
NAMES = {
    "Male": (
        ("José", "García-López"),
        ("D'Andre", "McDonald"),
        ("Jean-Luc", "van der Berg"),
        ("Will", "Jackson"),
    ),
    "Female": (("Zoë", "O'Brien"), ("Ana María", "Nguyen"), ("Joy", "Washington"), ("Georgia", "Smith")),
}
PLACES = (
    ("Duluth", "MN", "Minnesota"),
    ("Tampa", "FL", "Florida"),
    ("Reno", "NV", "Nevada"),
    ("Ponce", "PR", "Puerto Rico"),
)
Told = list[tuple[dict[str, Any], dict[str, Any]]]
OCCUPATIONS = shipped.united_states().occupations
GUIDE = PortraitGuide.load("en_US")
MARITAL = ("never_married", "married_present", "separated", "divorced", "widowed")
LEVELS = tuple(lexicon("education", ENGLISH)["levels"])
STATUS = ("employed", "unemployed", "not_in_workforce", "armed_forces", "employed", "employed")


def facts(row: int, **changes: object) -> dict[str, Any]:
    """Return the facts of a person whose attributes all vary by row, with real O*NET tasks."""
    sex = ("Male", "Female")[row % 2]
    first, last = NAMES[sex][row // 2 % 4]
    city, state, state_name = PLACES[row // 3 % 4]
    status = STATUS[row % len(STATUS)]
    names = OCCUPATIONS.names
    name = {"unemployed": "no_occupation", "not_in_workforce": "not_in_workforce"}.get(
        status, "military_rank_not_specified" if status == "armed_forces" else names[row * 7 % len(names)]
    )
    person: dict[str, Any] = {
        "row": row,
        "uuid": f"{row:08x}-0000-4000-8000-000000000000",
        "first_name": first,
        "last_name": last,
        "sex": sex,
        "age": 18 + row * 13 % (28 if status == "armed_forces" else 80),
        "marital_status": MARITAL[row // 5 % 5],
        "education_level": LEVELS[row // 7 % 7],
        "bachelors_field": "stem" if row // 7 % 7 > 4 else "no_degree",
        "labor_force_status": status,
        "occupation": name,
        "city": city,
        "state": state,
        "state_name": state_name,
        "ethnicity": ("hispanic", "white", "black", "asian", "native", "pacific_islander", "multiple")[
            row % 7
        ],
        "nativity": ("us_born", "us_born", "naturalized")[row // 11 % 3],
        "language_at_home": ("english", "spanish")[row // 13 % 2],
        "urbanicity": ("urban", "suburban", "rural")[row // 17 % 3],
    }
    person |= {trait: 20 + (row * 31 + at * 17) % 61 for at, trait in enumerate(TRAITS)}
    person |= changes
    return person | grounding(str(person["occupation"]), row)


def grounding(occupation: str, row: int) -> dict[str, Any]:
    found = OCCUPATIONS.get(occupation)
    if not found.code:
        return {"occupation_title": "", "grounding": {}}
    columns = {name: getattr(found, name) for kind, names in PHRASES.items() for name in (kind, *names)}
    drawn = {name: [*texts[row % 3 :], *texts[: row % 3]][:3] for name, texts in columns.items()}
    return {"occupation_title": found.title, "grounding": drawn}


def written(person: Mapping[str, Any], *fields: str, seed: int = 7) -> dict[str, Any]:
    return dict(shipped.narrator().write(person, {field: {} for field in fields or FIELDS}, seed=seed))


def prose(record: Mapping[str, Any]) -> dict[str, str]:
    return {field: text for field, text in record.items() if isinstance(text, str)}


@pytest.fixture(scope="module")
def told() -> Told:
    """420 people and their texts."""
    return [(person, written(person)) for person in map(facts, range(420))]


def test_narratives_are_one_sentence_with_the_name(
    told: Told,
) -> None:
    for person, record in told:
        name = f"{person['first_name']} {person['last_name']}"
        for field in NARRATIVES:
            text = record[field]
            assert 150 <= len(text) <= 560, text
            assert text.count(name) == 1, text
            assert text.index(name) < 120, text
            assert not re.search(r"[.!?] [A-Z]", text), text


def test_openings_vary_and_mostly_use_the_name(told: Told) -> None:
    opened = [
        record[field].startswith(person["first_name"]) for person, record in told for field in NARRATIVES
    ]
    assert 0.6 < sum(opened) / len(opened) < 0.95


def test_longer_texts_use_the_first_name(told: Told) -> None:
    bounds = {"cultural_background": (380, 1000), "career_goals_and_ambitions": (330, 900)}
    for person, record in told:
        for field in TEXTS:
            low, high = bounds.get(field, (380, 900))
            assert low <= len(record[field]) <= high, record[field]
            assert person["first_name"] in record[field]
            assert not re.search(rf"\b{re.escape(person['last_name'])}\b", record[field])


def test_texts_are_clean_english(told: Told) -> None:
    for _, record in told:
        for field, text in prose(record).items():
            assert text.endswith("."), (field, text)
            assert text[0].isupper(), (field, text)
            assert not re.search(
                r"  | [,.;]|,,|\.\.|[{}_]|\(n\)|(?<!^)(?<!\. )\bNone\b|\b(\w+) \1\b(?! \1)", text
            ), (
                field,
                text,
            )
            assert not re.search(
                r"\b[Aa] (?:[aeio]|8|11-|18-)|\b[Aa]n (?:[bcdfgjklmnpqrstvwxyz]|1[0-79]-|[2-79])", text
            )
            assert not re.search(r"[.!?] [a-z]", text), (field, text)


def test_pronouns_match_the_sex(told: Told) -> None:
    wrong = {"Male": r"\b(?:she|her|hers|herself)\b", "Female": r"\b(?:he|him|his|himself)\b"}
    for person, record in told:
        for text in prose(record).values():
            assert not re.search(wrong[person["sex"]], text, re.IGNORECASE), text


def test_lists_match_the_prose(told: Told) -> None:
    for _, record in told:
        for listed, text in PAIRS.items():
            assert 6 <= len(record[listed]) <= 12
            assert len({item.lower() for item in record[listed]}) == len(record[listed])
            for item in record[listed]:
                assert item[1:] in record[text], (item, record[text])


def test_occupation_and_tasks_are_named(told: Told) -> None:
    for person, record in told:
        if person["labor_force_status"] == "employed":
            assert occupation_words(person, GUIDE.tag_of_sex(person), GUIDE) in record["professional_persona"]
    nurse = facts(0, occupation="registered_nurse", labor_force_status="employed", age=40)
    text = json.dumps(written(nurse))
    assert "registered nurse" in text
    assert any(phrase in text for phrase in nurse["grounding"]["task_short_phrases"] if phrase)


def test_non_workers_have_no_job(told: Told) -> None:
    for person, record in told:
        texts = " ".join(prose(record).values())
        idle = person["labor_force_status"] in {"not_in_workforce", "unemployed"}
        if idle:
            assert not re.search(
                r"works as|earns (?:his|her) living|[Cc]olleagues (?:also )?(?:know|count)|the job\b", texts
            )
        retired = person["labor_force_status"] == "not_in_workforce" and person["age"] >= 62
        assert (
            bool(re.search(r"\b(?:is retired|retiree|Retirement in|In retirement|a retired)\b", texts))
            <= retired
        )
        if person["labor_force_status"] == "unemployed":
            assert re.search(
                r"looking for|job|between jobs|unemployed|seeking work|employer",
                record["professional_persona"],
            )


def test_spouses_match_the_marital_status(told: Told) -> None:
    for person, record in told:
        texts = " ".join(prose(record).values())
        spouse = re.search(r"\b(?:his|her) (?:late )?(?:wife|husband)\b", texts)
        assert not spouse or person["marital_status"] != "never_married"
        assert ("widowed" in texts or "late wife" in texts or "late husband" in texts) <= (
            person["marital_status"] == "widowed"
        )
        assert ("divorce" in texts) <= (person["marital_status"] == "divorced")


def test_education_matches_the_facts(told: Told) -> None:
    claims = {
        "graduate": r"advanced degree|graduate study|graduate training",
        "bachelors": r"bachelor's degree",
        "associates": r"associate degree|two-year degree",
    }
    for person, record in told:
        for level, pattern in claims.items():
            if person["education_level"] != level:
                assert not re.search(pattern, record["skills_and_expertise"])


def test_home_is_not_a_destination(told: Told) -> None:
    for person, record in told:
        assert person["city"] in record["professional_persona"]
        assert person["city"] in record["persona"]
        assert (
            person["city"] in record["cultural_background"]
            or person["state_name"] in record["cultural_background"]
        )
    florida = [
        written(facts(row, city="Tampa", state="FL", state_name="Florida"), "travel_persona")
        for row in range(200)
    ]
    assert not any("the Florida Keys" in record["travel_persona"] for record in florida)


def test_only_veterans_served_and_immigrants_came(told: Told) -> None:
    served = re.compile(
        r"is a veteran|Military service left|time in the armed forces|served in the armed forces"
    )
    came = re.compile(
        r"Another country raised|began life in another country|born outside|came to the United States|abroad,"
    )
    for person, record in told:
        assert not served.search(record["cultural_background"])
        assert not came.search(record["cultural_background"]) or person["nativity"] == "naturalized"
    veterans = [written(facts(row, veteran_status="veteran"), "cultural_background") for row in range(40)]
    assert any(served.search(record["cultural_background"]) for record in veterans)


def test_answers_repeat_by_seed() -> None:
    first, again, other = written(facts(3)), written(facts(3)), written(facts(3), seed=8)
    assert first == again
    assert all(first[field] != other[field] for field in (*NARRATIVES, *TEXTS))
    assert all(first[listed] == other[listed] for listed in PAIRS)


def test_repair_agrees_with_the_other_fields() -> None:
    whole = written(facts(5))
    repaired = written(facts(5), "hobbies_and_interests", "skills_and_expertise_list", seed=99)
    assert set(repaired) == {"hobbies_and_interests", "skills_and_expertise_list"}
    assert repaired["skills_and_expertise_list"] == whole["skills_and_expertise_list"]
    assert all(item[1:] in repaired["hobbies_and_interests"] for item in whole["hobbies_and_interests_list"])


def test_no_phrase_ends_three_texts_of_a_person() -> None:
    # About one person in a hundred had such a phrase, a task or a dish, when texts did not know of each other.
    for row in (*range(100), 264, 409, 436, 682, 734, 807, 813, 834):
        person = facts(row)
        person |= written(person, *TEXTS, *PAIRS, seed=2 * row)
        person |= written(person, *NARRATIVES, seed=2 * row + 1)
        record = {field: person[field] for field in (*TEXTS, *NARRATIVES)}
        endings = Counter(ending for text in record.values() for ending in endings_of(text))
        assert [ending for ending, texts in endings.items() if texts > 2] == [], record


async def test_completion_has_exactly_the_schema_fields() -> None:
    schema = {
        "type": "object",
        "properties": {"persona": {"type": "string"}, "skills_and_expertise_list": {}},
    }
    request = ChatRequest((), "personas", schema, 1.0, 1.0, 100, seed=1, facts=facts(0))
    completion = await shipped.narrator().complete(request)
    assert set(json.loads(completion.text)) == {"persona", "skills_and_expertise_list"}
    assert (completion.model, completion.finish_reason, shipped.narrator().name) == (
        "offline",
        "stop",
        "offline",
    )
    await shipped.narrator().aclose()


def test_schema_bounds_are_kept() -> None:
    schema = {"persona": {"minLength": 205, "maxLength": 260}, "cultural_background": {"maxLength": 640}}
    for person in map(facts, range(60)):
        record = shipped.narrator().write(person, schema, seed=1)
        assert 205 <= len(record["persona"]) <= 260
        assert len(record["cultural_background"]) <= 640


def test_unknown_field_is_refused() -> None:
    with pytest.raises(RequestError, match="finance_persona") as refused:
        shipped.narrator().write(facts(0), {"finance_persona": {}}, seed=1)
    assert "openai" in refused.value.hint
    with pytest.raises(RequestError, match="last_name, sex"):
        shipped.narrator().write({"first_name": "Ana", "age": 30}, {"persona": {}}, seed=1)


def test_missing_grounding_is_tolerated() -> None:
    bare = {
        "first_name": "Li",
        "last_name": "Wu",
        "sex": "Female",
        "age": 33,
        "occupation": "carpenter",
        "city": "Troy",
    }
    record = written(bare)
    assert "carpenter" in record["professional_persona"]
    assert all(record[field] for field in FIELDS)
    for status, word in (("armed_forces", "service member"), ("employed", "worker")):
        unnamed = {**bare, "occupation": "", "labor_force_status": status}
        assert word in written(unnamed, "professional_persona")["professional_persona"]


@given(first=st.text(min_size=1, max_size=12), last=st.text(min_size=1, max_size=12), row=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_names_are_inserted_verbatim(first: str, last: str, row: int) -> None:
    person = facts(row, first_name="{" + first, last_name=last + "}")
    assert f"{{{first} {last}}}" in written(person, "persona")["persona"]


def test_marked_traits_shape_the_texts() -> None:
    calm = dict.fromkeys(TRAITS, 50)
    low, high = (written(facts(1) | calm | {"openness": score}, *NARRATIVES) for score in (22, 78))
    for record, tag in ((low, "o1"), (high, "o5")):
        words = {
            word
            for kind in ("clause", "foible", "adj")
            for word in (text.text for text in shipped.grammar().pool(f"{kind}_{tag}", frozenset()))
        }
        assert any(word in text for word in words for text in prose(record).values() if "{" not in word)


def test_people_share_almost_no_sentence(told: Told) -> None:
    sentences: Counter[str] = Counter()
    narratives: Counter[str] = Counter()
    for person, record in told[:200]:
        for field, text in prose(record).items():
            plain = (
                text.replace(person["first_name"], "N")
                .replace(person["last_name"], "N")
                .replace(person["city"], "C")
            )
            (narratives if field in NARRATIVES else sentences).update(re.split(r"(?<=[.!?]) ", plain))
    assert max(narratives.values()) == 1
    assert sum(count for count in sentences.values() if count > 1) / sum(sentences.values()) < 0.09


def test_no_heritage_or_address_is_named(told: Told) -> None:
    forbidden = re.compile(
        r"\b(?:hispanic|latin[oax]?|black(?![ -](?:pepper|bean|eyed|and))|(?<!and-)white(?! (?:pepper|sauce))"
        r"|asian|caucasian|african|native|indian|islander|chicano|anglo)\b|@|http|www",
        re.IGNORECASE,
    )
    for _, record in told:
        for text in prose(record).values():
            assert not forbidden.search(text), text
