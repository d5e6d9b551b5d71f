"""The examples of the Python page, run in order like notebook cells."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import census_personas

PAGE = Path(__file__).parents[2] / "docs/reference/python-api.md"


async def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    cells = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for cell in cells:
        code = compile(cell, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        awaited = eval(code, names)  # noqa: S307  the project's own page
        if inspect.isawaitable(awaited):
            await awaited
    assert len(names["people"]) == 1000
    assert names["result"].passed
    assert (names["run"].state, names["run"].manifest.accepted) == ("complete", 30)
    assert names["written"].to_pandas()["uuid"].tolist() == names["people"]["uuid"][:3].tolist()


def test_page_names_the_whole_api() -> None:
    text = PAGE.read_text(encoding="utf-8")
    results = {"Config", "Estimate", "Narrated", "Tally", "Validation", "__version__"}
    assert [name for name in census_personas.__all__ if name not in text and name not in results] == []
    assert all(getattr(census_personas, name) for name in census_personas.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'generat'"):
        _ = census_personas.generat
