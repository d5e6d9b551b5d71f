import json
from pathlib import Path

import pandas as pd
import pytest

from census_personas.census_priors.priors import Priors
from census_personas.foundation.errors import DatasetError
from census_personas.generator.config.run_config import Config
from census_personas.generator.population.population import Population
from census_personas.generator.report import figures
from census_personas.generator.report import run_report as report
from census_personas.generator.report.drawn_figures import DEGREES
from census_personas.generator.report.report_types import Report
from census_personas.generator.report.tabulation import Tabulation, distance
from census_personas.generator.run.manifest import Manifest

SAID = Priors.load("en_US").conventions
MARITAL = Priors.load("en_US").domain["marital_status"]
PEOPLE = pd.DataFrame(
    {
        "age": [20, 20, 40, 70, 70, 90],
        "sex": ["Female", "Male", "Female", "Male", "Female", "Female"],
        "marital": ["never_married"] * 2 + ["divorced", "widowed", "married_present", "widowed"],
        "schooling": ["bachelors", "high_school", "graduate", "bachelors", "high_school", "associates"],
        "region": ["NY", "NY", "NY", "WV", "WV", "WV"],
        "occupation": ["actor", "no_occupation", "actor", "not_in_workforce", "baker", "not_in_workforce"],
    }
)


def counted(*tables: tuple[str, ...]) -> Tabulation:
    return Tabulation.of([PEOPLE[:2], PEOPLE[2:]], tables)


def test_blockwise_counts_match_the_whole() -> None:
    tabulation = counted(("age",), ("age", "sex"), ("planet",))
    assert tabulation.rows == 6
    assert tabulation.counts("age").to_dict() == {(20,): 2, (40,): 1, (70,): 2, (90,): 1}
    assert tabulation.counts("age", "sex").loc[(70, "Male")] == 1
    assert ("planet",) not in tabulation


def test_pyramid_shares_sum_to_one() -> None:
    shares = figures.age_pyramid(counted(("age", "sex")).counts("age", "sex"))
    assert list(shares) == ["Male", "Female"]
    assert sum(map(sum, shares.values())) == pytest.approx(1)
    assert shares["Female"][figures.bands().index("85+")] == pytest.approx(1 / 6)


def test_marital_shares_sum_to_one_by_age() -> None:
    shares = figures.marital_by_age(counted(("age", "marital")).counts("age", "marital"), MARITAL)
    young, empty = figures.bands().index("18-24"), figures.bands().index("25-29")
    assert shares["never_married"][young] == 1
    assert sum(values[empty] for values in shares.values()) == 0
    assert list(shares) == ["never_married", "married_present", "divorced", "widowed"]


def test_degree_shares_are_ordered_and_from_age_25() -> None:
    tabulation = counted(DEGREES)
    assert figures.degrees_by_region(tabulation.counts(*DEGREES), SAID.schooling) == [
        {"state": "NY", "share": 1.0, "error": 0.0, "people": 1.0},
        {
            "state": "WV",
            "share": pytest.approx(1 / 3),
            "error": pytest.approx(0.272, abs=1e-3),
            "people": 3.0,
        },
    ]
    enough = figures.degrees_by_region(tabulation.counts(*DEGREES), SAID.schooling, least=3)
    assert [item["state"] for item in enough] == ["WV"]


def test_occupations_exclude_states_without_one() -> None:
    first, second = figures.top_occupations(
        counted(("occupation", "age")).counts("occupation", "age"), SAID.without_occupation
    )
    ages = PEOPLE.loc[PEOPLE["occupation"] == "actor", "age"]
    assert first == {
        "occupation": "actor", "people": 2, "mean_age": 30, "median_age": ages.median(), "std_age": ages.std()
    }  # fmt: skip
    assert (second["occupation"], second["std_age"]) == ("baker", 0)


def test_figures_end_at_occupied_ages() -> None:
    young = figures.age_pyramid(PEOPLE[PEOPLE["age"] < 45].groupby(["age", "sex"]).size())
    bands, (pyramid, missing) = figures.within_ends([{"dataset": young, "census": None}, None])
    assert (bands[0], bands[-1], len(bands)) == ("18-24", "40-44", 5)
    assert pyramid is not None
    assert {len(row) for row in pyramid["dataset"].values()} == {5}
    assert missing is None


