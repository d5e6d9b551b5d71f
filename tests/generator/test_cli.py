import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from persona_engine.census_priors.priors import Priors
from persona_engine.generator.cli.main import main
from persona_engine.generator.population import Population
from persona_engine.generator.run.schema import NEMOTRON
from persona_engine.prompts.template import PromptSet

QUICKSTART = Path(__file__).parents[2] / "configs" / "quickstart.yaml"
VLLM = QUICKSTART.with_name("vllm-mistral-nemo.yaml")

Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def population() -> Population:
    return Population.load("en_US")


@pytest.fixture
def personas(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], population: Population
) -> Personas:
    """Run a command line in this process: exit code, stdout, stderr. The population is loaded once for all."""
    load = Population.load
    monkeypatch.setattr(Population, "load", lambda locale: population if locale == "en_US" else load(locale))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["personas", *map(str, words)])
        monkeypatch.delenv("PERSONAS_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def one_line(err: str) -> str:
    """The last line of stderr, which must be the only one that is not progress."""
    lines = [line for line in err.splitlines() if not re.match(r"\d+ of \d+ rows|note: ", line)]
    assert len(lines) == 1, err
    return lines[0]


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(file) for file in sorted((folder / "personas").glob("*.parquet")))


def test_help_is_instant() -> None:
    command = [sys.executable, "-c", "from persona_engine.generator.cli.main import main; main()", "--help"]
    best = 9.0
    for _ in range(3):
        began = time.perf_counter()
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        best = min(best, time.perf_counter() - began)
    assert "generate" in said
    assert best < 0.4


def test_the_quickstart_writes_a_whole_run_folder(personas: Personas, tmp_path: Path) -> None:
    code, out, _ = personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 20)
    assert (code, out) == (0, f"{tmp_path / 'run'}: 20 rows\n")
    kept = {item.name for item in (tmp_path / "run").iterdir()}
    assert kept == {
        ".lock",
        "README.md",
        "config.yaml",
        "manifest.json",
        "personas",
        "report.html",
        "report.json",
    }
    frame = rows_of(tmp_path / "run")
    assert tuple(frame.columns) == NEMOTRON
    assert len(frame) == frame["uuid"].nunique() == 20
    assert frame["zipcode"].str.fullmatch(r"\d{5}").all()


def test_a_run_folder_loads_as_a_dataset_with_the_narrators_notice_in_its_card(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 5)
    loaded = datasets.load_dataset(str(tmp_path / "run"), split="train", cache_dir=str(tmp_path / "cache"))
    assert tuple(loaded.column_names) == NEMOTRON
    assert isinstance(loaded[0]["skills_and_expertise_list"], list)
    card = (tmp_path / "run/README.md").read_text()
    assert "offline narrator" in card
    assert "O\\*NET" in card
    assert "coincidence" in card


def test_the_same_config_writes_the_same_bytes_and_again_changes_nothing(
    personas: Personas, tmp_path: Path
) -> None:
    for name in ("one", "other", "one"):
        personas("generate", QUICKSTART, "-o", tmp_path / name, "-n", 8)
    for file in ("personas/part-00000.parquet", "report.json", "report.html", "README.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_more_rows_extend_a_run_to_what_it_would_have_been_at_once(
    personas: Personas, tmp_path: Path
) -> None:
    small = ("--set", "output.shard_rows=4")
    personas("generate", QUICKSTART, "-o", tmp_path / "grown", "-n", 6, *small)
    assert personas("generate", QUICKSTART, "-o", tmp_path / "grown", "-n", 10, *small)[0] == 0
    personas("generate", QUICKSTART, "-o", tmp_path / "at-once", "-n", 10, *small)
    pd.testing.assert_frame_equal(rows_of(tmp_path / "grown"), rows_of(tmp_path / "at-once"))


