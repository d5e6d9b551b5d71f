from __future__ import annotations

from dataclasses import dataclass

import pytest

from census_personas.foundation.schema import LISTS
from census_personas.validators.occupations.occupation_match import Match, OccupationMatcher
from census_personas.validators.occupations.stems import BREAK, stems
from census_personas.validators.records import age_in_text
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.text.gazetteer import Gazetteer
from census_personas.validators.text.lexicon import Phrases, lexicon, stands
from census_personas.validators.text.prose import words
from census_personas.validators.text.record_view import RecordView

pytestmark = pytest.mark.quick

PLACES = (
    ("Portland", "Multnomah County", "OR", 500_000.0),
    ("Portland", "Cumberland County", "ME", 50_000.0),
    ("Georgia", "Lamar County", "TX", 90_000.0),
    ("Tinytown", "Harney County", "OR", 100.0),
)
STATES = {"OR": "Oregon", "ME": "Maine", "TX": "Texas", "GA": "Georgia"}


def test_city_votes_by_adults() -> None:
    votes = Gazetteer(PLACES, STATES).votes(["Ana cycles through Portland."])
    assert votes == {"OR": 500_000 / 550_000, "ME": 50_000 / 550_000}


def test_state_name_outweighs_cities() -> None:
    gazetteer = Gazetteer(PLACES, STATES)
    assert gazetteer.votes(["Back in Texas."]) == {"TX": 2.0}
    assert gazetteer.votes(["Tinytown is small."]) == {}


def test_person_named_like_a_state_has_no_vote() -> None:
    gazetteer = Gazetteer(PLACES, STATES)
    assert gazetteer.votes(["Georgia Wu sings."], frozenset({"Georgia", "Wu"})) == {}


def test_place_in_longer_name_is_not_alone() -> None:
    mentions = Gazetteer(PLACES, STATES).mentions("The Texas Rangers won in Texas.")
    assert [(mention.name, mention.alone) for mention in mentions] == [("Texas", False), ("Texas", True)]


def test_phrases_match_whole_words_only() -> None:
    assert stands("retired", "a retired baker")
    assert not stands("tired", "a retired baker")


def test_phrases_are_found_with_their_field() -> None:
    reading = RecordView({"persona": "Ana is kind.", "arts_persona": "As an AI model, Ana paints."})
    assert list(Phrases(["as an ai model", "never there"]).found(reading)) == [
        ("arts_persona", "as an ai model")
    ]


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    soc: str
    tasks: tuple[str, ...]
    tools: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    alternate_titles: tuple[str, ...] = ()


JOBS = (
    Job(
        "baker", "baker", "51-3011", ("Bake bread in ovens", "Knead dough"), alternate_titles=("pastry chef",)
    ),
    Job("roofer", "roofer", "47-2181", ("Lay shingles on roofs", "Flash chimneys")),
    Job("surgeon", "surgeon", "29-1240", ("Operate on patients", "Plan surgical procedures")),
)


def _match(matcher: OccupationMatcher, name: str, text: str, titled: str = "", **options: float) -> Match:
    told = matcher.told([[(text, 1.0)]])[0]
    return matcher.match(name, told, words(titled), **options)


def test_named_title_fits_its_occupation() -> None:
    text = "Bakes bread on roofs, lays shingles."
    match = _match(OccupationMatcher(JOBS), "baker", text, "Ana, a pastry chef, bakes bread.")
    assert (match.share, match.best, match.named) == (1.0, "roofer", True)


def test_title_alone_does_not_decide() -> None:
    text = "Ana lays shingles and flashes chimneys on roofs."
    match = _match(OccupationMatcher(JOBS), "surgeon", text, "Ana, a surgeon of roofs.")
    assert match.named
    assert match.share < 0.4


def test_plural_titles_are_found() -> None:
    matcher, text = OccupationMatcher(JOBS), "Knead dough."
    for titled, named in (("Roofers like her", True), ("Ana roofs", False), ("Pastry chefs", True)):
        assert any(_match(matcher, name, text, titled).named for name in ("roofer", "baker")) == named, titled


def test_untitled_text_is_compared_by_words() -> None:
    text, matcher = "Ana lays shingles and flashes chimneys on roofs.", OccupationMatcher(JOBS)
    assert _match(matcher, "roofer", text).share == 1.0
    assert _match(matcher, "surgeon", text).share < 0.3


def test_own_title_excuses_another_trade(
    reference: RuleContext,
) -> None:
    nurse, baker = (["seasoned", "registered", "nurse"], True), (["retired", "baker"], False)
    assert reference.occupations.names_another("baker", [nurse])
    assert not reference.occupations.names_another("baker", [nurse, baker])
    assert not reference.occupations.names_another("registered_nurse", [nurse])
    assert not reference.occupations.names_another("registered_nurse", [baker])
    assert not reference.occupations.names_another("baker", [(["operations", "manager"], True)])


def test_text_without_work_is_no_evidence() -> None:
    for text in ("Ana hums.", ""):
        assert _match(OccupationMatcher(JOBS), "baker", text).best == ""


def test_broad_occupations_use_neighbours(reference: RuleContext) -> None:
    text = "Ana develops software, writes code and tests computer programs and databases."
    assert _match(reference.occupations, "computer_occupation", text).share > 0.44
    assert _match(reference.occupations, "roofer", text).share < 0.4


def test_large_share_stops_early() -> None:
    matcher, text = OccupationMatcher(JOBS), "Ana, a baker, kneads dough and bakes bread in ovens."
    exact = _match(matcher, "baker", text, text)
    bound = _match(matcher, "baker", text, text, enough=0.5)
    assert bound.named
    assert 0.5 <= bound.share <= exact.share


def test_records_read_alike_in_bulk() -> None:
    matcher = OccupationMatcher(JOBS)
    records = [
        [("Ana lays shingles on roofs", 1.0), ("Lay shingles, bake bread", 2.0)],
        [("", 1.0)],
        [],
        [("Knead dough and knead dough", 2.0)],
    ]
    for record, together in zip(records, matcher.told(records), strict=True):
        alone = matcher.told([record])[0]
        assert together.grams.tolist() == alone.grams.tolist()
        assert together.scales.tolist() == alone.scales.tolist()


def test_a_stem_is_a_words_first_six_letters() -> None:
    first, second, third, between, last = stems(["Manager, management of", "it"]).tolist()
    assert first == second == int.from_bytes(b"manage", "little")
    assert (third, between, last) == (int.from_bytes(b"of", "little"), BREAK, int.from_bytes(b"it", "little"))


def test_age_words_are_of_read_texts() -> None:
    content = lexicon("age_words", "en")
    age_words = age_in_text.AgeWords.of(content)
    assert set(age_words.words) <= {*age_in_text.FIELDS, *LISTS}
    for told in (told for groups in content["words"].values() for told in groups.values()):
        assert words(told) == told.split()
