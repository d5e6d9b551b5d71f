"""`personas priors explain` and `plot`, and the options of `personas sample` that select people."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from census_personas.generator.cli.main import app

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONAS_CACHE", str(tmp_path / "cache"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_explain_names_graph_and_independences(toy_folder: Path) -> None:
    done = run("priors", "explain", "--locale", str(toy_folder))
    assert done.exit_code == 0, done.output
    assert "region, age_band, sex, status" in done.output
    assert "trade given region, age_half, trade_group" in done.output
    assert "mood does not depend on region given trade" in done.output


def test_explain_prints_json(toy_folder: Path) -> None:
    found = json.loads(run("priors", "explain", "--locale", str(toy_folder), "--json").stdout)
    assert found["core"]["cells"] == 54
    assert {node["child"] for node in found["nodes"]} == {"age", "trade_group", "trade", "transport", "mood"}


def test_plot_draws_the_whole_graph(toy_folder: Path, tmp_path: Path) -> None:
    done = run("priors", "plot", "--locale", str(toy_folder), "-o", str(tmp_path / "toy.svg"))
    assert done.exit_code == 0, done.output
    picture = ET.parse(tmp_path / "toy.svg").getroot()  # noqa: S314  our own drawing
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"region", "age", "trade", "mood", "openness"} <= set(texts)
    arrows = {path[0].text for path in picture.iter(f"{SVG}path") if len(path)}
    assert {"trade to mood", "transport to mood", "age_band to age"} <= arrows
    assert any(text and text.endswith("%") for text in texts)


def test_plot_names_its_formats(toy_folder: Path, tmp_path: Path) -> None:
    done = run("priors", "plot", "--locale", str(toy_folder), "-o", str(tmp_path / "toy.pdf"))
    assert "toy.pdf: unknown suffix '.pdf'; write to .svg, .png" in str(done.exception)


def test_sample_takes_targets_and_quotas(toy_folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "people.csv"
    options = [
        *("--set", f"locale={toy_folder}", "-n", "300", "--schema", "full", "-o", str(place), "--stratified"),
        *("--target", '{"status": {"working": 0.5}}', "--quota", '{"age": ["18-20", "21-22", "23-"]}'),
    ]
    done = run("sample", *options, "--where", '{"region": ["north", "west"]}')
    assert done.exit_code == 0, done.output
    people = pd.read_csv(place)
    assert pd.cut(people["age"], [17, 20, 22, 25]).value_counts().tolist() == [100, 100, 100]
    assert "largest miss" in done.stderr
    assert "of the population" in done.stderr
    assert "nats per person" in done.stderr


def test_invalid_json_target_is_explained(toy_folder: Path) -> None:
    done = run("sample", "--set", f"locale={toy_folder}", "--target", "sex=half")
    assert "--target: not valid JSON" in str(done.exception)


@pytest.mark.skipif(find_spec("cairosvg") is not None, reason="cairosvg is installed")
def test_plot_to_png_names_the_extra(toy_folder: Path, tmp_path: Path) -> None:
    done = run("priors", "plot", "--locale", str(toy_folder), "-o", str(tmp_path / "toy.png"))
    assert done.exit_code == 2
    assert "census-personas[plot]" in " ".join(done.output.split())
    assert "toy.svg" in done.output


def test_first_fit_announces_its_size(toy_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert run("priors", "query", "sex", "--locale", str(toy_folder)).exit_code == 0
    assert "cells, treewidth at least 4; largest part mood with 72 cells; about 0.0 GB to fit" in caplog.text
    caplog.clear()
    assert run("priors", "query", "sex", "--locale", str(toy_folder)).exit_code == 0
    assert "to fit" not in caplog.text
