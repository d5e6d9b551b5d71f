"""Wrong usage and impossible requests: one line, an exit code, nothing left behind."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from census_personas.generator.cli import failure
from census_personas.generator.cli.main import main
from census_personas.validators.finding import Finding
from census_personas.validators.findings_writer import FindingsWriter, WriterError

pytestmark = pytest.mark.quick

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"

Personas = Callable[..., tuple[int, str, str]]


def test_help_is_instant() -> None:
    command = [sys.executable, "-c", "from census_personas.generator.cli.main import main; main()", "--help"]
    best = 9.0
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "generate" in said
    assert best < 0.4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("generate", QUICKSTART, "--set", "colour=red"),
            "unknown key 'colour'; known there: input, judge, llm, locale",
        ),
        (("generate", "absent.yaml"), "absent.yaml: cannot be read"),
        (
            ("generate", QUICKSTART, "-o", "/proc/self/run"),
            "/proc/self/run: is in a system folder; name a file elsewhere",
        ),
        (("generate", QUICKSTART, "--set", "locale=xx_YY"), "xx_YY"),
        (("generate", QUICKSTART, "--set", "prompts.set=xx_YY"), "unknown prompt set 'xx_YY'; known: en_US"),
        (
            ("prompts", "check", "xx_YY"),
            "unknown prompt set 'xx_YY'; known: en_US, es_ES, or a folder's path",
        ),
        (("report", "absent.parquet", "-o", "new"), "absent.parquet: no dataset there"),
        (
            ("generate", QUICKSTART, "--set", "validation.policy={stated_aeg: off}"),
            "unknown rule 'stated_aeg'",
        ),
        (
            ("generate", QUICKSTART, "--set", "prompts.narratives=family"),
            "prompts.narratives: is a list; write [family], not 'family'",
        ),
        (
            ("generate", QUICKSTART, "--set", "name=a/b"),
            "name: takes letters, digits, dots, hyphens and underscores, and begins with a letter or digit, not 'a/b'",
        ),
        (("batch", "import", "nosuchrun", "in.jsonl"), "nosuchrun: no such run folder; give the one"),
        (("generate", QUICKSTART, "--where", "{state: NY}"), "--where: not valid JSON"),
        (("generate", QUICKSTART, "--where", '{"planet": "Mars"}'), "planet"),
        (("generate", QUICKSTART, "--where", '{"state": "Ontario"}'), "Ontario"),
        (("sample", "--where", '{"first_name": "Qqq"}', "-n", "2"), "unknown value 'Qqq'; known: Aa"),
        (("sample", "--where", '["NY"]', "-n", "2"), "give an object of attribute and condition"),
        (("sample", "-o", "people.xls", "-n", "2"), "unknown suffix '.xls'"),
        (("validate", "absent.parquet"), "absent.parquet: no dataset there"),
        (("compare", "absent.parquet", "absent.parquet"), "absent.parquet: no dataset there"),
    ],
)
def test_wrong_input_is_one_line(
    personas: Personas,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    said: str,
    one_line: Callable[[str], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = personas(*words)
    assert (code, out) == (2, "")
    assert said in one_line(err)
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_version_is_printed(personas: Personas) -> None:
    assert personas("--version") == (0, f"{version('census-personas')}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fly", "no such command 'fly'; personas --help"),
        ("sampel", "did you mean 'sample'"),
        ("sample -n 0", "--rows: input should be greater than or equal to 1, not '0'; personas sample --help"),
        ("sample -n many", "--rows: input should be a valid integer, unable to parse string as an integer, not 'many'"),
        ("sample -n", "option '-n' requires an argument"),
        ("sample --sed 4", "no such option: --sed (Possible options: --schema, --seed, --set)"),
        ("sample --schema x", "--schema: 'x' is not one of 'nemotron', 'nemotron-1.1', 'full'; personas"),
        ("sample one two", "got unexpected extra argument(s) (two)"),
        ("generate", "CONFIG is missing; personas generate --help"),
        ("priors plot", "--output is missing; personas priors plot --help"),
        ("priors plot -o x.pdf", "x.pdf: unknown suffix '.pdf'; write to .svg, .png"),
        ("priors build -o x", "--pums: missing; or give --download with --sources"),
        ("report run --swap sex", "--swap: needs --counterfactual N, the number of people"),
        ("batch export x.yaml -o ./x.yaml", "x.yaml: unknown suffix '.yaml'; write to .jsonl"),
        ("validate x.csv --policy age_bounds", "--policy: 'age_bounds' has no action; write it as RULE=off"),
        ("sample -n 9999999999999", "--rows: input should be less than or equal to 1000000000000, not 9999999999999"),
        (f"sample --seed {2**63}", f"--seed: input should be less than or equal to {2**63 - 1}, not {2**63}"),
        ('sample --where {"age":null}', "--where: where.age has no value; give texts, numbers, lists or objects"),
        ('priors query sex --where {"age":[{"min":null}]}', "--where: where.age.0.min has no value"),
        ("sample --set llm.temperature=hot", "--set: llm.temperature: input should be a valid number"),
        ("sample --set rows=", "--set: rows: has no value; give one, or leave the key out"),
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2(
    personas: Personas, one_line: Callable[[str], str], words: str, said: str
) -> None:
    code, out, err = personas(*words.split(" "))
    assert (code, out) == (2, "")
    assert one_line(err).startswith("personas: ")
    assert said in one_line(err)


@pytest.mark.parametrize("words", [(), ("priors",), ("batch",)])
def test_bare_command_prints_its_help(personas: Personas, words: tuple[str, ...]) -> None:
    code, out, err = personas(*words)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: personas ")
    assert personas(*words, "--help") == (0, err, "")


def test_debug_shows_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PERSONAS_DEBUG", "")
    monkeypatch.setattr(sys, "argv", ["personas", "--debug", "generate", "absent.yaml"])
    with pytest.raises(ValueError, match=r"absent\.yaml"):
        main()
    assert capsys.readouterr().err == ""


def test_machine_limits_are_not_wrong_usage(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    finding = Finding("unicode", "error", "persona", "x" * 10_000)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(WriterError) as full, FindingsWriter(tmp_path / "findings.jsonl") as writer:
            writer.write(0, "u", (finding,))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = "findings cannot be written (File too large); name a file in a folder with room"
    assert failure.describe(full.value) == (f"{tmp_path}/findings.jsonl: {said}", 1)
    assert failure.describe(WriterError("x: findings are written as .parquet"))[1] == 2
    said, code = failure.describe(MemoryError("Unable to allocate 9 GiB"))
    assert (said, code) == (
        "out of memory (Unable to allocate 9 GiB); end other processes, or use a machine with more",
        1,
    )
