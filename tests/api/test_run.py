"""A run folder read from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from released import NEMOTRON

from census_personas import Run
from census_personas.foundation.errors import DatasetError

pytestmark = pytest.mark.quick


def test_run_reports_its_outcome(finished: Run) -> None:
    assert (finished.state, finished.manifest.accepted, finished.config.rows) == ("complete", 12, 12)
    assert finished.report["rows"] == 12
    assert finished.card.startswith("---")
    assert repr(finished) == f"Run({str(finished.folder)!r}: complete, 12 of 12 rows)"
    assert "<td>complete</td>" in finished._repr_html_()


def test_rows_come_as_a_frame_and_one_by_one(finished: Run) -> None:
    frame = finished.to_pandas()
    assert tuple(frame.columns) == NEMOTRON
    assert list(finished.to_pandas(["persona", "age"]).columns) == ["persona", "age"]
    assert [row["uuid"] for row in finished.rows(["uuid"])] == frame["uuid"].tolist()
    with pytest.raises(DatasetError, match="no column 'shoe_size'; it has uuid"):
        finished.to_pandas(["shoe_size"])


def test_findings_and_rejections_are_frames(finished: Run, tmp_path: Path) -> None:
    assert finished.rejections.empty
    assert list(finished.rejections.columns)[:3] == ["shard", "row", "uuid"]
    columns = ["row", "uuid", "rule", "severity", "field", "message", "evidence", "accepted"]
    assert list(finished.findings.columns) == columns
    shutil.copytree(finished.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "findings")
    assert list(Run(tmp_path / "run").findings.columns) == columns


def test_missing_run_and_report_are_named(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no run; give a folder"):
        Run(tmp_path)
    shutil.copytree(finished.folder, tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    with pytest.raises(DatasetError, match=r"report\.json: does not exist; .* resume the run"):
        _ = Run(tmp_path / "run").report
