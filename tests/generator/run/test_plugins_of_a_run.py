"""A run with a plug-in: its rules judge rows, its prompt set asks, and it is part of what the run is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from census_personas import PersonasError, Run, generate, validate
from census_personas.foundation.plugin import PluginError
from census_personas.generator.config.config_file import from_values, load
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.prompts.template import PromptSet

RULE = '''"""Ages are even, or the row is flagged."""

from census_personas.validators.finding import Rule

SEVERITY, POLICY, SCOPE = "error", "flag", "facts"
RULE = Rule.of(__name__)
ACCEPTS = ({"age": 20},)
REJECTS = ({"age": 21},)


def check(record, reference):
    if record.get("age", 0) % 2:
        yield RULE.error("age", "the age is odd", str(record["age"]))
'''


def write_config(folder: Path) -> Path:
    """A config with a plug-in beside it, named by a relative path; it has a rule and a prompt set."""
    (folder / "mine/rules").mkdir(parents=True)
    (folder / "mine/rules/even_age.py").write_text(RULE)
    shutil.copytree(PromptSet.load("en_US").folder, folder / "mine/prompts/plain")
    file = folder / "config.yaml"
    file.write_text(
        "rows: 8\nplugins: [mine]\nprompts: {set: plain}\nvalidation: {policy: {even_age: flag}}\n"
    )
    return file


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of a run, which is written to `run` beside it."""
    file = write_config(tmp_path_factory.mktemp("plugins"))
    generate(load(file), file.parent / "run")
    return file


def odd(folder: Path) -> list[int]:
    """Rows of odd age."""
    ages = pd.read_parquet(folder / "personas")["age"]
    rows = [row for row, age in enumerate(ages) if age % 2]
    assert 0 < len(rows) < len(ages)
    return rows


def test_plugin_rule_flags_rows(config: Path) -> None:
    run = config.parent / "run"
    findings = Run(run).findings
    ours = findings[findings["rule"] == "even_age"]
    assert (list(ours["row"]), set(ours["severity"])) == (odd(run), {"warning"})


def test_manifest_names_plugins(config: Path) -> None:
    run = config.parent / "run"
    digests = json.loads((run / "manifest.json").read_text())["identity"]["digests"]
    assert len(digests["plugins/mine"]) == 64
    assert load(run / "config.yaml").plugins == (str(config.parent / "mine"),)


def test_other_plugin_is_another_run(config: Path, tmp_path: Path, command: Any) -> None:
    shutil.copytree(config.parent, tmp_path / "copy")
    line = ("generate", tmp_path / "copy/config.yaml", "-o", tmp_path / "copy/run", "-n", 9)
    with (tmp_path / "copy/mine/rules/even_age.py").open("a") as file:
        file.write("\n# a remark\n")
    code, said = command.run(*line)
    assert code == 2
    assert "holds another run (digests.plugins/mine: " in said
    none = ("--set", "plugins=[]", "--set", "validation.policy={}", "--set", "prompts.set=en_US")
    code, said = command.run(*line, *none)
    assert code == 2
    assert "digests.plugins/mine: " in said


def test_run_folder_runs_no_unnamed_code(tmp_path: Path, command: Any, config: Path) -> None:
    shutil.copytree(config.parent, tmp_path / "copy")
    run, rule = tmp_path / "copy/run", tmp_path / "copy/mine/rules/even_age.py"
    settings = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(settings.replace(str(config.parent), str(tmp_path / "copy")))
    rule.write_text("raise RuntimeError('it was run')\n")
    code, said = command.run("validate", run, "--report", tmp_path / "out")
    assert code == 0, said
    code, said = command.run("report", run, "--counterfactual", 1)
    assert code == 2
    assert f"whose code runs only if you name them: --plugins {tmp_path}/copy/mine" in said
    code, said = command.run("validate", run, "--plugins", tmp_path / "copy/mine")
    assert code == 2
    assert f"{rule}:1: cannot be imported: RuntimeError: it was run" in said


def test_validation_uses_named_plugins(config: Path, command: Any) -> None:
    run, mine = config.parent / "run", config.parent / "mine"
    result = validate(run, plugins=[mine], policy={"even_age": "reject"})
    assert result.by_rule["even_age"]["error"] == len(odd(run))
    code, said = command.run("validate", run, "--plugins", mine, "--policy", "even_age=reject")
    assert (code, re.findall(r"even_age +(\d+) error", said)) == (1, [str(len(odd(run)))])
    assert command.run("validate", run, "--plugins", mine)[0] == 0


def test_unknown_set_lists_plugins(config: Path, tmp_path: Path) -> None:
    with pytest.raises(
        PersonasError, match="unknown prompt set 'plane'; known: en_US, es_ES, plain, or a folder's path"
    ):
        generate(load(config, ("prompts.set=plane",)), tmp_path / "none")


def test_missing_plugin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="neither a folder nor an installed plug-in"):
        generate({"rows": 1, "plugins": ["absent"]}, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("value", ["[{a: b}]", "[3]", "[[]]", "['']"])
def test_a_plug_in_is_named_by_a_text(tmp_path: Path, value: str) -> None:
    (tmp_path / "config.yaml").write_text(f"plugins: {value}\n")
    with pytest.raises(ConfigError, match=r"plugins\.0: "):
        load(tmp_path / "config.yaml")


def test_plugins_are_a_list() -> None:
    with pytest.raises(ConfigError, match=r"plugins: is a list; write \[mine\]"):
        from_values({"plugins": "mine"})


def test_no_plugins_change_no_identity() -> None:
    assert "plugins" not in Config().identity()
    assert Config(plugins=("mine",)).fingerprint() == Config().fingerprint()
