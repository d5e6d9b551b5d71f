from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from census_personas.validators.earlier_texts import EarlierTexts

LONG = "makes green-corn tamales for forty people every August in the yard of the church"
OTHER = "mends clocks for half of the town and never asks for more than the price of the parts"
PARAGRAPH = (
    "{} keeps bees behind the library, sells the honey from a red cart on Fridays, teaches children how a hive"
    " decides where to move, and writes down the weather of every swarm in a ledger that began in 1998."
)


def person(first: str, last: str, row: int, **texts: str) -> dict[str, object]:
    return {"row": row, "first_name": first, "last_name": last, **texts}


def met(*people: dict[str, object]) -> EarlierTexts:
    earlier = EarlierTexts()
    for record in people:
        earlier.add(record)
    return earlier


def test_shared_sentence_is_found() -> None:
    earlier = met(person("Ana", "Wu", 3, culinary_persona=f"Ana Wu {LONG}. She rests."))
    (found,) = earlier.compare(person("Leo", "Park", 7, persona=f"Leo rests. Leo Park {LONG.upper()}!"))
    assert (found.code, found.severity, found.field) == ("shared_text", "error", "persona")
    assert found.evidence.startswith("row 3: Leo Park")


def test_short_sentences_and_other_ones_are_not_shared() -> None:
    earlier = met(person("Ana", "Wu", 3, persona=f"Ana Wu {LONG}. She likes to cook."))
    assert earlier.compare(person("Leo", "Park", 7, persona=f"Leo Park {OTHER}. She likes to cook.")) == ()


def test_a_text_of_which_a_few_words_are_changed_is_nearly_the_same() -> None:
    earlier = met(person("Ana", "Wu", 3, persona=PARAGRAPH.format("Ana Wu")))
    changed = PARAGRAPH.format("Leo Park").replace("red cart", "blue cart")
    (found,) = earlier.compare(person("Leo", "Park", 7, persona=changed))
    assert found.evidence == "row 3"
    assert "nearly another person's" in found.message
    assert earlier.compare(person("Leo", "Park", 7, persona=f"Leo Park {LONG}, and {OTHER}.")) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([LONG, OTHER, PARAGRAPH.format("X")]), min_size=2, max_size=6))
def test_repeated_texts_name_the_first_row(texts: list[str]) -> None:
    earlier = EarlierTexts()
    seen: set[str] = set()
    for row, text in enumerate(texts):
        record = person("Ana", "Wu", row, persona=f"Ana Wu {text}.")
        assert bool(earlier.compare(record)) == (text in seen)
        earlier.add(record)
        seen.add(text)


def test_many_people_are_compared_in_linear_time() -> None:
    earlier = EarlierTexts()
    began = time.process_time()
    for row in range(400):
        record = person("Ana", "Wu", row, persona=f"Ana {'a ' * 4_000}. {LONG} {row}.")
        earlier.compare(record)
        earlier.add(record)
    assert time.process_time() - began < 20
