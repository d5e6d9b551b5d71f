"""Every config of `configs/`, checked without an endpoint."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[3] / "configs"
NAMES = sorted(path.name for path in CONFIGS.glob("*.yaml"))
REWRITE = "rewrite.yaml"

Personas = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("name", [name for name in NAMES if name != REWRITE])
def test_config_passes_the_offline_check(
    name: str, personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    code, out, err = personas("check", "--offline", CONFIGS / name)
    assert (code, err) == (0, "")
    assert re.search(r"^run folder: runs/[\w-]+, new$", out, re.MULTILINE)
    assert ("=== personas: asks for" in out) == ("backend: openai" in (CONFIGS / name).read_text("utf-8"))


def test_quickstart_dataset_can_be_rewritten(
    personas: Personas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(CONFIGS, "configs")
    assert personas("generate", "configs/quickstart.yaml", "-n", 5)[0] == 0
    code, out, err = personas("check", "--offline", f"configs/{REWRITE}", "--set", "rows=5")
    assert (code, err) == (0, "")
    assert f"input: {tmp_path}/runs/quickstart, 5 rows\n" in out


@pytest.mark.parametrize("name", NAMES)
def test_config_names_its_command(name: str) -> None:
    text = (CONFIGS / name).read_text(encoding="utf-8")
    assert re.search(rf"^#   personas generate configs/{re.escape(name)}", text, re.MULTILINE)


@pytest.mark.parametrize("path", sorted((CONFIGS / "experiments").glob("*.yaml")), ids=lambda path: path.name)
def test_experiment_can_be_planned(path: Path, personas: Personas) -> None:
    code, out, err = personas("experiment", "plan", path)
    assert (code, err) == (0, "")
    assert "cannot run" not in out
