"""No country in Python: what only the United States has is in the data of en_US, in its builder, or explained here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "foundation",
    "census_priors",
    "generator",
    "census_personas",
    "validators/dataset",
    "validators/measures",
)
TERMS = re.compile(
    r"""\bZIPs?\b | \bzip_?codes? | [Hh]ispanic | ethnicit(?:y|ies) | \bUSPS\b | \bus_born | nativity(?!_group)
    | \b(?:not_in_workforce | no_occupation | labor_force_status | never_married | bachelors | less_than_9th)
    | \bcount(?:y|ies)\b(?=["'_]) | _county | county_ | state_name
    | ["'](?:city | state | metro_area | first_name | last_name | education_level | marital_status | veteran_status)["']
    | ["'](?:AK|CA|NY|OH|PR|TX|VI|USA)["'] | \b(?:Ohio|California|Texas|New\ York|Puerto\ Rico|Virgin\ Islands)\b
    | Social\ Security | Census\ Bureau | O\*NET | \bPUMS\b | \bACS\b""",
    re.VERBOSE,
)
ELSEWHERE = {
    "census_priors/build/": "the builders of locales; that of the United States is one folder, named en_US",
    "generator/offline/": "the grammar's own words and facts, which a prompt set declares",
    "generator/population/scoring.py": "reads the person records of the American Community Survey, by its builder",
}
"""Folders and files that are not searched, and why."""
EXPLAINED = {
    "census_personas/__init__.py": "an example of a condition",
    "census_personas/generation.py": "an example of a condition",
    "census_personas/run.py": "the state of a run",
    "census_priors/roles.py": "what the role origin is for",
    "foundation/randomness.py": "the state of a generator of numbers",
    "generator/cli/options.py": "examples of conditions",
    "generator/cli/priors.py": "the option that names person records, for the one builder that reads them",
    "generator/config/selection.py": "an example of a condition",
    "generator/model/bayesian_network.py": "an argument of pgmpy",
    "generator/narration/facts.py": "the name that templates have for the region",
    "generator/population/population.py": "an example of a condition",
    "generator/report/drawn_figures.py": "a key of report.json, which keeps its name",
    "generator/report/figures.py": "a key of report.json, which keeps its name",
    "generator/report/report_types.py": "a key of report.json, which keeps its name",
    "generator/run/run_folder.py": "the state of a run",
}
"""Files in which a term may stand, and why."""
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if not path.relative_to(ROOT).as_posix().startswith(tuple(ELSEWHERE))
}


def terms(name: str) -> list[str]:
    lines = FILES[name].read_text(encoding="utf-8").splitlines()
    return [f"{name}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if TERMS.search(line)]


def test_a_term_of_the_united_states_stands_in_no_module_that_does_not_explain_it() -> None:
    assert [line for name in FILES if name not in EXPLAINED for line in terms(name)] == []


@pytest.mark.parametrize("name", EXPLAINED)
def test_what_is_explained_is_still_there(name: str) -> None:
    assert terms(name)


@pytest.mark.parametrize(
    "line",
    [
        'if "state" in record:',
        "a ZIP code of five digits",
        'GROUPS = ("hispanic", "white")',
        'status == "not_in_workforce"',
        'priors.domain["ethnicity"]',
    ],
)
def test_the_search_sees_what_it_looks_for(line: str) -> None:
    assert TERMS.search(line)
