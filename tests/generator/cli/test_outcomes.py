"""A command that fails ends with an exit code (docs/reference/limits.md) and one line, and destroys nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

QUICKSTART = Path(__file__).parents[3] / "configs/quickstart.yaml"
VLLM = QUICKSTART.with_name("vllm-mistral-nemo.yaml")

Personas = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_no_command_overwrites_its_input(personas: Personas, here: Path) -> None:
    assert personas("generate", QUICKSTART, "-n", 3, "-o", "run")[0] == 0
    shutil.copy(QUICKSTART, "config.yaml")
    batch = {"rows": 2, "llm": {"backend": "openai", "model": "m"}}
    Path("batch.yaml").write_text(json.dumps(batch))
    os.mkfifo("pipe.jsonl")
    before = content(here)
    part = "run/personas/part-00000.parquet"
    tries: list[tuple[Any, ...]] = [
        *(
            ("sample", "-n", 1, "-o", place)
            for place in ("run/x.csv", part, "/dev/null", "config.yaml", "run")
        ),
        *(("sample", "-n", 1, "-o", place) for place in ("absent/x.csv", "-", "/dev/stdout", "pipe.jsonl")),
        *(
            ("batch", "export", "batch.yaml", "--run", "new", "-o", place)
            for place in (
                "/dev/null",
                "run/manifest.json",
                "run/rejected/part-00000.jsonl",
                "batch.yaml",
                "pipe.jsonl",
                "-",
            )
        ),
        ("batch", "export", "batch.yaml", "--run", "run/journal", "-o", "ask.jsonl"),
        ("batch", "export", "batch.yaml", "--run", "new.jsonl", "-o", "ask.jsonl"),
        ("validate", part, "--findings", part),
        ("validate", "run", "--findings", "run/personas/x.parquet"),
        ("validate", "run", "--findings", "/dev/null"),
        ("validate", "run", "--report", "run/manifest.html"),
        ("validate", "run", "--report", "run/report.html"),
        ("validate", "run", "--report", "run/personas"),
        ("validate", "run", "--report", "/dev/null"),
        ("report", "run", "-o", "run/journal"),
        ("report", part),
        ("report", "run", "-o", "pipe.jsonl"),
        *(
            ("generate", QUICKSTART, "-o", place)
            for place in ("out.csv", "run/personas/x", "config.yaml", "-")
        ),
        *(("narrate", "run", "-o", place) for place in ("run", "out.parquet", "/dev/null")),
        *(("priors", "plot", "-o", place) for place in ("run/x.svg", "/dev/null", "absent/x.svg", "x.pdf")),
        *(
            ("priors", "build", "--pums", "run", "-o", place)
            for place in ("run", ".", "config.yaml", "run/x")
        ),
    ]
    for words in tries:
        code, out, err = personas(*words)
        lines = [line for line in err.splitlines() if "rare facts are flagged" not in line]
        assert (code, len(lines), out) == (2, 1, ""), (words, code, out, err)
        assert "internal error" not in err, (words, err)
        assert content(here) == before, words
    assert Path("/dev/null").is_char_device()


def test_special_files_are_not_waited_for(personas: Personas) -> None:
    os.mkfifo("pipe")
    for suffix in (".parquet", ".csv", ".jsonl", ".yaml"):
        Path(f"x{suffix}").symlink_to("pipe")
        Path(f"z{suffix}").symlink_to("/dev/zero")
        Path(f"d{suffix}").mkdir()
    Path("set").mkdir()
    Path("set/attributes.j2").symlink_to("../pipe")
    batch = {"rows": 2, "llm": {"backend": "openai", "model": "m"}}
    Path("batch.yaml").write_text(json.dumps(batch))
    datasets = [f"{kind}{suffix}" for kind in "xzd" for suffix in (".parquet", ".csv", ".jsonl")]
    tries: list[tuple[Any, ...]] = [
        *((word, place) for word in ("narrate", "validate", "report") for place in datasets),
        *(("compare", place, place) for place in datasets[::2]),
        *(
            (word, place)
            for word in ("generate", "preview", "estimate", "check")
            for place in ("x.yaml", "d.yaml")
        ),
        *(("batch", "import", "batch.yaml", place) for place in ("x.jsonl", "z.jsonl", "d.jsonl")),
        ("sample", "--quota", '{"sex": "x.csv"}'),
        ("sample", "--target", '{"sex": "z.parquet"}'),
        ("sample", "z.yaml"),
    ]
    for words in tries:
        code, _, err = personas(*words)
        assert (code, len(err.splitlines())) == (2, 1), (words, code, err)
        assert "internal error" not in err, (words, err)
    assert personas("prompts", "check", "set")[0] == 1


def test_file_is_replaced_whole(personas: Personas) -> None:
    assert personas("sample", "-n", 2, "-o", "a.csv")[0] == 0
    Path("a.csv").chmod(0o600)
    Path("link.csv").symlink_to("a.csv")
    assert personas("sample", "-n", 3, "-o", "link.csv")[0] == 0
    assert Path("link.csv").is_symlink()
    assert len(pd.read_csv("a.csv")) == 3
    assert Path("a.csv").stat().st_mode & 0o777 == 0o600


def test_config_paths_start_from_its_folder(
    personas: Personas, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = here / "home"
    shutil.copytree(Path(__file__).parents[3] / "prompts/en_US", home / "mine")
    (home / "shares.csv").write_text("sex,weight\nFemale,1\nMale,3\n")
    (home / "run.yaml").write_text(json.dumps({"rows": 2, "prompts": {"set": "mine"}}))
    (home / "people.yaml").write_text(json.dumps({"rows": 4, "quota": {"sex": "shares.csv"}}))
    assert personas("generate", home / "run.yaml", "-o", "run")[0] == 0
    code, out, err = personas("sample", home / "people.yaml")
    assert code == 0, err
    assert [json.loads(line)["sex"] for line in out.splitlines()].count("Female") == 1
    monkeypatch.chdir(home)
    code, _, err = personas("generate", "run.yaml", "-o", here / "run", "-n", 3)
    assert code == 0, err
    monkeypatch.chdir("/")
    assert personas("report", here / "run")[0] == 0


def test_numeric_zip_codes_are_read(personas: Personas) -> None:
    personas("sample", "-n", 3, "--where", '{"state": "NJ"}', "-o", "people.csv")
    people = pd.read_csv("people.csv", dtype={"zipcode": str})
    zips = people["zipcode"].tolist()
    for kind in ("float64", "int64"):
        people.assign(zipcode=people["zipcode"].astype("int64").astype(kind)).to_parquet("people.parquet")
        code, _, err = personas("narrate", "people.parquet", "-o", kind)
        assert code == 0, err
        assert pd.read_parquet(f"{kind}/personas")["zipcode"].tolist() == zips


def test_hostile_run_files_are_refused(personas: Personas) -> None:
    assert personas("generate", QUICKSTART, "-n", 2, "-o", "run")[0] == 0
    manifest = json.loads(Path("run/manifest.json").read_text())
    manifests = [
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b"{}",
        *(json.dumps(manifest | change).encode() for change in (
            {"rows": "many"}, {"rows": 10**400}, {"rows": -1}, {"cost": float("nan")}, {"identity": []},
            {"identity": {}}, {"identity": {"digests": "x"}}, {"endpoint": 3}, {"notes": 1}, {"format": 2},
        )),
    ]  # fmt: skip
    for spoilt in manifests:
        Path("run/manifest.json").write_bytes(spoilt)
        code, _, err = personas("report", "run")
        assert (code, len(err.splitlines())) == (2, 1), (spoilt[:80], err)
        assert "run/manifest.json: not a manifest" in err
    for words in (("generate", QUICKSTART, "-n", 2, "-o", "run"), ("validate", "run"), ("narrate", "run")):
        assert "run/manifest.json: not a manifest" in personas(*words)[2]
    Path("run/manifest.json").write_text(json.dumps(manifest))
    for config in (b"\xff", b"[1]", b"rows: [", b"nope: 1"):
        Path("run/config.yaml").write_bytes(config)
        code, _, err = personas("report", "run")
        assert (code, len(err.splitlines())) == (2, 1), (config, err)
    Path("run/config.yaml").unlink()
    lines = [b"\xff", b"[" * 5000, b'{"shard": "0", "reasons": 3}', b'{"shard": 0, "reasons": [1]}']
    Path("run/rejected.jsonl").write_bytes(b"\n".join(lines))
    assert personas("generate", QUICKSTART, "-n", 3, "-o", "run")[0] == 0


def test_odd_file_names_crash_nothing(personas: Personas) -> None:
    assert personas("sample", "-n", 2, "-o", "a\nb.csv")[0] == 0
    assert personas("validate", "a\nb.csv")[0] == 0
    bad = os.fsdecode(b"\xff.csv")
    Path(bad).write_text("sex,age\n")
    for words in (("sample", "-n", 2, "-o", bad), ("narrate", bad), ("validate", bad), ("sample", bad)):
        code, _, err = personas(*words)
        assert (code, len(err.splitlines())) == (2, 1)
        assert "\\udcff.csv: is not UTF-8 text; write it in UTF-8, or rename the file that it names" in err


def test_part_of_another_run_is_replaced(personas: Personas, here: Path) -> None:
    shards = ("--set", "output.shard_rows=3")
    for folder, seed in (("run", 1), ("other", 2)):
        assert personas("generate", QUICKSTART, "-n", 6, "--seed", seed, "-o", folder, *shards)[0] == 0
    before = content(here / "run")
    part = "personas/part-00001.parquet"
    shutil.copy(here / "other" / part, here / "run" / part)
    code, _, err = personas("report", "run")
    assert code == 2
    assert "part-00001.parquet: is damaged or was changed" in err
    assert personas("generate", QUICKSTART, "-n", 6, "--seed", 1, "-o", "run", *shards)[0] == 0
    assert content(here / "run")[part] == before[part]


def test_report_replaces_only_a_report(personas: Personas) -> None:
    assert personas("sample", "-n", 300, "-o", "people.parquet")[0] == 0
    Path("report.html").write_text("<p>precious</p>")
    code, _, err = personas("report", "people.parquet")
    assert code == 2
    assert "report.html: is not a report of this package and would be replaced" in err
    assert Path("report.html").read_text() == "<p>precious</p>"
    Path("report.html").unlink()
    assert personas("report", "people.parquet")[0] == 0
    assert personas("report", "people.parquet")[0] == 0


def test_message_is_printable_and_bounded(personas: Personas) -> None:
    _, _, err = personas("sample", "-n", 1, "--where", json.dumps({"\x1b[31mx": "1"}))
    assert "\x1b" not in err
    _, _, err = personas("sample", "-n", 1, "--where", json.dumps({"x" * 100_000: "1"}))
    assert len(err) < 5_000
    _, _, err = personas("sample", "-n", 1, "-o", "a\x1b[31mb.csv")
    assert "\x1b" not in err


def test_interrupted_start_ends_with_130() -> None:
    code = """
import sys
from census_personas.__main__ import main
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "census_personas.generator.cli.main":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stop())
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "personas: interrupted\n")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:1/v1", "http://", "ftp://x/v1", "http://127.0.0.1:0/v1", "http://a b/v1"]
)
def test_invalid_url_is_a_wrong_config(personas: Personas, url: str) -> None:
    options = ("--set", "llm.backend=openai", "--set", "llm.model=m", "--set", f"llm.base_url={url}")
    code, _, err = personas("generate", QUICKSTART, "-n", 2, "-o", "run", *options)
    assert code == 2
    assert "http" in err
    assert not Path("run").exists()
