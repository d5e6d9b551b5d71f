from __future__ import annotations

import numpy as np
import pytest

from census_personas.validators.text.list_literal import parse_list
from census_personas.validators.text.prose import plain, plain_each, words
from census_personas.validators.text.record_view import RecordView

pytestmark = pytest.mark.quick


def test_plain_text_has_no_diacritics() -> None:
    assert (
        plain("Zo\u00eb\u2019s well\u2011known \u201ccaf\u00e9\u201d\u202f\u2014 stra\u00dfe")
        == 'Zoe\'s well-known "cafe" - strasse'
    )


def test_plain_text_has_single_spaces() -> None:
    assert plain(" a\n\nb\tc  d ") == "a b c d"


def test_words_are_lower_case_and_split() -> None:
    assert words("A well-known 3D artist's Work") == ["a", "well", "known", "d", "artist", "s", "work"]


def test_name_is_read_from_personas() -> None:
    record = {
        "persona": "Ana Wu sings.",
        "sports_persona": "Ana Wu runs.",
        "arts_persona": "Leo Park paints.",
    }
    name = RecordView(record).name
    assert name is not None
    assert (name.full, name.stated) == ("Ana Wu", False)


def test_rare_opening_name_is_found() -> None:
    texts = ("A baker, Ana Wu sings.", "On Sundays Ana Wu runs.", "Curious, Ana Wu paints.")
    record = dict(zip(("persona", "sports_persona", "arts_persona"), texts, strict=True))
    name = RecordView(record).name
    assert name is not None
    assert name.full == "Ana Wu"


def test_city_is_not_the_person() -> None:
    told = ("persona", "arts_persona", "travel_persona")
    texts = {field: f"At home in San Diego, Ana Wu has her {field}." for field in told}
    name = RecordView({**texts, "sports_persona": "Around San Diego she runs.", "city": "San Diego"}).name
    assert name is not None
    assert name.full == "Ana Wu"


TWO_SURNAMES = {"given_name": "nombre", "family_name": "apellido", "second_family_name": "segundo"}


@pytest.mark.parametrize(
    ("recipe", "full", "ends"),
    [
        (("given_name", "family_name"), "Ana Garcia", ("Ana", "Garcia")),
        (("given_name", "middle_name", "family_name"), "Ana Garcia", ("Ana", "Garcia")),
        (("given_name", "family_name", "second_family_name"), "Ana Garcia Wu", ("Ana", "Garcia")),
        (("family_name", "given_name"), "Garcia Ana", ("Garcia", "Ana")),
    ],
)
def test_full_name_follows_the_recipe(recipe: tuple[str, ...], full: str, ends: tuple[str, str]) -> None:
    record = {"nombre": "Ana", "apellido": "García", "segundo": "Wu", "persona": "Canta."}
    view = RecordView(record, TWO_SURNAMES, recipe)
    assert view.name is not None
    assert (view.name.full, view.name.ends, view.name.first) == (full, ends, "Ana")
    assert view.only(["persona"]).name == view.name
    assert RecordView.following(record, view, TWO_SURNAMES, recipe).name == view.name


def test_family_name_may_come_first() -> None:
    name = RecordView({"persona": "Nagy Anna sings."}, recipe=("family_name", "given_name")).name
    assert name is not None
    assert (name.first, name.last, name.full) == ("Anna", "Nagy", "Nagy Anna")


def test_disagreeing_personas_give_no_name() -> None:
    assert RecordView({"persona": "A baker sings.", "arts_persona": "The painter rests."}).name is None


def test_lists_and_literals_are_read() -> None:
    assert RecordView({"skills_and_expertise_list": ["a", "b"]}).list_of("skills_and_expertise_list") == [
        "a",
        "b",
    ]
    assert parse_list("['it\\'s', \"so\"]") == ["it's", "so"]
    assert parse_list("[open(") is None
    assert parse_list("a, b") is None


def test_ages_are_read_from_text_alone() -> None:
    assert RecordView({"age": "41"}).age == 41
    assert RecordView({"age": "young"}).age is None
    assert RecordView({"age": True}).age is None


def test_missing_empty_and_nan_facts_are_none() -> None:
    reading = RecordView({"sex": "", "state": None, "city": float("nan")})
    assert [reading.fact(field) for field in ("sex", "state", "city", "county")] == [None] * 4


def test_a_reading_is_the_record_that_it_wraps() -> None:
    record = {"persona": "Ana\u2019s."}
    reading = RecordView(RecordView(record))
    assert dict(reading) == record
    assert RecordView.of(reading) is reading


def test_plain_texts_agree_in_bulk() -> None:
    texts = ["Ana\u2019s \u201ccaf\u00e9\u201d", "two\nlines\u202fhere", "  plain ", "\u65e5\u672c"]
    assert plain_each(texts) == [plain(text) for text in texts]
    assert plain_each(texts[::3]) == [plain(text) for text in texts[::3]]


def test_odd_list_literals_are_read() -> None:
    for items in (["a"], ["a", "b c"], ["it's", "b"], ['"q"', "b"], ["a', 'b"], ["back\\slash"], [""]):
        assert parse_list(repr(items)) == items
        assert parse_list(str(np.array(items, dtype=object))) == items  # as pandas writes it into a CSV file
