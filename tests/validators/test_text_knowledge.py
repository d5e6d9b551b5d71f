from __future__ import annotations

from dataclasses import dataclass

from persona_engine.validators.gazetteer import Gazetteer
from persona_engine.validators.lexicon import Phrases, stands
from persona_engine.validators.occupation_match import OccupationMatcher
from persona_engine.validators.prose import words
from persona_engine.validators.reading import Reading
from persona_engine.validators.reference import Reference

PLACES = (
    ("Portland", "Multnomah County", "OR", 500_000.0),
    ("Portland", "Cumberland County", "ME", 50_000.0),
    ("Georgia", "Lamar County", "TX", 90_000.0),
    ("Tinytown", "Harney County", "OR", 100.0),
)
STATES = {"OR": "Oregon", "ME": "Maine", "TX": "Texas", "GA": "Georgia"}


def test_a_city_votes_for_its_states_by_their_adults() -> None:
    votes = Gazetteer(PLACES, STATES).votes(["Ana cycles through Portland."])
    assert votes == {"OR": 500_000 / 550_000, "ME": 50_000 / 550_000}


def test_a_state_name_outweighs_cities_and_small_towns_do_not_vote() -> None:
    gazetteer = Gazetteer(PLACES, STATES)
    assert gazetteer.votes(["Back in Texas."]) == {"TX": 2.0}
    assert gazetteer.votes(["Tinytown is small."]) == {}


def test_a_name_that_is_a_state_does_not_vote_for_it() -> None:
    gazetteer = Gazetteer(PLACES, STATES)
    assert gazetteer.votes(["Georgia Wu sings."], frozenset({"Georgia", "Wu"})) == {}


def test_phrases_match_whole_words_only() -> None:
    assert stands("retired", "a retired baker")
    assert not stands("tired", "a retired baker")


def test_phrases_are_found_with_their_field() -> None:
    reading = Reading({"persona": "Ana is kind.", "arts_persona": "As an AI model, Ana paints."})
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


def test_a_text_fits_the_occupation_whose_title_it_names() -> None:
    match = OccupationMatcher(JOBS).match(
        "baker",
        words("Ana, a pastry chef, bakes bread."),
        [],
        [(words("Bakes bread on roofs, lays shingles."), 1.0)],
    )
    assert (match.share, match.best, match.named) == (1.0, "roofer", True)


def test_a_title_alone_does_not_outweigh_what_the_text_tells() -> None:
    told = [(words("Ana lays shingles and flashes chimneys on roofs."), 1.0)]
    match = OccupationMatcher(JOBS).match("surgeon", words("Ana, a surgeon of roofs."), [], told)
    assert match.named
    assert match.share < 0.4


def test_a_text_without_a_title_is_compared_by_its_words() -> None:
    told = [(words("Ana lays shingles and flashes chimneys on roofs."), 1.0)]
    matcher = OccupationMatcher(JOBS)
    assert matcher.match("roofer", [], [], told).share == 1.0
    assert matcher.match("surgeon", [], [], told).share < 0.3


def test_a_text_that_speaks_of_no_work_is_no_evidence() -> None:
    assert OccupationMatcher(JOBS).match("baker", [], [], [(["ana", "hums"], 1.0)]).best == ""


def test_broad_occupations_are_judged_by_their_neighbours(reference: Reference) -> None:
    told = [(words("Ana develops software, writes code and tests computer programs and databases."), 1.0)]
    assert reference.occupations.match("computer_occupation", [], [], told).share >= 0.45
    assert reference.occupations.match("roofer", [], [], told).share < 0.45


def test_a_share_that_is_surely_large_enough_is_not_computed_further() -> None:
    matcher = OccupationMatcher(JOBS)
    text = words("Ana, a baker, kneads dough and bakes bread in ovens.")
    exact = matcher.match("baker", text, [], [(text, 1.0)])
    bound = matcher.match("baker", text, [], [(text, 1.0)], enough=0.5)
    assert bound.named
    assert 0.5 <= bound.share <= exact.share