def test_empty_state_has_no_share() -> None:
    states = pd.MultiIndex.from_tuples(
        [(30, "bachelors", "CA"), (30, "bachelors", "OR"), (30, "high_school", "CA")],
        names=list(DEGREES),
    )
    shares = figures.degrees_by_region(pd.Series([1.0, 0.0, 3.0], index=states), SAID.schooling)
    assert [(item["state"], item["share"]) for item in shares] == [("CA", 0.25)]
    assert figures.degrees_by_region(pd.Series([0.0, 0.0, 0.0], index=states), SAID.schooling) == []


def test_distance_is_between_zero_and_one() -> None:
    one = counted(("sex",)).counts("sex")
    other = Tabulation.of([pd.DataFrame({"sex": ["x", "y"]})], [("sex",)]).counts("sex")
    assert distance(one, one) == 0
    assert distance(one, other) == 1


def told(**more: object) -> Report:
    return Report.model_validate(
        {"rows": 0, "tests": {"number": 0, "chance": 0.01, "marked": []}, "bands": figures.bands(), **more}
    )


def test_empty_report_lists_what_was_not_judged(tmp_path: Path) -> None:
    as_json, page = report.write(tmp_path, told())
    assert json.loads(as_json.read_text())["rows"] == 0
    assert "Not judged" in page.read_text()


def test_page_is_self_contained_and_escaped(tmp_path: Path) -> None:
    found = {
        "bachelors_by_state": [
            {"state": "<script>", "share": 0.5, "error": 0.1, "people": 3.0, "census": None}
        ]
    }
    unjudged = {"last_name": "no table has <i>ethnicity</i>"}
    _, page = report.write(tmp_path, told(rejected={"<b>bad</b>": 2}, names_not_judged=unjudged, **found))
    text = page.read_text()
    assert "Not judged: last name; no table has &lt;i&gt;ethnicity&lt;/i&gt;." in text
    assert "<script" not in text
    assert "&lt;b&gt;bad" in text
    assert not any(word in text for word in ("http://", "https://", "src=", "@import", "url("))


def test_people_of_one_state_have_a_report(population: Population, tmp_path: Path) -> None:
    dataset, where = tmp_path / "people.parquet", {"state": "CA"}
    population.sample(1, where=where).to_parquet(dataset)
    found = report.build_report(dataset, population, where=where)
    report.write(tmp_path, found)
    assert not [item for item in found.fidelity if item.unknown]
    assert report.read_report(tmp_path) == found


def test_report_keys_are_stable_and_versioned(tmp_path: Path) -> None:
    as_json, _ = report.write(tmp_path, told())
    numbers = json.loads(as_json.read_text())
    assert tuple(numbers) == (
        "format", "rows", "run", "tests", "fidelity", "names_not_judged", "assumptions", "bands", "age_pyramid",
        "marital_by_age", "bachelors_by_state", "occupations", "diversity", "bias", "texts", "swaps", "findings",
        "judge", "rejected", "further_measures", "not_measured",
    )  # fmt: skip
    assert (numbers["format"], numbers["diversity"], numbers["age_pyramid"]) == (1, {}, None)


def test_report_round_trip_reads_earlier_formats(tmp_path: Path) -> None:
    assert report.read_report(tmp_path) is None
    run = Manifest.of(Config(rows=3), {"priors": "0"}, "m", "").model_copy(update={"seconds": 2.0})
    as_json, _ = report.write(tmp_path, told(run=run, findings={"unicode": {"warning": 2}}))
    again = report.read_report(tmp_path)
    assert again is not None
    assert again.run == run.model_copy(update={"seconds": 0.0})
    numbers = json.loads(as_json.read_text())
    assert "seconds" not in numbers["run"]
    del numbers["format"]
    as_json.write_text(json.dumps(numbers))
    assert report.read_report(tmp_path) == again


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 2, "rows": 0}', '{"rows": NaN}', "[" * 100_000]
)
def test_file_that_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(
        DatasetError, match=r"report\.json: not a report that this version reads; write it again"
    ):
        report.read_report(tmp_path)


def test_age_bands_begin_at_the_adult_age() -> None:
    assert figures.edges_from(18) == figures.AGE_EDGES
    assert figures.bands(figures.edges_from(21))[:2] == ["21-24", "25-29"]
    assert figures.bands(figures.edges_from(16))[:2] == ["16-17", "18-24"]
    assert figures.band(20, figures.edges_from(21)) == "under 21"