def test_another_seed_in_the_same_folder_is_refused_with_the_difference(
    personas: Personas, tmp_path: Path
) -> None:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 4)
    code, out, err = personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 4, "--seed", 5)
    assert (code, out) == (2, "")
    assert "seed: 20250610 in the folder, 5 now" in one_line(err)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("generate", QUICKSTART, "--set", "colour=red"),
            "unknown key 'colour'; known there: input, judge, llm, locale",
        ),
        (("generate", "absent.yaml"), "absent.yaml: cannot be read"),
        (("generate", QUICKSTART, "--set", "locale=xx_YY"), "xx_YY"),
        (("generate", QUICKSTART, "--set", "prompts.set=xx_YY"), "unknown prompt set 'xx_YY'; known: en_US"),
        (
            ("generate", QUICKSTART, "--set", "validation.policy={stated_aeg: off}"),
            "unknown rule 'stated_aeg'",
        ),
        (("generate", QUICKSTART, "--where", "{state: NY}"), "--where: not valid JSON"),
        (("generate", QUICKSTART, "--where", '{"planet": "Mars"}'), "planet"),
        (("generate", QUICKSTART, "--where", '{"state": "Ontario"}'), "Ontario"),
        (("sample", "--where", '["NY"]', "-n", "2"), "give an object of attribute and condition"),
        (("sample", "-o", "people.xls", "-n", "2"), "unknown suffix '.xls'"),
        (("validate", "absent.parquet"), "absent.parquet: no dataset there"),
        (("compare", "absent.parquet", "absent.parquet"), "absent.parquet: no dataset there"),
    ],
)
def test_wrong_input_is_one_line_with_the_remedy_and_leaves_nothing(
    personas: Personas,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[object, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = personas(*words)
    assert (code, out) == (2, "")
    assert said in one_line(err)
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_printed_and_nothing_else(personas: Personas) -> None:
    assert personas("--version") == (0, f"{version('persona-engine')}\n", "")


@pytest.mark.parametrize("words", [("sample", "-n", "0"), ("sample", "--schema", "x"), ("fly",)])
def test_wrong_usage_exits_with_2(personas: Personas, words: tuple[str, ...]) -> None:
    assert personas(*words)[0] == 2


def test_debug_shows_where_an_error_came_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERSONAS_DEBUG", "")
    monkeypatch.setattr(sys, "argv", ["personas", "--debug", "generate", "absent.yaml"])
    with pytest.raises(ValueError, match=r"absent\.yaml"):
        main()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_sample_writes_context_columns_in_schema_order(
    personas: Personas, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"people.{suffix}"
    code, out, _ = personas("sample", "-n", 30, "--seed", 3, "--schema", "nemotron", "-o", file)
    assert (code, out) == (0, "")
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda f: pd.read_json(f, lines=True)}
    frame = read[suffix](file)
    assert len(frame) == 30
    assert list(frame) == [name for name in NEMOTRON if name in set(frame)]
    assert {"uuid", "sex", "age", "occupation", "zipcode", "country"} <= set(frame)


def test_sample_in_full_has_names_traits_and_everything_else_that_is_known(
    personas: Personas, tmp_path: Path
) -> None:
    personas("sample", "-n", 30, "--schema", "full", "-o", tmp_path / "people.parquet")
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert {"ethnicity", "labor_force_status", "occupation_code", "county", "first_name"} <= set(frame)
    assert {"middle_name", "last_name", "openness", "openness_label", "row"} <= set(frame)
    assert frame["age"].between(18, 120).all()


def test_sample_prints_json_lines_that_depend_on_the_seed_alone() -> None:
    command = [sys.executable, "-c", "from persona_engine.generator.cli.main import main; main()", "sample"]
    first, again, other = (
        subprocess.run([*command, "-n", "3", "--seed", seed], capture_output=True, check=True).stdout
        for seed in ("1", "1", "2")
    )
    assert first == again != other
    assert [set(json.loads(line)) >= {"uuid", "age"} for line in first.splitlines()] == [True] * 3


def test_sample_is_conditioned_by_where(personas: Personas, tmp_path: Path) -> None:
    where = json.dumps({"state": ["NY", "VT"], "age": "30-45"})
    personas("sample", "-n", 50, "--where", where, "-o", tmp_path / "people.parquet")
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert set(frame["state"]) <= {"NY", "VT"}
    assert frame["age"].between(30, 45).all()


def test_a_sample_that_fails_leaves_the_earlier_file(personas: Personas, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("kept")
    assert personas("sample", "-n", 5, "--where", '{"planet": "Mars"}', "-o", file)[0] == 2
    assert [item.name for item in tmp_path.iterdir()] == ["people.csv"]
    assert file.read_text() == "kept"


def test_preview_prints_personas_and_writes_nothing(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = personas("preview", QUICKSTART, "-n", 2, "--json")
    assert code == 0
    assert [json.loads(line)["row"] for line in out.splitlines()] == [0, 1]
    assert list(tmp_path.iterdir()) == []


def test_validate_judges_a_run_and_an_altered_file(personas: Personas, tmp_path: Path) -> None:
    personas("generate", QUICKSTART, "-o", tmp_path / "run", "-n", 10)
    code, out, _ = personas("validate", tmp_path / "run", "--json")
    assert code == 0
    assert (json.loads(out)["rows"], json.loads(out)["rejected_rows"]) == (10, 0)
    frame = rows_of(tmp_path / "run").assign(age=7)
    frame.to_parquet(tmp_path / "minors.parquet")
    code, out, err = personas("validate", tmp_path / "minors.parquet", "--json")
    assert code == 1
    assert json.loads(out)["by_rule"]["age_bounds"]["error"] == 10
    assert "10 of 10 rows have errors" in one_line(err)


def test_compare_tells_the_same_from_the_different(personas: Personas, tmp_path: Path) -> None:
    for seed in (1, 2):
        personas("sample", "-n", 200, "--seed", seed, "-o", tmp_path / f"{seed}.parquet")
    same = json.loads(personas("compare", tmp_path / "1.parquet", tmp_path / "1.parquet", "--json")[1])
    other = json.loads(personas("compare", tmp_path / "1.parquet", tmp_path / "2.parquet", "--json")[1])
    assert set(same["tvd"].values()) == {0.0}
    assert 0 < other["tvd"]["sex x age"] < 1


def test_report_of_a_file_stands_beside_it(personas: Personas, tmp_path: Path) -> None:
    personas("sample", "-n", 100, "--schema", "full", "-o", tmp_path / "people.parquet")
    code, out, _ = personas("report", tmp_path / "people.parquet")
    assert (code, out.strip()) == (0, str(tmp_path / "report.html"))
    numbers: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    assert numbers["rows"] == 100
    assert {"attributes", "tvd", "floor", "limit", "passes", "unknown"} <= set(numbers["fidelity"][0])


def test_check_and_prompts_check_find_the_shipped_ones_sound(personas: Personas) -> None:
    assert personas("check", QUICKSTART)[0] == 0
    assert personas("prompts", "check")[0] == 0
    assert "unknown prompt set" in one_line(personas("prompts", "check", "xx_YY")[1])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("target={nope: uniform}", "target.nope: unknown attribute 'nope'"),
        ("where={state: ca}", "where.state: unknown value 'ca'; did you mean CA?"),
        ("validation.policy={x: off}", "unknown rule 'x'"),
        ("input=absent.parquet", "absent.parquet: no dataset there"),
        ("prompts.narratives=[nope]", "unknown narrative 'nope'"),
        ("prompts.set=mine", "mine/attributes.j2: unknown variables: nonsense (attributes.j2:"),
        ("{narratives: [x]}", "write it as section.key=value"),
    ],
)
def test_check_finds_what_would_end_a_run(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, override: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if "mine" in override:
        shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "mine")
        (tmp_path / "mine/sample.yaml").unlink()  # without which it is not linted
        template = tmp_path / "mine/attributes.j2"
        template.write_text(
            template.read_text().replace("{% block user %}", "{% block user %}{{ nonsense }}")
        )
    code, _, err = personas("check", QUICKSTART, "--set", override)
    assert code == 2
    assert said in one_line(err)


def test_check_finds_a_text_that_the_offline_narrator_cannot_write(
    personas: Personas, tmp_path: Path
) -> None:
    shutil.copytree(PromptSet.load("en_US").folder, tmp_path / "mine")
    field = "{name: pets, kind: text, description: Pets., min: 10, max: 200}"
    (tmp_path / "mine/narratives/pets.j2").write_text(f"---\nfields: [{field}]\n---\nSay of pets.\n")
    more = ("--set", f"prompts.set={tmp_path / 'mine'}", "--set", "prompts.narratives=[pets]")
    code, _, err = personas("check", QUICKSTART, *more)
    assert code == 1
    assert "pets" in one_line(err)


def test_priors_are_listed_and_shown(personas: Personas) -> None:
    assert "en_US" in json.loads(personas("priors", "list", "--json")[1])
    shown = json.loads(personas("priors", "show", "--json")[1])
    sex = next(item for item in shown["attributes"] if item["name"] == "sex")
    assert sex["states"] == {"Male": "male", "Female": "female"}


def test_priors_check_finds_the_shipped_tables_sound(personas: Personas) -> None:
    code, out, _ = personas("priors", "check", "--json")
    found = json.loads(out)
    assert (code, found["passed"]) == (0, True)
    assert len(found["verdicts"]) > 15


def test_priors_check_names_a_table_that_is_negative(personas: Personas, tmp_path: Path) -> None:
    shutil.copytree(Priors.load("en_US").folder, tmp_path / "xx")
    broken = tmp_path / "xx/tables/state-occupation.parquet"
    table = pd.read_parquet(broken)
    weights = next(name for name in table if name.startswith("weight"))
    table.loc[0, weights] = -3
    table.to_parquet(broken)
    code, out, err = personas("priors", "check", tmp_path / "xx")
    assert code == 1
    assert "state-occupation.parquet" in out
    assert "2 of 19 checks failed" in one_line(err)


def test_priors_query_answers_from_the_model_under_a_condition(personas: Personas) -> None:
    code, out, _ = personas("priors", "query", "sex", "--where", '{"state": "NY"}', "--json")
    found = json.loads(out)
    assert code == 0
    assert 0.05 < found["probability"] < 0.07
    assert sum(probability for _, probability in found["cells"]) == pytest.approx(1)
    assert "unknown attribute" in one_line(personas("priors", "query", "planet")[2])


def served(server: Any) -> tuple[object, ...]:
    return ("--set", f"llm.base_url={server.base_url}", "--set", f"llm.model={server.model}")


def test_an_endpoint_narrates_a_run_and_its_key_is_written_nowhere(
    personas: Personas, tmp_path: Path, chat_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server = chat_server("--key", "sk-very-secret")
    code, out, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 12, *served(server))
    assert code == 0, err
    written = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert not any(b"sk-very-secret" in file.read_bytes() for file in written)
    assert "sk-very-secret" not in out + err
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["accepted"] == 12
    assert manifest["completion_tokens"] > 0


def test_a_shortfall_is_the_headline_and_the_same_command_tries_the_rows_again(
    personas: Personas, tmp_path: Path, chat_server: Callable[..., Any]
) -> None:
    bounds = ("--set", "validation.max_attempts=1", "--set", "validation.max_repairs=0")
    refusing = chat_server("--fault", "refusal=0.3")
    folder = tmp_path / "run"
    code, _, err = personas("generate", VLLM, "-o", folder, "-n", 12, *served(refusing), *bounds)
    rejected = [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]
    assert code == 1
    assert f"{len(rejected)} of 12 rows are missing ({len(rejected)} rejected" in one_line(err)
    assert all(entry["reasons"] and entry["uuid"] for entry in rejected)
    assert len(rows_of(folder)) == 12 - len(rejected)
    willing = chat_server()
    assert personas("generate", VLLM, "-o", folder, "-n", 12, *served(willing), *bounds)[0] == 0
    assert len(rows_of(folder)) == 12
    assert (folder / "rejected.jsonl").read_text() == ""
    assert willing.stats()["requests"] <= 1 + 4 * len(rejected)


def test_a_missing_endpoint_is_one_line_exit_1_and_no_folder(personas: Personas, tmp_path: Path) -> None:
    nowhere = ("--set", "llm.base_url=http://127.0.0.1:9/v1", "--set", "llm.max_retries=0")
    code, _, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 2, *nowhere)
    assert code == 1
    assert "http://127.0.0.1:9/v1" in one_line(err)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_is_one_line_exit_1_and_no_folder(
    personas: Personas, tmp_path: Path, chat_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    server = chat_server("--key", "sk-right")
    code, _, err = personas("generate", VLLM, "-o", tmp_path / "run", "-n", 2, *served(server))
    assert code == 1
    assert "sk-wrong" not in one_line(err)
    assert list(tmp_path.iterdir()) == []


def start(folder: Path, server: Any) -> subprocess.Popen[str]:
    code = "from persona_engine.generator.cli.main import main; main()"
    words = ["generate", VLLM, "-o", folder, "-n", 60, *served(server)]
    words += ["--set", "output.shard_rows=10", "--set", "llm.concurrency=4"]
    command = [sys.executable, "-c", code, *map(str, words)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    deadline = time.monotonic() + 60
    while not (folder / "personas/part-00000.parquet").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def resumed(personas: Personas, folder: Path, server: Any) -> pd.DataFrame:
    small = ("--set", "output.shard_rows=10", "--set", "llm.concurrency=4")
    code, _, err = personas("generate", VLLM, "-o", folder, "-n", 60, *served(server), *small)
    assert code == 0, err
    return rows_of(folder)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_resumes_to_what_it_would_have_been(
    personas: Personas, tmp_path: Path, chat_server: Callable[..., Any], how: signal.Signals
) -> None:
    server = chat_server("--latency", "0.1")
    process = start(tmp_path / "cut", server)
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert process.returncode == 1
        assert "rows are missing (stopped); the same command" in err
        assert json.loads((tmp_path / "cut/manifest.json").read_text())["state"] == "stopped"
    before = server.stats()["requests"]
    cut = resumed(personas, tmp_path / "cut", server)
    repeated = server.stats()["requests"] - before
    pd.testing.assert_frame_equal(cut, resumed(personas, tmp_path / "whole", server))
    assert repeated < 2 * 60


def test_two_presses_of_ctrl_c_stop_at_once(tmp_path: Path, chat_server: Callable[..., Any]) -> None:
    server = chat_server("--latency", "3")
    code = "from persona_engine.generator.cli.main import main; main()"
    words = ["generate", VLLM, "-o", tmp_path / "run", "-n", 60, *served(server)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    # Beyond the probe: rows are in flight, and their answers three seconds away.
    while not (tmp_path / "run/journal").exists() or server.stats()["requests"] < 10:
        time.sleep(0.02)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 2.5
    assert process.returncode == 1
    assert "Traceback" not in err
