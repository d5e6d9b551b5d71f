"""The texts of a run are checked in the language of its prompts."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from census_personas.generator.run.text_language import language_of_texts

EXAMPLE = Path(__file__).parents[3] / "examples/puerto_rico"


def run_with(folder: Path, prompts: Path | str) -> Path:
    """What a run of these prompts has, as far as its language needs it."""
    folder.mkdir()
    (folder / "config.yaml").write_text(f"prompts: {{set: {prompts}}}\n", encoding="utf-8")
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    return folder


def test_language_is_the_prompt_sets(tmp_path: Path) -> None:
    assert language_of_texts(run_with(tmp_path / "en", "en_US")) == "en"
    assert language_of_texts(run_with(tmp_path / "es", EXAMPLE / "prompts")) == "es"


def test_locale_gives_the_default(
    tmp_path: Path,
) -> None:
    assert language_of_texts(tmp_path / "rows.parquet") is None
    prompts = Path(shutil.copytree(EXAMPLE / "prompts", tmp_path / "prompts"))
    (prompts / "set.yaml").unlink()
    assert language_of_texts(run_with(tmp_path / "run", prompts)) is None


@pytest.mark.parametrize("prompts", ["gone", "[]"])
def test_unreadable_set_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, prompts: str
) -> None:
    with caplog.at_level(logging.WARNING):
        assert language_of_texts(run_with(tmp_path / "run", prompts)) is None
    assert "its texts are checked in the language of the locale" in caplog.text
