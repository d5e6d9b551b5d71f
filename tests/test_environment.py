"""Messages of `make quickstart` and `make test` on a machine that lacks something; `.ci/run` tests success."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.quick, pytest.mark.skipif(sys.platform == "win32", reason="POSIX sh")]

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "dirname", "cksum", "cat", "tail", "grep")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The part of a checkout that the steps read before installing, and a PATH with few tools."""
    (tmp_path / "checkout/.dev").mkdir(parents=True)
    shutil.copy(ROOT / ".dev/environment.sh", tmp_path / "checkout/.dev")
    shutil.copy(ROOT / "Makefile", tmp_path / "checkout")
    (tmp_path / "checkout/pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "nothing"\nversion = "1"\n'
    )
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    return tmp_path / "checkout"


def command(checkout: Path, name: str, script: str) -> None:
    file = checkout.parent / "bin" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def steps(checkout: Path, task: str = "quickstart", **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["/bin/sh", checkout / ".dev/environment.sh", task],
        env={"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_no_python(checkout: Path) -> None:
    code, _, err = steps(checkout)
    assert code == 1
    assert err.startswith(
        "quickstart: python3 does not run; install Python 3.11 or newer (Debian, Ubuntu: sudo apt"
    )
    assert err.count("\n") == 1


def test_old_python(checkout: Path) -> None:
    command(checkout, "python3", "case $2 in *exit*) exit 1;; *) echo 3.9.18;; esac")
    code, _, err = steps(checkout, "test")
    assert code == 1
    assert err.startswith("test: Python 3.11 or newer is needed, and python3 is 3.9.18; install a newer one")


def test_no_venv_module(checkout: Path) -> None:
    command(checkout, "python3", "case $2 in *ensurepip*) exit 1;; *print*) echo 3.11.2;; esac")
    code, _, err = steps(checkout)
    assert code == 1
    assert (
        "python3 (3.11.2) has no venv module; install it (Debian, Ubuntu: sudo apt install python3.11-venv)"
        in err
    )


def test_newer_python_is_preferred(checkout: Path) -> None:
    command(checkout, "python3", "case $2 in *exit*) exit 1;; *) echo 3.9.18;; esac")
    command(checkout, "python3.12", "case $2 in *print*) echo 3.12.1;; venv) exit 9;; esac")
    code, out, err = steps(checkout)
    assert code == 1
    assert out == "[1/3] environment: making .venv with python3.12 (3.12.1)\n"
    assert "python3.12 could not make .venv, see above" in err


def test_named_python_is_used_alone(checkout: Path) -> None:
    command(checkout, "python3", f'exec "{sys.executable}" "$@"')
    _, _, err = steps(checkout, PYTHON="python3.99")
    assert err.startswith("quickstart: python3.99 does not run; install Python")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_checkout(checkout: Path) -> None:
    checkout.chmod(0o555)
    code, _, err = steps(checkout)
    checkout.chmod(0o755)
    assert code == 1
    assert f"quickstart: {checkout} is read-only; copy the checkout" in err


def test_no_package_index_then_reuse(checkout: Path) -> None:
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    code, out, err = steps(checkout, PYTHON=sys.executable, **nowhere)
    assert code == 1
    assert out.splitlines()[1].startswith("[2/3] packages: pip install -e ., some minutes the first time")
    assert (
        "pip reached no package index that has what is needed; check the network, or set PIP_INDEX_URL" in err
    )
    assert "No matching distribution" in (checkout / ".venv/pip.log").read_text()
    _, out, _ = steps(checkout, **nowhere)
    assert out.startswith("[1/3] environment: .venv is there (Python 3.")


def test_other_folder_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").write_text("mine")
    code, _, err = steps(checkout, PYTHON=sys.executable)
    assert code == 1
    assert ".venv is no environment of Python 3.11 or newer; delete it, or name another folder" in err
    assert (checkout / ".venv").read_text() == "mine"


def test_unknown_task(checkout: Path) -> None:
    command(checkout, "python3", f'exec "{sys.executable}" "$@"')
    assert steps(checkout, "")[2] == ": name a task: quickstart, test or environment\n"


def test_make_names_the_tasks() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make")
    done = subprocess.run([make, "-C", ROOT, "help"], capture_output=True, text=True, check=True)
    assert "make quickstart   install into .venv, write 200 people to runs/quickstart" in done.stdout
