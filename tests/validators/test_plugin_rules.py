"""Rules of a plug-in beside ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from census_personas.foundation.plugin import PluginError
from census_personas.foundation.plugins import Plugins
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import PolicyError, RecordChecker, rules

RULE = '''"""No text mentions a cat."""

from census_personas.validators.finding import Rule

SEVERITY, POLICY, SCOPE = "error", "repair", "field"
RULE = Rule.of(__name__)
ACCEPTS = ({"persona": "Ana keeps a dog."},)
REJECTS = ({"persona": "Ana keeps a cat."},)


def check(record, reference):
    if "laughs" in str(record.get("persona")):
        yield RULE.error("persona", "mentions laughter")
'''


def plugin(folder: Path, text: str, name: str = "laughter") -> Plugins:
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / f"rules/{name}.py").write_text(text)
    return Plugins.load([folder])


def checker(reference: RuleContext, text: str, folder: Path, **policy: str) -> RecordChecker:
    return RecordChecker(reference, policy, plugins=plugin(folder / "mine", text))


def test_a_rule_of_a_plug_in_runs_beside_ours(
    reference: RuleContext, good: dict[str, Any], tmp_path: Path
) -> None:
    found = checker(reference, RULE, tmp_path).check(good)
    assert [(finding.code, finding.severity) for finding in found] == [("laughter", "error")]
    assert "laughter" not in rules()


@pytest.mark.parametrize(
    ("action", "severities"), [("flag", ["warning"]), ("off", []), ("reject", ["error"])]
)
def test_a_policy_may_name_it(
    reference: RuleContext, good: dict[str, Any], tmp_path: Path, action: str, severities: list[str]
) -> None:
    judging = checker(reference, RULE, tmp_path, laughter=action)
    assert [finding.severity for finding in judging.check(good)] == severities
    assert judging.policy["laughter"] == action


def test_an_unknown_rule_is_answered_with_the_plug_ins_too(reference: RuleContext, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"unknown rule 'laugh'; known: .*language, laughter, life_stage"):
        checker(reference, RULE, tmp_path, laugh="off")


def test_a_rule_may_look_at_many_records_beforehand(
    reference: RuleContext, good: dict[str, Any], tmp_path: Path
) -> None:
    ahead = RULE + "\nSEEN = []\n\ndef prepare(readings, reference):\n    SEEN.append(len(readings))\n"
    plugins = plugin(tmp_path / "mine", ahead)
    RecordChecker(reference, plugins=plugins).check_together([good, good])
    module: Any = plugins.members[0].load("rules", "laughter")
    assert module.SEEN == [2]


def test_a_rule_that_fails_is_named_with_its_line(
    reference: RuleContext, good: dict[str, Any], tmp_path: Path
) -> None:
    text = RULE.replace('str(record.get("persona"))', 'record["no_such_column"]')
    with pytest.raises(PluginError) as caught:
        checker(reference, text, tmp_path).check(good)
    place = f"{tmp_path}/mine/rules/laughter.py"
    assert caught.value.message == f"{place}:12: rule laughter failed: KeyError: 'no_such_column'"


@pytest.mark.parametrize(
    "made",
    [
        '"wrong"',
        'Rule("pronouns").error("persona", "x")',
        'RULE.error("persona", None)',
        'Finding("laughter", "grave", "", "x")',
    ],
)
def test_what_is_no_finding_of_the_rule_is_refused(
    reference: RuleContext, good: dict[str, Any], tmp_path: Path, made: str
) -> None:
    text = RULE.replace('RULE.error("persona", "mentions laughter")', made)
    text = text.replace("import Rule", "import Finding, Rule")
    with pytest.raises(PluginError, match="rule laughter failed: TypeError: yields"):
        checker(reference, text, tmp_path).check(good)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("SCOPE", "SCOPES", "does not define SCOPE"),
        ("def check", "def inspect", "does not define check"),
        ('"field"', '"row"', "SCOPE='row'; choose facts, field, record"),
        ('"repair"', '"ask"', "POLICY='ask'; choose repair, reject, flag, off"),
        ("def check(record, reference):", "check = 1\ndef _(record):", "check is no function"),
        ("ACCEPTS = (", "ACCEPTS = str(", "ACCEPTS is no tuple of records"),
    ],
)
def test_a_module_that_is_no_rule_is_told_so(
    reference: RuleContext, tmp_path: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(PluginError) as caught:
        checker(reference, RULE.replace(old, new, 1), tmp_path)
    assert said in caught.value.message


def test_a_code_of_ours_is_taken(tmp_path: Path) -> None:
    loaded = plugin(tmp_path / "mine", RULE, "pronouns")
    with pytest.raises(PluginError, match=r"'pronouns' is also the name of validators/records/pronouns\.py"):
        rules(loaded)
