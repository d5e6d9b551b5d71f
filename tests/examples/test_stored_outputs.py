"""The output that the example notebooks store."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_stored_output_names_no_place(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert '"outputs": [' in text
    assert [
        word for word in ("/home/", "/root/", "127.0.0.1", "Traceback", "site-packages") if word in text
    ] == []
