"""The command line as a fixture, run in this process with the population loaded once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from census_personas.generator.cli.main import main
from census_personas.generator.population.population import Population


@pytest.fixture
def personas(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], population: Population
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line: exit code, stdout, stderr."""
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


@pytest.fixture
def one_line() -> Callable[[str], str]:
    """The last line of stderr, which must be the only one that is not progress."""

    def last(err: str) -> str:
        lines = [line for line in err.splitlines() if not re.match(r"\d+ of \d+ rows|note: ", line)]
        assert len(lines) == 1, err
        return lines[0]

    return last


@pytest.fixture
def rows_of() -> Callable[[Path], pd.DataFrame]:
    """The rows of a run folder."""

    def read(folder: Path) -> pd.DataFrame:
        return pd.concat(pd.read_parquet(file) for file in sorted((folder / "personas").glob("*.parquet")))

    return read
