from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from census_personas.foundation.schema import LISTS, PROSE
from census_personas.validators.finding import Finding
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import SAMPLED, WRITTEN, PolicyError, RecordChecker, rules
from census_personas.validators.text.finding_cache import FindingCache
from census_personas.validators.text.record_view import RecordView

pytestmark = pytest.mark.quick


def test_nothing_is_wrong_with_a_good_record(checker: RecordChecker, good: dict[str, Any]) -> None:
    assert [f for f in checker.check(good) if f.severity == "error"] == []


def test_a_second_good_record_reads_its_own_facts(checker: RecordChecker, another: dict[str, Any]) -> None:
    partly = {
        key: another[key] for key in another if key not in {"cultural_background", "skills_and_expertise"}
    }
    kept = {k: v for k, v in partly.items() if "Inés" not in str(v) and not k.startswith("hobbies")}
    assert [f for f in checker.check(kept) if f.severity == "error"] == []


def test_every_mutation_with_evidence_is_found(
    checker: RecordChecker, mutations: ModuleType, good: dict[str, Any], another: dict[str, Any]
) -> None:
    for name, (mutate, evident) in mutations.MUTATIONS.items():
        mutated = mutate(good, another, np.random.default_rng(3))
        if mutated is not None and evident:
            assert any(f.severity == "error" for f in checker.check(mutated)), name


def test_run_policy_repairs_and_files_warn(
    reference: RuleContext, mutations: ModuleType, good: dict[str, Any], another: dict[str, Any]
) -> None:
    context = RuleContext(reference.priors, prompts=mutations.PROMPTS)
    written, foreign = RecordChecker(context, WRITTEN), RecordChecker(context)
    row = {**good, "education_level": "high_school"}
    before = {f for f in written.check(row) if f.severity == "error"}
    for name, mutate in mutations.RUN_MUTATIONS.items():
        mutated = mutate(row, another, np.random.default_rng(3))
        if mutated is None:
            continue
        (found, *_) = [f for f in written.check(mutated) if f.severity == "error" and f not in before]
        assert found.code in {*WRITTEN, "echo"}, name
        if found.code != "echo":
            assert found.lowered() in foreign.check(mutated), name


def test_rewritten_people_are_repaired() -> None:
    assert set(WRITTEN.values()) == {"repair"}
    assert WRITTEN.items() <= SAMPLED.items()


def test_shared_text_runs_in_no_checker(
    reference: RuleContext,
) -> None:
    checker = RecordChecker(reference, {"shared_text": "flag"})
    assert "shared_text" not in checker.policy
    with pytest.raises(PolicyError, match=r"shared_text: unknown action 'mend'"):
        RecordChecker(reference, {"shared_text": "mend"})


def test_echo_needs_known_prompts(reference: RuleContext) -> None:
    assert RecordChecker(RuleContext(reference.priors)).not_judged["echo"].startswith("the prompts")
    assert "echo" not in RecordChecker(reference).not_judged


def test_flag_lowers_errors_to_warnings(reference: RuleContext, good: dict[str, Any]) -> None:
    wrong = {**good, "sex": "Male"}
    found = RecordChecker(reference, {"pronouns": "flag"}).check(wrong)
    assert {f.severity for f in found if f.code == "pronouns"} == {"warning"}


def test_off_does_not_run_the_rule(reference: RuleContext, good: dict[str, Any]) -> None:
    found = RecordChecker(reference, {"pronouns": "off"}).check({**good, "sex": "Male"})
    assert "pronouns" not in {f.code for f in found}


def test_singular_they_warns_by_default(reference: RuleContext, good: dict[str, Any]) -> None:
    text = "Inés Okafor paints boats on Sundays, and they often give the small sketches away to the people next door."
    loose: dict[str, str] = {}
    strict = {"singular_they": "repair"}
    severities = [
        {
            f.severity
            for f in RecordChecker(reference, policy).check({**good, "arts_persona": text})
            if f.code == "singular_they"
        }
        for policy in (loose, strict)
    ]
    assert severities == [{"warning"}, {"error"}]


def test_unknown_rule_names_the_known(reference: RuleContext) -> None:
    with pytest.raises(PolicyError, match=r"unknown rule 'pronoun'; known: .*pronouns"):
        RecordChecker(reference, {"pronoun": "off"})
    with pytest.raises(PolicyError, match="unknown action 'fix'; known: repair, reject, flag, off"):
        RecordChecker(reference, {"pronouns": "fix"})


def test_only_some_rules_can_be_run(reference: RuleContext, good: dict[str, Any]) -> None:
    found = RecordChecker(reference, only=["age_bounds"]).check({**good, "age": 12, "sex": "Male"})
    assert [f.code for f in found] == ["age_bounds"]


