"""Paths from users: which may be written, which may be read, and which are refused first."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from census_personas.census_priors.build.atomic_folder import refuse_other_folder
from census_personas.foundation.user_path import (
    DestinationError,
    IrregularFileError,
    check_input,
    output_file,
    output_folder,
)
from census_personas.foundation.yaml_file import LONGEST, YamlError, read_yaml

pytestmark = pytest.mark.quick

PARQUET = b"PAR1 and more"


def a_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def a_socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))
    return path


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


IRREGULAR = [a_pipe, a_socket, a_folder, a_device]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What makes a folder a run."""
    folder = tmp_path / "runs" / "first"
    for name in ("personas", "journal/part-00000", "counterfactual"):
        (folder / name).mkdir(parents=True)
    for name in ("manifest.json", "config.yaml", ".lock", "personas/part-00000.parquet"):
        (folder / name).write_bytes(PARQUET)
    return folder


@pytest.mark.parametrize("make", IRREGULAR)
def test_irregular_files_are_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    place = make(tmp_path / "x.parquet")
    with pytest.raises(IrregularFileError, match=r"is a (pipe|socket|folder|device), not a file"):
        check_input(place)
    with pytest.raises(DestinationError, match=r"x\.parquet: is a \w+, not a file; name a file"):
        output_file(place)
    (tmp_path / "link.parquet").symlink_to(place)
    with pytest.raises(DestinationError, match=r"link\.parquet: is a \w+, not a file"):
        output_file(tmp_path / "link.parquet")


@pytest.mark.parametrize(
    "name", ["/dev/null", "/dev/stdout", "/dev/new.parquet", "/proc/self/x.csv", "-", "."]
)
def test_devices_are_not_file_names(name: str) -> None:
    with pytest.raises(DestinationError):
        output_file(Path(name))


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "config.yaml",
        "x.parquet",
        "personas/part-00000.parquet",
        "personas/new.parquet",
        "journal/part-00000/answers.jsonl",
        "counterfactual/deep/x.csv",
    ],
)
def test_run_folders_are_protected(tmp_path: Path, run: Path, name: str) -> None:
    with pytest.raises(DestinationError, match=r"is inside the run folder .*first"):
        output_file(run / name)
    with pytest.raises(DestinationError, match="is inside the run folder"):
        output_folder(run / "personas")
    (tmp_path / "link").symlink_to(run)
    with pytest.raises(DestinationError, match="is inside the run folder"):
        output_file(tmp_path / "link" / name)


def test_journal_alone_makes_a_run(run: Path) -> None:
    (run / "manifest.json").unlink()
    with pytest.raises(DestinationError, match="is inside the run folder"):
        output_file(run / "x.parquet")


def test_report_stays_in_its_run(tmp_path: Path, run: Path) -> None:
    assert output_file(run / "validation.html", run=run) == run / "validation.html"
    assert output_folder(run, run=run) == run
    with pytest.raises(DestinationError, match="inside the run folder"):
        output_file(run / "manifest.json", run=run)
    with pytest.raises(DestinationError, match="inside the run folder"):
        output_folder(run, run=tmp_path / "people.parquet")


def test_links_are_judged_by_their_target(tmp_path: Path, run: Path) -> None:
    (tmp_path / "real.parquet").write_bytes(PARQUET)
    link = tmp_path / "link.parquet"
    link.symlink_to("real.parquet")
    assert output_file(link) == tmp_path / "real.parquet"
    for target, said in ((tmp_path / "nowhere", "a link to nothing"), (run / "manifest.json", "run folder")):
        link.unlink()
        link.symlink_to(target)
        with pytest.raises(DestinationError, match=said):
            output_file(link)
    link.unlink()
    link.symlink_to(link.name)
    with pytest.raises(DestinationError, match="cannot be accessed"):
        output_file(link)


def test_input_is_never_an_output(tmp_path: Path) -> None:
    read = tmp_path / "people.parquet"
    read.write_bytes(PARQUET)
    (tmp_path / "link.parquet").symlink_to(read)
    (tmp_path / "hard.parquet").hardlink_to(read)
    for name in ("people.parquet", "link.parquet", "hard.parquet", "../" + tmp_path.name + "/people.parquet"):
        with pytest.raises(DestinationError, match="is read by this command"):
            output_file(tmp_path / name, inputs=[read])


def test_only_same_kind_is_replaced(tmp_path: Path) -> None:
    for name, content in (
        ("a.parquet", b"thesis"),
        ("b.jsonl", b"Dear"),
        ("c.csv", b"\0\1"),
        ("d.html", b"{}"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DestinationError, match=r"exists and is not a \.\w+ file; move it away"):
            output_file(tmp_path / name)
    for name, content in (("e.parquet", PARQUET), ("f.jsonl", b"\n {}"), ("g.csv", b"a,b\n"), ("h.svg", b"")):
        (tmp_path / name).write_bytes(content)
        assert output_file(tmp_path / name) == tmp_path / name


def test_read_only_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n")
    (tmp_path / "x.csv").chmod(0o444)
    with pytest.raises(DestinationError, match="is read-only; make it writable"):
        output_file(tmp_path / "x.csv")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DestinationError, match=r"there is no folder .*absent; create it first"):
        output_file(tmp_path / "absent/x.csv")
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError, match="there is no folder"):
        output_file(tmp_path / "file/x.csv")
    with pytest.raises(DestinationError, match="File name too long"):
        output_file(tmp_path / ("x" * 300 + ".csv"))


def test_locale_tables_are_protected(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "priors.yaml").touch()
    with pytest.raises(DestinationError, match="among the files of a locale"):
        output_file(tmp_path / "tables/sex.parquet")
    assert output_file(tmp_path / "people.parquet")


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.JSONL", "-"])
def test_folder_named_like_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DestinationError, match="is named like a file, but a folder will be written; give it"):
        output_folder(tmp_path / name)
    assert output_folder(tmp_path / "v1.2") == tmp_path / "v1.2"


def test_locale_replaces_only_a_locale(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(DestinationError, match=r"holds 'thesis.txt', which a locale would replace"):
        refuse_other_folder(tmp_path)
    (tmp_path / "priors.yaml").touch()
    (tmp_path / "tables").mkdir()
    refuse_other_folder(tmp_path)
    (tmp_path / "photos").mkdir()
    with pytest.raises(DestinationError, match="holds 'photos'"):
        refuse_other_folder(tmp_path)


@pytest.mark.parametrize("make", IRREGULAR)
def test_yaml_is_read_from_bounded_files(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(YamlError, match=r"x\.yaml: cannot be read \(is a \w+, not a file\)"):
        read_yaml(make(tmp_path / "x.yaml"))
    with (tmp_path / "long.yaml").open("wb") as file:
        file.truncate(LONGEST + 1)
    with pytest.raises(YamlError, match="is longer than 8000000 bytes"):
        read_yaml(tmp_path / "long.yaml")


@pytest.mark.parametrize("name", ["a\nb.csv", "\x1b[31m.csv", "ä.csv"])
def test_any_utf_8_name_is_judged(tmp_path: Path, name: str) -> None:
    assert output_file(tmp_path / name) == tmp_path / name


def test_non_utf_8_name_is_refused(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"\xff.csv")
    for judged in (output_file, output_folder):
        with pytest.raises(DestinationError, match="has a name that is not UTF-8 text; give another"):
            judged(place)
    with pytest.raises(IrregularFileError, match="has a name that is not UTF-8 text"):
        check_input(place)
