"""The example notebooks, executed from the first cell to the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ChatServer
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


def _executed(name: str, folder: Path) -> Any:
    book = nbformat.read(EXAMPLES / name, as_version=4)
    NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return book


def _outputs(book: Any) -> str:
    return json.dumps([cell.get("outputs", []) for cell in book.cells])


def test_analysis_runs(tmp_path: Path) -> None:
    shown = _outputs(_executed("analysis.ipynb", tmp_path))
    assert "800 people, worth" in shown
    assert "lower" in shown


def test_survey_asks_the_panel(
    tmp_path: Path, calm_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", calm_server.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    before = calm_server.stats()
    shown = _outputs(_executed("survey_simulation.ipynb", tmp_path))
    assert "100% chose the first option; the order decides" in shown
    assert "120 people, worth" in shown
    assert calm_server.stats() != before
