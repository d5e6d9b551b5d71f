"""Occupations: names, codes and O*NET details in the shipped tables."""

from importlib.resources import files
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from census_personas.census_priors.build.en_US.occupations import ONET_ATTRIBUTION
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.occupations import Occupations, UnknownOccupationError
from census_personas.census_priors.priors import Priors

pytestmark = pytest.mark.quick

LOCALE = Path(str(files("census_personas.census_priors") / "en_US"))


@pytest.fixture(scope="module")
def occupations() -> Occupations:
    return Priors.load("en_US").occupations


def test_every_pums_code_has_one_name(occupations: Occupations) -> None:
    military = [occupation.code for occupation in occupations if occupation.group == "military"]
    assert military == ["9800", "9810", "9825", "9830"]
    assert len(occupations) == 525 + len(military)
    assert len(set(occupations.names)) == len(occupations.by_code) == len(occupations)


def test_names_are_in_code_order(occupations: Occupations) -> None:
    codes = [occupation.code for occupation in occupations]
    assert codes == sorted(codes)
    assert all(name == name.lower() and name.replace("_", "").isalpha() for name in occupations.names)


def test_names_match_the_release(occupations: Occupations) -> None:
    named = {code: occupation.name for code, occupation in occupations.by_code.items()}
    assert named["1021"] == "software_developer"
    assert named["0800"] == "accountant_or_auditor"
    assert named["0440"] == "manager"
    assert named["3258"] == "nurse_practitioner"
    assert named["9121"] == "bus_driver_school"
    assert named["7000"] == "first_line_supervisor_of_mechanics_installers_or_repairers"


def test_titles_read_as_a_person(occupations: Occupations) -> None:
    assert occupations.get("registered_nurse").title == "registered nurse"
    assert occupations.get("bus_driver_school").title == "school bus driver"
    assert occupations.get("first_line_supervisor_of_retail_sales_worker").title == "retail sales supervisor"


def test_groups_are_the_23_soc_groups(occupations: Occupations) -> None:
    assert len({occupation.group for occupation in occupations}) == 23
    assert occupations.get("physician").group == "healthcare_practitioner"


def test_licensed_professions_are_marked(occupations: Occupations) -> None:
    assert all(
        occupations.get(name).licensed for name in ("physician", "registered_nurse", "lawyer", "pharmacist")
    )
    assert not any(occupations.get(name).licensed for name in ("software_developer", "cashier", "manager"))


def test_job_zones_follow_preparation(occupations: Occupations) -> None:
    surgeon, cashier = occupations.get("surgeon"), occupations.get("cashier")
    assert surgeon.job_zone == 5
    assert surgeon.education == "graduate"
    assert cashier.job_zone is not None
    assert cashier.job_zone <= 2
    assert all(occupation.job_zone in {None, 1, 2, 3, 4, 5} for occupation in occupations)


def test_grounding_is_nearly_complete(occupations: Occupations) -> None:
    civilian = [occupation for occupation in occupations if occupation.group != "military"]
    assert sum(bool(occupation.tasks) for occupation in civilian) > 0.97 * len(civilian)
    assert max(len(occupation.tasks) for occupation in civilian) == 8
    assert all(len(task) <= 150 for occupation in civilian for task in occupation.tasks)
    assert all(len(o.tools) <= 6 and len(o.skills) <= 6 and len(o.alternate_titles) <= 6 for o in civilian)


def test_joined_codes_have_shared_tasks(occupations: Occupations) -> None:
    assert any("students" in task for task in occupations.get("postsecondary_teacher").tasks)
    assert any("vehicle" in task for task in occupations.get("driver_sales_worker_or_truck_driver").tasks)


def test_all_other_excludes_specific(occupations: Occupations) -> None:
    assert all(code[:7] != "17-2141" for code in occupations.get("engineer").onet)
    assert "17-2171.00" in occupations.get("petroleum_engineer").onet
    assert "17-2161.00" in occupations.get("engineer").onet


def test_no_occupation_has_no_code(occupations: Occupations) -> None:
    for name in ("not_in_workforce", "no_occupation"):
        assert name in occupations
        assert occupations.get(name).code == ""
        assert name not in occupations.names


def test_unknown_name_suggests_similar(occupations: Occupations) -> None:
    with pytest.raises(
        UnknownOccupationError,
        match=r"'registred_nurse': the locale does not list it, .*; did you mean registered_nurse",
    ):
        occupations.get("registred_nurse")


def test_missing_table_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"occupations.parquet: no such table; rebuild"):
        Occupations(tmp_path).names  # noqa: B018 - reading is what fails


def test_misaligned_phrases_are_refused(tmp_path: Path) -> None:
    table = pq.read_table(LOCALE / "lookups" / "occupations.parquet")
    place = table.column_names.index("task_phrases")
    (tmp_path / "lookups").mkdir()
    pq.write_table(
        table.set_column(place, "task_phrases", table["task_short_phrases"].take([*range(1, 529), 0])),
        tmp_path / "lookups" / "occupations.parquet",
    )
    with pytest.raises(
        TableError, match=r"occupation '\w+' has \d task_phrases for \d tasks; rebuild the locale"
    ):
        Occupations(tmp_path).names  # noqa: B018 - reading is what fails


def test_old_table_reports_phrases(tmp_path: Path) -> None:
    table = pq.read_table(LOCALE / "lookups" / "occupations.parquet")
    (tmp_path / "lookups").mkdir()
    pq.write_table(table.drop_columns(["skill_phrases"]), tmp_path / "lookups" / "occupations.parquet")
    with pytest.raises(TableError, match=r"columns skill_phrases are missing; rebuild the locale"):
        Occupations(tmp_path).names  # noqa: B018 - reading is what fails


def test_table_carries_its_licence() -> None:
    metadata = pq.read_schema(LOCALE / "lookups" / "occupations.parquet").metadata
    assert metadata[b"attribution"].decode() == ONET_ATTRIBUTION
    assert "CC BY 4.0" in ONET_ATTRIBUTION
