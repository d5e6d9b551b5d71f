"""Commands about plug-ins, and the examples of their page, unchanged."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from census_personas.prompts.template import PromptSet

PAGE = Path(__file__).parents[3] / "docs/how-to/plugins.md"
Personas = Callable[..., tuple[int, str, str]]

RULE = """from census_personas.validators.finding import Rule

SEVERITY, POLICY, SCOPE = "error", "repair", "facts"
RULE = Rule.of(__name__)
ACCEPTS = ({"age": 30},)
REJECTS = ({"age": 31},)


def check(record, reference):
    if record.get("age") == 31:
        yield RULE.error("age", "is 31")
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A plug-in with one rule."""
    (tmp_path / "mine/rules").mkdir(parents=True)
    (tmp_path / "mine/rules/age_31.py").write_text(RULE)
    return tmp_path / "mine"


def test_examples_of_the_page_run(
    tmp_path: Path, personas: Personas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    for file in ("house/rules/brands.py", "house/prompts/plain/narratives/commute.j2", "plain.yaml"):
        text = re.search(rf"`{file}`.*?```\w+\n(.*?)```", page, re.DOTALL)
        assert text is not None
        if "prompts" in file:
            copied = re.search(r"```python\n(import shutil.*?)```", page, re.DOTALL)
            exec(copied[1] if copied else "", {})  # noqa: S102  the project's own page
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text[1])
    commands = re.search(r"```sh\n(.*?)```", page, re.DOTALL)
    assert commands is not None
    said = []
    for line in commands[1].splitlines():
        code, out, err = personas(*shlex.split(line)[1:])
        assert code == 0, (line, out, err)
        said.append(out)
    assert "  rules: brands\n  prompts: plain\n" in said[0]
    assert said[1] == ("rule brands: sound; 2 examples, repair by default\nprompt set plain: sound\n")
    assert said[3].startswith("10 rows, 0 with errors")
    validated = re.search(r"```python\n(from census_personas import validate.*?)```", page, re.DOTALL)
    exec(validated[1] if validated else "", {})  # noqa: S102  the project's own page


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"age": 31}', '"age": 32}', "rule age_31: REJECTS[0] has no error: {'age': 32}"),
        ('"age": 30}', '"age": 31}', "rule age_31: ACCEPTS[0] is not accepted: age: is 31"),
        ('({"age": 30},)', "()", "rule age_31: ACCEPTS is empty; give at least one record"),
        ('.get("age")', '["age"]', "rule age_31: a record without columns: "),
    ],
)
def test_failing_example_is_named(mine: Path, personas: Personas, old: str, new: str, said: str) -> None:
    (mine / "rules/age_31.py").write_text(RULE.replace(old, new))
    code, out, err = personas("plugins", "check", mine)
    assert (code, err) == (1, "personas: mine: 1 fault\n")
    assert out.startswith(said)


def test_faulty_prompt_set_is_named(mine: Path, personas: Personas) -> None:
    shutil.copytree(PromptSet.load("en_US").folder, mine / "prompts/plain")
    with (mine / "prompts/plain/personas.j2").open("a") as file:
        file.write("{{ sex }}\n")
    code, out, _ = personas("plugins", "check", mine)
    assert code == 1
    assert re.search(r"^prompt set plain: .*personas.j2:\d+: is outside", out, re.MULTILINE)


def test_broken_plugin_is_one_line(mine: Path, personas: Personas, one_line: Callable[[str], str]) -> None:
    (mine / "rules/age_31.py").write_text("import nowhere_at_all\n")
    code, _, err = personas("plugins", "check", mine)
    assert code == 2
    assert one_line(err).startswith(f"personas: {mine}/rules/age_31.py:1: cannot be imported: ModuleNotFound")


def test_crashing_rule_is_one_line(
    mine: Path, tmp_path: Path, personas: Personas, one_line: Callable[[str], str]
) -> None:
    (mine / "rules/age_31.py").write_text(RULE.replace("== 31", "/ 0"))
    code, _, err = personas("preview", _config(tmp_path, mine))
    assert code == 2
    assert one_line(err) == (
        f"personas: {mine}/rules/age_31.py:10: rule age_31 failed: ZeroDivisionError: division by zero"
    )


def test_installed_plugins_are_listed(
    mine: Path, tmp_path: Path, personas: Personas, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site/even_ages-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: even-ages\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[census_personas.plugins]\neven = even_ages\n")
    mine.rename(tmp_path / "site/even_ages")
    assert personas("plugins", "list") == (0, "", "personas: no plug-in is installed\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert personas("plugins", "list")[1] == f"even: {tmp_path}/site/even_ages\n  rules: age_31\n"
    assert personas("plugins", "check", "even")[1] == "rule age_31: sound; 2 examples, repair by default\n"
    code, out, err = personas("check", _config(tmp_path, "even"), "--set", "validation.policy={age_31: off}")
    assert code == 0, (out, err)
    assert re.search(r"^plug-ins: even, [0-9a-f]{12}$", out, re.MULTILINE)


def _config(folder: Path, plugin: object) -> Path:
    file = folder / "config.yaml"
    file.write_text(f"rows: 2\nplugins: ['{plugin}']\n")
    return file
