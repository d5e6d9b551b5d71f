"""One small run for several tests."""

from __future__ import annotations

import pytest

import census_personas
from census_personas import Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return census_personas.generate({"name": "small", "rows": 12}, tmp_path_factory.mktemp("api") / "run")