def test_findings_come_in_the_order_of_rule_codes(checker: RecordChecker, good: dict[str, Any]) -> None:
    codes = [f.code for f in checker.check({**good, "sex": "Male", "age": 12, "state": "TX"})]
    assert codes == sorted(codes)
    assert set(codes) <= set(rules())


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {k: v for k, v in record.items() if k not in {"first_name", "last_name"}},
        lambda record: {**record, "uuid": record["uuid"].replace("-", ""), "bachelors_field": None},
        lambda record: {**record, "skills_and_expertise_list": str(record["skills_and_expertise_list"])},
        lambda record: {
            k: v
            for k, v in record.items()
            if k not in {"cultural_background", "county", "labor_force_status"}
        },
    ],
    ids=["without names", "second release", "lists as strings", "first release"],
)
def test_both_releases_and_ours_are_read(
    checker: RecordChecker, good: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    assert [f for f in checker.check(change(good)) if f.severity == "error"] == []


@pytest.mark.parametrize("code", [code for code, rule in rules().items() if rule.SCOPE == "field"])
def test_field_rules_agree_alone(
    code: str, reference: RuleContext, mutations: ModuleType, good: dict[str, Any], another: dict[str, Any]
) -> None:
    for mutate, _ in mutations.MUTATIONS.values():
        record = reference.read(mutate(good, another, np.random.default_rng(5)) or good)
        whole = set(rules()[code].check(record, reference))
        parts = {
            f for field in (*PROSE, *LISTS) for f in rules()[code].check(record.only([field]), reference)
        }
        assert whole == parts


@pytest.mark.parametrize("code", [code for code, rule in rules().items() if rule.SCOPE == "facts"])
def test_fact_rules_agree_without_texts(code: str, reference: RuleContext, good: dict[str, Any]) -> None:
    odd = reference.read({**good, "age": 17, "marital_status": "widowed", "zipcode": "2139", "state": "OH"})
    check = rules()[code].check
    assert list(check(odd, reference)) == list(check(odd.only([]), reference))


def test_memory_changes_no_finding(
    checker: RecordChecker, mutations: ModuleType, good: dict[str, Any], another: dict[str, Any]
) -> None:
    remembering = RecordChecker(checker.reference, remember=8)
    records = [
        good,
        *(mutate(good, another, np.random.default_rng(1)) for mutate, _ in mutations.MUTATIONS.values()),
    ]
    for record in (found for found in records * 2 if found is not None):
        written = {key: value for key, value in record.items() if not key.endswith("_persona")}
        for stage in (written, record, record):
            assert sorted(map(str, remembering.check(stage))) == sorted(map(str, checker.check(stage)))


def test_judged_texts_are_kept() -> None:
    judged: list[set[str]] = []
    memory = FindingCache(64)

    def judge(part: RecordView) -> list[Finding]:
        judged.append(set(part.prose))
        return [Finding("a_rule", "error", field, "wrong") for field in part.prose]

    def found(record: dict[str, Any]) -> list[str]:
        person = memory.person(record)
        return [finding.field for finding in person.texts(person.read(record), judge)]

    assert found({"age": 40, "persona": "One."}) == ["persona"]
    assert found({"age": 40, "persona": "One.", "arts_persona": "Two."}) == ["persona", "arts_persona"]
    assert found({"age": 40, "persona": "New.", "arts_persona": "Two."}) == ["arts_persona", "persona"]
    assert found({"age": 41, "persona": "New."}) == ["persona"]
    assert judged == [{"persona"}, {"arts_persona"}, {"persona"}, {"persona"}]


def test_facts_are_judged_once() -> None:
    judged: list[str] = []
    memory = FindingCache(64)

    def judge(part: RecordView) -> list[Finding]:
        judged.append(str(part["age"]))
        return [Finding("a_rule", "warning", "age", "odd")]

    for record in ({"age": 40}, {"age": 40, "persona": "One."}, {"age": 41, "persona": "One."}):
        person = memory.person(record)
        assert [f.field for f in person.facts(person.read(record), judge)] == ["age"]
    assert judged == ["40", "41"]


def test_cache_drops_old_and_finished_people(good: dict[str, Any]) -> None:
    memory = FindingCache(2)
    people = [memory.person({"row": row}) for row in range(3)]
    assert [memory.person({"row": row}) is people[row] for row in (2, 1, 0)] == [True, True, False]
    done = memory.person(good)
    memory.forget({**good, "row": 7})
    assert memory.person(good) is done
    memory.forget(good)
    assert memory.person(good) is not done


def test_follow_up_reads_new_texts() -> None:
    asked: list[str] = []

    def length(reading: RecordView, field: str) -> int:
        asked.append(field)
        return len(reading.prose[field])

    texts = {"persona": "Caf\u00e9 one.", "arts_persona": "Two."}
    first = RecordView.following(texts, None)
    assert [first.once(length, field) for field in texts] == [9, 4]
    second = RecordView.following({**texts, "arts_persona": "Three."}, first)
    assert [second.once(length, field) for field in texts] == [9, 6]
    assert asked == ["persona", "arts_persona", "arts_persona"]
    assert second.prose["persona"] is first.prose["persona"]
    fresh = RecordView(second.record)
    assert (second.tokens, second.vocabulary, second.words) == (fresh.tokens, fresh.vocabulary, fresh.words)


def test_runs_do_not_judge_age_words() -> None:
    assert SAMPLED["age_in_text"] == "off"


def test_only_foreign_rows_are_rejected_as_rare(reference: RuleContext, good: dict[str, Any]) -> None:
    rare = {**good, "occupation": "physician", "education_level": "less_than_9th"}
    severities = {
        name: {
            f.severity
            for f in RecordChecker(reference, policy).check(rare)
            if f.code == "occupation_education"
        }
        for name, policy in (("sampled", SAMPLED), ("foreign", {}))
    }
    assert severities == {"sampled": {"warning"}, "foreign": {"error"}}


@pytest.mark.parametrize("language", ["en", "es"])
def test_foreign_rule_says_so(language: str, good: dict[str, Any], reference: RuleContext) -> None:
    checker = RecordChecker(RuleContext(reference.priors, language=language))
    wrong = {**good, "persona": good["persona"].replace("she", "he").replace(" her ", " his ")}
    ran = "pronouns" in {finding.code for finding in checker.check(wrong)}
    assert ran == ("pronouns" not in checker.not_judged) == (language == "en")
