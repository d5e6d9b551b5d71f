"""A grammar opens its alternatives by tags, and the grammar that ships is whole and wide."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from persona_engine.generator.llm.article import article, with_articles
from persona_engine.generator.llm.grammar import Derivation, Grammar, GrammarError, digest
from persona_engine.generator.llm.offline import OfflineNarrator
from persona_engine.generator.llm.portrait import TRAITS, Portrait

GRAMMAR = Grammar.load("en_US")
PERSONAS = (
    "professional_persona",
    "sports_persona",
    "arts_persona",
    "travel_persona",
    "culinary_persona",
    "persona",
)
TEXTS = ("cultural_background", "career_goals_and_ambitions", "skills_prose", "hobby_prose")
SOMEBODY = {"first_name": "Ana", "last_name": "Wu", "sex": "Female", "age": 40}


def test_articles_follow_the_sound() -> None:
    words = "apple European hour uniform uninhibited 18-year-old 80-year-old 19-year-old MRI CNC one-armed up"
    assert [article(word) for word in words.split()] == [
        "an",
        "a",
        "an",
        "a",
        "an",
        "an",
        "an",
        "a",
        "an",
        "a",
        "a",
        "an",
    ]
    assert with_articles("A(n) actor met a(n) 58-year-old.") == "An actor met a 58-year-old."


def test_groups_open_by_conditions() -> None:
    grammar = Grammar({"food": {"any": ["bread"], "old+rural|rich": ["pie"], "!old *2": ["soup"]}})
    assert grammar.pool("food", frozenset()) == ("bread", "soup", "soup")
    assert grammar.pool("food", frozenset({"old", "rural"})) == ("bread", "pie")
    assert grammar.pool("food", frozenset({"old", "rich"})) == ("bread", "pie")
    assert grammar.tags_of("food", "pie") == {"old", "rural", "rich"}


def test_a_derivation_takes_nothing_twice_while_there_is_a_choice() -> None:
    grammar = Grammar({"pair": {"any": ["{fruit} and {fruit_2}"]}, "fruit": {"any": ["figs", "pears"]}})
    texts = {
        Derivation(grammar, random.Random(seed), words={}, tags=frozenset()).write("pair", {})
        for seed in range(20)
    }
    assert texts == {"figs and pears", "pears and figs"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [b", "not YAML"),
        ("- a", "must map symbols"),
        ("a: {any: [yes]}", "list of texts"),
        ("a: {any: word}", "list of texts"),
    ],
)
def test_a_broken_grammar_is_named_by_file_and_symbol(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "food.yaml").write_text(content)
    with pytest.raises(GrammarError, match=message) as broken:
        Grammar.load(tmp_path)
    assert str(tmp_path) in str(broken.value)


def test_a_symbol_defined_twice_and_a_grammar_that_is_not_there_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("dish: [soup]")
    with pytest.raises(GrammarError, match="'dish' is defined in another file"):
        Grammar.load(tmp_path)
    with pytest.raises(GrammarError, match="name a prompt set that has an offline grammar"):
        OfflineNarrator.load("xx_YY")
    with pytest.raises(GrammarError, match="no symbol 'wine'"):
        Grammar({"dish": {"any": ["soup"]}}).pool("wine", frozenset())
    with pytest.raises(GrammarError, match="add an `any` group"):
        Grammar({"dish": {"old": ["soup"]}}).pool("dish", frozenset())


def test_each_level_of_each_trait_has_its_own_words() -> None:
    seen: Counter[str] = Counter()
    for kind in ("adj", "clause", "foible"):
        for trait in TRAITS:
            for level in range(1, 6):
                pool = GRAMMAR.pool(f"{kind}_{trait[0]}{level}", frozenset())
                assert len(set(pool)) >= 3
                seen.update(set(pool) if kind != "adj" else ())
    assert max(seen.values()) == 1


def test_the_pools_are_large() -> None:
    everyone = frozenset({"male"})
    for stage in ("young", "prime", "mature", "senior"):
        assert len(GRAMMAR.pool("hobby", everyone | {stage})) >= 60
    play = {
        text
        for stage in ("young", "prime", "mature", "senior")
        for text in GRAMMAR.pool("play", frozenset({stage}))
    }
    assert len(play) >= 60
    assert (
        len(set(GRAMMAR.pool("destination", everyone)) | set(GRAMMAR.pool("destination_far", everyone)))
        >= 100
    )
    assert len(set(GRAMMAR.pool("dish", everyone))) >= 55
    for status in ("worker", "military", "seeking", "student", "homebound", "retired"):
        assert len(GRAMMAR.pool("professional_persona", frozenset({status}))) >= 8
    for field in PERSONAS[1:]:
        assert len(GRAMMAR.pool(field, everyone)) >= 8


def test_every_slot_is_a_symbol_or_a_word_of_the_person_and_every_symbol_is_used() -> None:
    words = {
        "name",
        "first",
        "title",
        "g_list",
        "k_list",
        "near1",
        "near2",
        "lead_adj",
        "lead_clause",
        "lead_foible",
    }
    words |= {"second_adj", "second_clause", "second_foible", *Portrait.of(SOMEBODY).words}
    words |= {f"{letter}{place}" for letter in "hstk" for place in range(1, 9)}
    assert GRAMMAR.slots - GRAMMAR.symbols <= words
    asked_for = {*PERSONAS, *TEXTS, "hobby", "region", "work_task", "work_tool", "work_skill"}
    traits = {symbol for symbol in GRAMMAR.symbols if symbol.startswith(("adj_", "clause_", "foible_"))}
    assert GRAMMAR.symbols - GRAMMAR.slots - asked_for - traits <= {"skill_everyday"}


@pytest.mark.parametrize("symbol", ["hobby", "play", "make", "work_task"])
def test_activities_are_gerund_phrases_that_fit_behind_any_verb(symbol: str) -> None:
    stages = [frozenset({stage}) for stage in ("young", "prime", "mature", "senior")]
    for activity in {text for tags in stages for text in GRAMMAR.pool(symbol, tags)}:
        assert re.match(r"(?:[a-z-]+ ){0,2}[a-z-]+ing\b", activity), activity


def test_another_text_in_any_file_of_a_grammar_is_another_digest(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("dish: {any: [soup]}")
    before = digest(tmp_path)
    (tmp_path / "notes.txt").write_text("no part of the grammar")
    assert digest(tmp_path) == before
    (tmp_path / "a.yaml").write_text("dish: {any: [stew]}")
    assert digest(tmp_path) != before
