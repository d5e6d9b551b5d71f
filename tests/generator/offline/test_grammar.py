"""A grammar selects alternatives by tags; the shipped grammar is complete and varied."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import shipped

import census_personas.prompts
from census_personas.foundation.randomness import draws
from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.offline import symbol
from census_personas.generator.offline.article import article, with_articles
from census_personas.generator.offline.derivation import Derivation
from census_personas.generator.offline.grammar import Grammar, GrammarError, digest
from census_personas.generator.offline.grammar_faults import refuse_faults
from census_personas.generator.offline.narrator import OfflineNarrator
from census_personas.generator.offline.portrait import TRAITS

pytestmark = pytest.mark.quick

TEXTS = ("cultural_background", "career_goals_and_ambitions", "skills_prose", "hobby_prose")


def texts(grammar: Grammar, name: str, *tags: str) -> list[str]:
    return [alternative.text for alternative in grammar.pool(name, frozenset(tags))]


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


def test_groups_are_selected_by_conditions() -> None:
    grammar = Grammar({"food": {"any": ["bread"], "old+rural|rich": ["pie"], "!old *2": ["soup"]}})
    assert texts(grammar, "food") == ["bread", "soup", "soup"]
    assert texts(grammar, "food", "old", "rural") == ["bread", "pie"]
    assert texts(grammar, "food", "old", "rich") == ["bread", "pie"]
    assert grammar.tags_of("food", "pie") == {"old", "rural", "rich"}


def test_kept_pools_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbol, "_KEPT", 3)
    grammar = Grammar({"food": {"any": ["bread"], **{tag: [f"{tag} pie"] for tag in "abcdef"}}})
    for tag in "abcdefabc":
        assert texts(grammar, "food", tag) == ["bread", f"{tag} pie"]
    assert len(grammar.symbol("food").pools) == 3


def test_derivation_avoids_repeated_alternatives() -> None:
    grammar = Grammar({"pair": {"any": ["{fruit} and {fruit_2}"]}, "fruit": {"any": ["figs", "pears"]}})
    written = {Derivation(grammar, draws(str(seed)), words={}, tags=0).write("pair") for seed in range(20)}
    assert written == {"figs and pears", "pears and figs"}


def test_text_avoids_repeated_person_words() -> None:
    grammar = Grammar(
        {
            "text": {"any": ["{own_dish}, then {treat} and {treat_2}"]},
            "treat": {"any": ["more {own_dish}", "{own_bake}", "coffee"]},
        }
    )
    words = {"own_dish": "soup", "own_bake": "pie"}
    written = {Derivation(grammar, draws(str(seed)), words=words, tags=0).write("text") for seed in range(40)}
    assert written == {"soup, then pie and coffee", "soup, then coffee and pie"}


def test_bare_slots_repeat_only_across_texts() -> None:
    grammar = Grammar(
        {"text": {"any": ["{joy} and {joy_2}"]}, "joy": {"any": ["{own_sport_name}", "{own_craft_name}"]}}
    )
    words = {"own_sport_name": "golf", "own_craft_name": "pottery"}
    derivation = Derivation(grammar, draws("a"), words=words, tags=0)
    assert {derivation.write("text") for _ in range(20)} == {"golf and pottery", "pottery and golf"}


def test_large_pools_equal_small_ones() -> None:
    groups = {f"t{tag}": [f"{tag}-{text}" for text in range(60)] for tag in range(5)}
    grammar = Grammar({"food": {"any": ["bread"], "t0+t1": ["both"], **groups, "!t9 *2": ["soup"]}})
    for tags in (("t0", "t1"), ("t1", "t2", "t3"), ("t9", "t4"), ("t0", "t1", "t2", "t3", "t4")):
        found = texts(grammar, "food", *tags)
        assert sorted(found) == sorted(
            ["bread"]
            + ["both"] * ({"t0", "t1"} <= set(tags))
            + ["soup", "soup"] * ("t9" not in tags)
            + [text for tag in tags for text in groups.get(tag, [])]
        )
        pool = grammar.pool("food", frozenset(tags))
        assert [pool[place].text for place in range(len(pool))] == found
        with pytest.raises(IndexError):
            pool[len(pool)]


def test_spoken_words_are_filled_in_early() -> None:
    grammar = Grammar({"text": {"any": ["{He} knows {his} {thing}"]}, "thing": {"any": ["trade"]}})
    spoken = grammar.spoken({"he": "she", "his": "her"})
    assert texts(spoken, "text") == ["She knows her {thing}"]
    assert Derivation(spoken, draws("a"), words={}, tags=0).write("text") == "She knows her trade"


def test_draws_depend_on_the_identity() -> None:
    first, again, other = draws("Ana"), draws("Ana"), draws("Ben")
    numbers = [first() for _ in range(200)]
    assert numbers == [again() for _ in range(200)]
    assert numbers != [other() for _ in range(200)]
    assert all(0 <= number < 2**16 for number in numbers)
    # Known values: another machine or Python must not tell other stories.
    assert numbers[:2] == [59449, 27782]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [b", "not YAML|not valid YAML"),
        ("- a", "must map symbols"),
        ("a: {any: [yes]}", "holds True in its list of texts"),
        ("a: {any: word}", "list of texts"),
        ("a: {any: []}", "has no texts"),
        ("a: {any: ['  ']}", "blank text"),
        ("a: {any: ['{b']}", "write {name}"),
        ("a: {any: ['{b!r}']}", "is not a slot"),
        ("a: {'old+': [b]}", "lacks a tag"),
        ("a: {any: [b], any: [c]}", "'any' is given twice"),
        ("a: [b]\na: [c]", "'a' is given twice"),
        ("1: [b]", "is not a string; quote it"),
        ("", "must map symbols"),
    ],
)
def test_broken_grammar_names_file_and_symbol(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "food.yaml").write_text(content)
    with pytest.raises(GrammarError, match=message) as broken:
        Grammar.load(tmp_path)
    assert str(tmp_path) in str(broken.value)


def test_non_utf_8_grammar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "food.yaml").write_bytes("a: [cr\u00eape]".encode("latin-1"))
    with pytest.raises(GrammarError, match=r"food\.yaml: not UTF-8 text .* save it as UTF-8$"):
        Grammar.load(tmp_path)


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ({"dish": {"any": ["{soup} of the day"]}}, "dish: {soup} in .* is neither a symbol"),
        ({"dish": {"retird": ["soup"]}}, "dish: nobody has the tag 'retird'"),
        (
            {"dish": {"any": ["{side}"]}, "side": {"any": ["rice", "{Dish_2}"]}},
            "dish -> side -> dish: .* never ends",
        ),
        ({"dish": {"any": ["{lead_adj}"]}, "adj_o1": {"any": ["{dish}"]}}, "dish -> adj_o1 -> dish"),
        (
            {"dish": {"any": ["{lead_adj}"]}, "adj_o1": {"any": ["plain"]}},
            "there is no symbol 'adj_o2'; define",
        ),
        ({"side": {"any": ["rice"]}}, "no symbol 'dish', which every person needs"),
    ],
)
def test_rare_faults_are_found_on_loading(symbols: dict[str, dict[str, list[str]]], message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        refuse_faults(Grammar(symbols), words={"name"}, tags={"retired"}, asked=["dish"])


def test_misspelt_slot_is_refused_on_loading(tmp_path: Path) -> None:
    for file in (Path(census_personas.prompts.__path__[0]) / "en_US" / "offline").glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    OfflineNarrator.load(tmp_path)
    with (tmp_path / "persona.yaml").open("a") as file:
        file.write("extra: ['{nmae} is here']\n")
    with pytest.raises(GrammarError, match=r"extra: \{nmae\}"):
        OfflineNarrator.load(tmp_path)


def test_repeated_symbol_or_missing_grammar_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("dish: [soup]")
    with pytest.raises(GrammarError, match="'dish' is also defined in another file"):
        Grammar.load(tmp_path)
    with pytest.raises(GrammarError, match="name a prompt set that has an offline grammar"):
        OfflineNarrator.load("xx_YY")
    with pytest.raises(GrammarError, match="'wine' is neither a symbol"):
        Grammar({"dish": {"any": ["soup"]}}).pool("wine", frozenset())
    with pytest.raises(GrammarError, match="add an `any` group"):
        Grammar({"dish": {"old": ["soup"]}}).pool("dish", frozenset())


def test_each_trait_level_has_its_own_words() -> None:
    seen: Counter[str] = Counter()
    for kind in ("adj", "clause", "foible"):
        for trait in TRAITS:
            for level in range(1, 6):
                pool = texts(shipped.grammar(), f"{kind}_{trait[0]}{level}")
                assert len(set(pool)) >= 3
                seen.update(set(pool) if kind != "adj" else ())
    assert max(seen.values()) == 1


def test_pools_are_large() -> None:
    for stage in ("young", "prime", "mature", "senior"):
        assert len(texts(shipped.grammar(), "hobby", "male", stage)) >= 50
    sports = {text.text for text in shipped.grammar().alternatives("own_sport")}
    assert len(sports) >= 100
    assert len({*texts(shipped.grammar(), "away_place"), *texts(shipped.grammar(), "away_dream")}) >= 100
    assert len({text.text for text in shipped.grammar().alternatives("own_dish")}) >= 150
    for status in ("worker", "military", "seeking", "student", "homebound", "retired"):
        assert len(texts(shipped.grammar(), "professional_persona", status)) >= 8
    for field in set(NARRATIVES) - {"professional_persona"}:
        assert len(texts(shipped.grammar(), field, "male")) >= 8


def test_every_symbol_is_used() -> None:
    used = {
        slot.symbol
        for name in shipped.grammar().symbols
        for text in shipped.grammar().alternatives(name)
        for slot in text.slots
    }
    read = {"region", "job", "metro", "roots", "pooled"}
    asked_for = {*NARRATIVES, *TEXTS, "hobby", "work_task", "work_skill", "skill_everyday", *read}
    drawn = {
        name
        for name in shipped.grammar().symbols
        if name.startswith(("adj_", "clause_", "foible_", "leaning_"))
    }
    assert set(shipped.grammar().symbols) - used - asked_for - drawn == set()


@pytest.mark.parametrize("sport_or_craft", ["own_sport", "own_craft", "sport_note", "craft_note"])
def test_each_leaning_has_its_own_texts(sport_or_craft: str) -> None:
    leaning = "leaning_sport" if "sport" in sport_or_craft else "leaning_craft"
    for tag in {text.text for text in shipped.grammar().alternatives(leaning)}:
        assert len(texts(shipped.grammar(), sport_or_craft, tag, "young")) >= 2, tag


@pytest.mark.parametrize("kitchen_text", ["own_dish", "dish", "added", "own_bake"])
def test_each_kitchen_has_its_own_texts(kitchen_text: str) -> None:
    for kitchen in {text.text for text in shipped.grammar().alternatives("leaning_kitchen")}:
        assert len(texts(shipped.grammar(), kitchen_text, kitchen)) >= 3, kitchen


@pytest.mark.parametrize("symbol", ["hobby", "own_sport", "own_craft", "work_task"])
def test_activities_are_gerund_phrases(symbol: str) -> None:
    for activity in shipped.grammar().alternatives(symbol):
        assert re.match(r"(?:[a-z-]+ ){0,2}[a-z-]+ing\b", activity.text), activity.text


def test_digest_covers_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("dish: {any: [soup]}")
    before = digest(tmp_path)
    (tmp_path / "notes.txt").write_text("no part of the grammar")
    assert digest(tmp_path) == before
    (tmp_path / "a.yaml").write_text("dish: {any: [stew]}")
    assert digest(tmp_path) != before
