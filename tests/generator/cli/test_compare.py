"""`personas compare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd


def _file(place: Path, seed: int) -> Path:
    rng = np.random.default_rng(0)
    texts = np.random.default_rng(seed)
    pd.DataFrame(
        {
            "uuid": [str(i) for i in range(40)],
            "sex": rng.choice(["Female", "Male"], 40),
            "age": rng.integers(18, 90, 40),
            "state": rng.choice(["NY", "CA", "TX"], 40),
            "persona": [" ".join(texts.choice(["river", "bread", "music", "lantern"], 9)) for _ in range(40)],
        }
    ).to_parquet(place)
    return place


def test_command_prints_and_writes(
    personas: Callable[..., tuple[int, str, str]], tmp_path: Path, one_line: Callable[[str], str]
) -> None:
    one, other = _file(tmp_path / "one.parquet", 1), _file(tmp_path / "other.parquet", 2)
    code, out, err = personas("compare", one, other, "-o", tmp_path / "out", "--texts", 30)
    assert (code, one_line(err)) == (0, str(tmp_path / "out/comparison.html"))
    assert out.startswith("40 and 40 rows; 6 of 6 tables agree\nthe people are the same\n")
    assert "texts differ in 0 of 1 fields" in out
    code, out, _ = personas("compare", one, other, "--json", "--texts", 30)
    assert json.loads(out) == json.loads((tmp_path / "out/comparison.json").read_text())
    assert json.loads(out)["rules"] is not None
    code, out, err = personas("compare", one, tmp_path / "none.parquet")
    assert (code, out) == (2, "")
    assert "no dataset there" in one_line(err)
    code, _, err = personas("compare", one, other, "--no-rules", "-o", one)
    assert (code, one_line(err)) == (2, f"personas: {one}: is a file; give a folder")
