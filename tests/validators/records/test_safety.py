"""What docs/explanation/safety.md says that rules, prompts and samples do, and do not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shipped

import census_personas.census_priors
from census_personas.foundation.yaml_file import parse_yaml
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.sampling.where_clause import masks
from census_personas.prompts.template import PromptSet
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import SAMPLED, RecordChecker
from census_personas.validators.text.lexicon import ENGLISH, lexicon

pytestmark = pytest.mark.quick

PERSONA = "In\u00e9s Okafor is a 47-year-old dental hygienist in Duluth who {}, and forgets only her own appointments."


def _found(checker: RecordChecker, good: dict[str, Any], says: str) -> set[tuple[str, str]]:
    """Rules and severities of what is wrong with a persona that says so; nothing is wrong without it."""
    assert {f.code for f in checker.check(good) if f.severity != "not_judged"} == set()
    record = good | {"persona": PERSONA.format(says)}
    return {(f.code, f.severity) for f in checker.check(record) if f.severity != "not_judged"}


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ("calls the new neighbors wetbacks", "slurs"),
        ("takes her boss for white trash", "slurs"),
        ("likes erotic drawings of schoolgirls", "minors"),
        ("is watched, and she is a girl of twelve", "minors"),
    ],
)
def test_slurs_and_minors_by_origin(
    says: str, code: str, good: dict[str, Any], reference: RuleContext, checker: RecordChecker
) -> None:
    assert _found(checker, good, says) == {(code, "warning")}
    assert _found(RecordChecker(reference, SAMPLED), good, says) == {(code, "error")}
    assert SAMPLED[code] == "repair"


@pytest.mark.parametrize("code", ["age_bounds", "stated_age"])
def test_people_under_eighteen_are_errors(code: str, good: dict[str, Any], checker: RecordChecker) -> None:
    record = (
        good | {"age": 17}
        if code == "age_bounds"
        else good | {"persona": good["persona"].replace("47", "17")}
    )
    assert code in {f.code for f in checker.check(record) if f.severity == "error"}


@pytest.mark.parametrize(("age", "severity"), [(31, "warning"), (47, "error")])
def test_a_teenager_of_that_age_is_noticed(
    age: int, severity: str, good: dict[str, Any], checker: RecordChecker
) -> None:
    facts = {name: good[name] for name in ("first_name", "last_name", "sex")}
    record = facts | {"age": age, "persona": PERSONA.format("is a teenager").replace("47", str(age))}
    assert ("life_stage", severity) in {(f.code, f.severity) for f in checker.check(record)}


def test_no_run_samples_people_under_eighteen() -> None:
    assert min(map(int, shipped.united_states().domain["age"])) == 18
    with pytest.raises(EvidenceError, match="10 to 17 is outside the values 18 to 100"):
        masks({"age": "10-17"}, shipped.united_states(), {})


@pytest.mark.parametrize(
    ("says", "severity"),
    [
        ("answers 218-555-0147 at any hour", "error"),
        ("answers ines@example.com at any hour", "error"),
        ("gave 123-45-6789 to the bank", "error"),
        ("lives at 1204 Maple Street", "error"),
        ("lives at 7 Maple Street", "error"),
        ("writes on www.example.com", "error"),
        ("posts as @inesokafor", "error"),
        ("posts on okafor.com", "warning"),
    ],
)
def test_contact_details_are_personal_data(
    says: str, severity: str, good: dict[str, Any], checker: RecordChecker
) -> None:
    assert ("personal_data", severity) in _found(checker, good, says)


def test_a_named_heritage_is_a_warning(good: dict[str, Any], checker: RecordChecker) -> None:
    assert _found(checker, good, "is known as a Nigerian cook and a Jewish American one") == {
        ("heritage_naming", "warning")
    }


@pytest.mark.parametrize(
    "says",
    [
        "works for Mayo Clinic",
        "sings with Taylor Swift",
        "takes insulin and lives with schizophrenia",
        "votes Republican",
        "is a lesbian",
        "is a Muslim",
        "is loud like all women",
        "answers two-one-eight, zero-one-four-seven",
        "lives at twelve Maple Street",
        "answers 020 7946 0958 in London",
        "writes steamy scenes about her lover",
    ],
)
def test_what_no_rule_notices(says: str, good: dict[str, Any], checker: RecordChecker) -> None:
    assert _found(checker, good, says) == set()


def test_a_name_that_a_living_person_has_passes(good: dict[str, Any], checker: RecordChecker) -> None:
    texts = {
        field: value.replace("In\u00e9s", "Dolly").replace("Okafor", "Parton")
        for field, value in good.items()
        if isinstance(value, str)
    }
    assert {f.severity for f in checker.check(good | texts)} <= {"not_judged"}


def test_ethnicity_is_no_reason_to_reject(good: dict[str, Any], checker: RecordChecker) -> None:
    findings = {
        checker.check(good | {"ethnicity": state}) for state in shipped.united_states().domain["ethnicity"]
    }
    assert len(findings) == 1


def test_sensitive_traits_are_no_facts() -> None:
    names = " ".join(shipped.united_states().domain)
    assert not any(
        word in names for word in ("relig", "faith", "politic", "party", "orientation", "gender", "diagnos")
    )


def test_prompts_rule_out_stereotypes() -> None:
    task = (PromptSet.load("en_US").folder / "_task.j2").read_text(encoding="utf-8")
    said = " ".join(task.split())
    assert (
        "No stereotypes, real people, company names, phone numbers, street addresses, e-mail addresses"
        in said
    )
    assert "never name a race, an ethnic group" in said
    assert "stereotype" in {field.name for field in PromptSet.load("en_US").templates["judge"].fields}


def test_no_slur_is_a_name() -> None:
    lookups = Path(census_personas.census_priors.__path__[0]) / "en_US" / "lookups"
    slurs = set(lexicon("slurs", ENGLISH)["words"])
    for file, column in (
        ("names_last", "name"),
        ("names_given", "name"),
        ("places", "city"),
        ("places", "county"),
    ):
        values = pq.read_table(lookups / f"{file}.parquet", columns=[column])[column].unique().to_pylist()
        parts = {part for value in values if value for part in str(value).lower().replace("-", " ").split()}
        assert slurs.isdisjoint(parts | {str(value).lower() for value in values}), file


def test_the_offline_grammar_has_no_slur(reference: RuleContext) -> None:
    folder = PromptSet.load("en_US").folder / "offline"
    checker = RecordChecker(reference, only=("slurs", "minors"))
    for file in folder.glob("*.yaml"):
        text = str(parse_yaml(file.read_text(encoding="utf-8")))
        assert checker.check({"persona": text}) == (), file.name
