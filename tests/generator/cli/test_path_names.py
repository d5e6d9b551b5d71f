"""Names that are not UTF-8 text, as of files from other systems, in every place that takes a path."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from census_personas.generator.config.config_file import from_values
from census_personas.generator.config.run_config import ConfigError

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"
BAD = os.fsdecode(b"\xff")

Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("csv", "yaml", "jsonl", "parquet"):
        Path(f"{BAD}.{suffix}").write_text("age,sex\n30,f\n")
    Path("people.csv").write_text("age,sex\n30,f\n")
    Path("batch.yaml").write_text(json.dumps({"rows": 2, "llm": {"backend": "openai", "model": "m"}}))


@pytest.mark.parametrize(
    "words",
    [
        ("generate", f"{BAD}.yaml"),
        ("generate", QUICKSTART, "-o", BAD),
        ("preview", f"{BAD}.yaml"),
        ("preview", QUICKSTART, "--people", f"{BAD}.csv"),
        ("estimate", f"{BAD}.yaml"),
        ("check", f"{BAD}.yaml"),
        ("sample", f"{BAD}.yaml"),
        ("sample", "-o", f"{BAD}.csv"),
        ("narrate", f"{BAD}.csv"),
        ("narrate", f"{BAD}.csv", "--plan"),
        ("narrate", "people.csv", "-o", BAD),
        ("narrate", "people.csv", "-c", f"{BAD}.yaml"),
        ("complete", f"{BAD}.csv", "-o", "out.csv"),
        ("complete", f"{BAD}.csv", "--plan"),
        ("complete", "people.csv", "-o", f"{BAD}.csv"),
        ("complete", "people.csv", "-o", "out.csv", "--locale", BAD),
        ("validate", f"{BAD}.csv"),
        ("validate", "people.csv", "--findings", f"{BAD}.parquet"),
        ("validate", "people.csv", "--report", BAD),
        ("validate", "people.csv", "--locale", BAD),
        ("validate", "people.csv", "--plugins", BAD),
        ("report", f"{BAD}.csv"),
        ("report", "people.csv", "-o", BAD),
        ("compare", "people.csv", f"{BAD}.csv"),
        ("merge", BAD, "-o", "out"),
        ("merge", "one", "-o", BAD),
        ("batch", "export", "batch.yaml", "-o", f"{BAD}.jsonl"),
        ("batch", "export", f"{BAD}.yaml", "-o", "ask.jsonl"),
        ("batch", "export", "batch.yaml", "-o", "ask.jsonl", "--run", BAD),
        ("batch", "import", BAD, "answers.jsonl"),
        ("batch", "submit", "batch.yaml", "--run", BAD),
        ("batch", "submit", f"{BAD}.yaml"),
        ("batch", "poll", BAD),
        ("prompts", "check", BAD),
        ("priors", "show", BAD),
        ("priors", "check", BAD),
        ("priors", "plot", "-o", f"{BAD}.svg"),
        ("priors", "build", "-o", BAD),
        ("locale", "check", BAD),
        ("locale", "new", BAD),
        ("plugins", "check", BAD),
    ],
    ids=lambda words: " ".join(map(str, words)).replace(BAD, "X").replace(str(QUICKSTART), "quickstart"),
)
def test_undecodable_name_is_one_line(personas: Personas, words: tuple[Any, ...]) -> None:
    before = sorted(Path.cwd().rglob("*"))
    code, out, err = personas(*words)
    assert (code, out, len(err.splitlines())) == (2, "", 1), (code, out, err)
    assert "\\udcff" in err
    assert "UTF-8 text; " in err
    assert sorted(Path.cwd().rglob("*")) == before


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"locale": BAD}, "locale"),
        ({"input": BAD}, "input.file"),
        ({"input": {"file": "people.csv", "key": BAD}}, "input.key"),
        ({"input": {"file": "people.csv", "columns": {"age": BAD}}}, "input.columns.age"),
        ({"input": {"file": "people.csv", "values": {"sex": {"f": BAD}}}}, "input.values"),
        ({"plugins": [BAD]}, "plugins.0"),
        ({"prompts": {"set": BAD}}, "prompts.set"),
        ({"quota": {"sex": f"{BAD}.csv"}}, "quota.sex"),
        ({"llm": {"client_cert": BAD}}, "llm.client_cert"),
        ({"runtime": {"staging": BAD}}, "runtime.staging"),
    ],
)
def test_a_config_value_that_is_no_text_is_named(section: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(place)) as raised:
        from_values(section)
    assert "is not UTF-8 text; write it in UTF-8" in str(raised.value)


@pytest.mark.parametrize(
    "words", [("--set", f"llm.headers.X-Key=hunter2{BAD}"), (f"--set=llm.headers.X=hunter2{BAD}",)]
)
def test_undecodable_setting_is_not_repeated(personas: Personas, words: tuple[str, ...]) -> None:
    code, _, err = personas("generate", QUICKSTART, *words)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "is not UTF-8 text" in err
    assert "hunter2" not in err
