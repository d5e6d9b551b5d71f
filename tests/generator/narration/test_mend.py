"""A mend keeps what a text says: it adds only the last name, empties no text, and is idempotent."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census_personas.foundation.schema import NARRATIVES
from census_personas.generator.narration.mend import mend, once, sentences, whole, with_last_name
from census_personas.prompts.fields import FieldSpec

NAME = ("Ana", "Wu")
PROSE, NARRATIVE = "hobbies_and_interests", "arts_persona"
SPECS = tuple(FieldSpec(name, "text", "", 1, 2000) for name in (PROSE, "cultural_background", NARRATIVE))

word = st.sampled_from(
    "Ana Wu Lee bakes bread She and Dr. St. J. \u201cno\u201d 3.5 U.S. Ana's Ana-Maria (or so) y".split()
)
end = st.sampled_from([".", "!", "?", '."', "", " and", "..", ".)"])
sentence = st.builds(lambda words, last: " ".join(words) + last, st.lists(word, min_size=1, max_size=9), end)
text = st.lists(sentence, min_size=1, max_size=6).flatmap(
    lambda parts: st.lists(st.sampled_from(parts), min_size=1, max_size=8).map(" ".join)
)


def words(said: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", said))


def mended(written: dict[str, str], policy: dict[str, str] | None = None) -> dict[str, str]:
    return written | {field: said for field, said, _ in mend(written, SPECS, NAME, policy or {})}


@given(st.fixed_dictionaries({spec.name: text for spec in SPECS}))
def test_only_the_last_name_is_added(written: dict[str, str]) -> None:
    for field, said in mended(written).items():
        assert words(said) - words(written[field]) <= Counter({"Wu": field in NARRATIVES})
        assert said.strip()


@given(st.fixed_dictionaries({spec.name: text for spec in SPECS}))
def test_mending_is_idempotent(written: dict[str, str]) -> None:
    first = mended(written)
    assert mended(first) == first


@given(st.fixed_dictionaries({spec.name: text for spec in SPECS}))
def test_every_mend_is_described(written: dict[str, str]) -> None:
    changed = {field for field, said in mended(written).items() if said != written[field]}
    found = [finding for _, _, finding in mend(written, SPECS, NAME, {})]
    assert {finding.field for finding in found} == changed
    assert {(finding.code, finding.severity) for finding in found} <= {("mended", "warning")}


@given(text)
def test_sentences_joined_are_the_text(said: str) -> None:
    assert " ".join(sentences(said)) == said


@given(st.fixed_dictionaries({spec.name: text for spec in SPECS}))
def test_rules_off_leave_texts_alone(written: dict[str, str]) -> None:
    off = dict.fromkeys(("sentence_count_length", "repetition", "name_present"), "off")
    assert mended(written, off) == written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ana runs. She is always willingto", "Ana runs."),
        ("Ana runs. She sings.", "Ana runs. She sings."),
        ("Ana runs and sings and", "Ana runs and sings and"),
        ("Ana lives near St. Louis and", "Ana lives near St. Louis and"),
        ("Ana met Dr. J. Lee. He was", "Ana met Dr. J. Lee."),
        ("Ana said \u201cno.\u201d", "Ana said \u201cno.\u201d"),
    ],
)
def test_unfinished_sentence_is_dropped(before: str, after: str) -> None:
    assert whole(before) == after


def test_repeated_sentence_is_dropped() -> None:
    assert once("Ana likes to sing. She runs every day. Ana likes to sing.") == (
        "Ana likes to sing. She runs every day."
    )
    assert once("Ana sings. She runs. Ana sings.") == "Ana sings. She runs. Ana sings."


def test_sentence_of_two_texts_is_kept() -> None:
    long = "On Sundays Ana folds dumplings with her aunt and her two cousins in Dayton."
    written = {"cultural_background": long, PROSE: f"{long} Ana likes to sing."}
    assert mended(written) == written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ana paints, and Ana sings.", "Ana Wu paints, and Ana sings."),
        ("On Sundays, Ana\u2019s garden feeds all.", "On Sundays, Ana Wu\u2019s garden feeds all."),
        ("Ana Lee paints.", "Ana Lee paints."),
        ("Anabel paints with Ana-Maria.", "Anabel paints with Ana-Maria."),
        ("Wu, Ana, paints.", "Wu, Ana, paints."),
        ("She paints.", "She paints."),
    ],
)
def test_last_name_follows_the_first(before: str, after: str) -> None:
    assert with_last_name(before, "Ana", "Wu") == after


def test_ambiguous_first_name_is_kept() -> None:
    assert with_last_name("Joy fills the room.", "Joy", "Lee") == "Joy fills the room."


def test_short_text_is_not_shortened() -> None:
    spec = FieldSpec(PROSE, "text", "", 40, 2000)
    assert not list(mend({PROSE: "Ana runs. She sings and"}, [spec], NAME, {}))
