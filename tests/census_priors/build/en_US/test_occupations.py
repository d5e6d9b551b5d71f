"""Occupations builder: titles to names, SOC patterns to O*NET codes, and a build that repeats."""

from pathlib import Path

import pytest

from census_personas.census_priors.build.en_US.occupation_titles import name, prose, singular
from census_personas.census_priors.build.en_US.occupations import build_occupations, link, matching
from census_personas.census_priors.build.source import SourceError


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Software developers", "software_developer"),
        ("Accountants and auditors", "accountant_or_auditor"),
        ("Managers, all other", "manager"),
        ("Sales managers", "sales_manager"),
        ("Farmers, ranchers, and other agricultural managers", "farmer_rancher_or_agricultural_manager"),
        ("Architects, except landscape and naval", "architect"),
        ("Helpers--production workers", "helper_production_worker"),
        ("Telephone operators", "telephone_operator"),
        ("Nurse midwives", "nurse_midwife"),
        ("Packers and packagers, hand", "packer_or_packager"),
        (
            "Industrial engineers, including health and safety",
            "industrial_engineer_including_health_or_safety",
        ),
        ("Waiters and waitresses", "waiter_or_waitress"),
    ],
)
def test_titles_become_singular(title: str, expected: str) -> None:
    assert name(title) == expected


def test_prose_drops_exclusions() -> None:
    assert (
        prose("Surveyors, cartographers, and photogrammetrists")
        == "surveyor, cartographer or photogrammetrist"
    )
    assert prose("Industrial engineers, including health and safety") == "industrial engineer"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("secretaries", "secretary"), ("sales", "sales"), ("hostess", "hostess"), ("clergy", "clergy")],
)
def test_modifiers_keep_their_plural(word: str, expected: str) -> None:
    assert singular(word) == expected


def test_soc_patterns_match_by_digits() -> None:
    assert matching("111021", "111021") == 6
    assert matching("132020", "132023") == 5
    assert matching("1110XX", "111031") == 4
    assert matching("1110XX", "112011") == -1


def test_closest_pattern_gets_the_code() -> None:
    linked = link({"0010": "1110XX", "0020": "111021"}, ["11-1011.00", "11-1021.00", "11-1031.00"])
    assert linked == {"0010": ["11-1011.00", "11-1031.00"], "0020": ["11-1021.00"]}


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"occp_2018_titles_soc.csv: no such file"):
        build_occupations(tmp_path, tmp_path)
