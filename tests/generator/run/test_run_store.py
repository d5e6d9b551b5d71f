"""Runs at a URL: in a folder (`file`) always, in a bucket of a real server (`s3`) with `-m s3`."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto_server import BUCKET, moto_server

from census_personas.foundation.user_path import DestinationError, output_folder
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.run.journal_segments import JournalSegments, journals_in
from census_personas.generator.run.object_store import ObjectStore, StoreError
from census_personas.generator.run.repeating import LostError
from census_personas.generator.run.run_store import RunStore
from census_personas.generator.run.store_lock import StoreLock

VLLM = Path(__file__).parents[3] / "configs" / "vllm-mistral-nemo.yaml"
QUICKSTART = VLLM.with_name("quickstart.yaml")
ROWS, AT_ONCE = 24, 6
PUBLISH_S, LEASE_S = 0.5, 3.0
# What a process asks before its first row.
GREETING = 4


@dataclass(frozen=True)
class Place:
    """Where runs are put: a URL that each test adds a name of its own to, and the environment that leads there."""

    url: str
    env: Mapping[str, str]


@pytest.fixture(scope="module", params=["file", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    pytest.importorskip("fsspec")
    if request.param == "file":
        yield Place(f"file://{tmp_path_factory.mktemp('bucket')}", {})
        return
    with moto_server() as env, pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        yield Place(f"s3://{BUCKET}", env)


@pytest.fixture
def url(place: Place, request: pytest.FixtureRequest) -> str:
    return f"{place.url}/{abs(hash(request.node.name))}/run"


def words(output: object, server: Any, *options: object) -> list[str]:
    said = ["generate", VLLM, "-o", output, "-n", ROWS]
    values = {"llm.model": server.model, "llm.base_url": server.base_url, "llm.concurrency": AT_ONCE}
    values |= {"output.shard_rows": 8, "runtime.publish_s": PUBLISH_S, "runtime.lease_s": LEASE_S}
    said += [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    return [*map(str, said), *map(str, options)]


def staged(folder: Path) -> tuple[str, str]:
    return "--set", f"runtime.staging={folder}"


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    """Every file of a dataset and of its account; the manifest alone has a clock."""
    by_shard = [
        file for kind in ("personas", "findings", "rejected", "csv") for file in (folder / kind).glob("*")
    ]
    files = [*by_shard, folder / "report.json", folder / "README.md"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def bytes_at(url: str, folder: Path) -> Mapping[str, bytes]:
    """The same of a run at a URL, by way of a new folder."""
    store = ObjectStore(url)
    for name in store.sizes():
        store.get(name, folder / name)
    return bytes_of(folder)


def test_create_replaces_no_object(url: str) -> None:
    store = ObjectStore(url)
    assert store.create("lock/00001.json", b"first")
    assert not ObjectStore(url).create("lock/00001.json", b"second")
    assert store.read(["lock/00001.json"]) == [b"first"]


def test_held_run_is_refused(url: str) -> None:
    store = ObjectStore(url)
    with (
        StoreLock(store, 1.2).held(),
        pytest.raises(ConfigError, match=r"is writing this run; wait for it"),
        StoreLock(store, 1.2).held(),
    ):
        pass


def test_released_run_is_taken_at_once(url: str) -> None:
    store = ObjectStore(url)
    for number in (1, 2, 3):
        lock = StoreLock(store, 60.0)
        with lock.held():
            assert lock.number == number
    assert [*store.sizes("lock")] == ["lock/00003.json"]


def test_silent_holder_loses_the_run(url: str) -> None:
    store = ObjectStore(url)
    silent, later = StoreLock(store, 1.0), StoreLock(store, 1.0)
    silent._take()  # noqa: SLF001 - as a process that is killed, or stopped, before it renews
    with later.held():
        assert later.number == 2
        silent._renewal.start()  # noqa: SLF001 - it goes on
        end = time.monotonic() + 5
        while silent._renewal.error is None and time.monotonic() < end:  # noqa: SLF001
            time.sleep(0.05)
        with pytest.raises(LostError, match="took over this run"):
            silent.check()
        later.check()


def test_no_renewal_means_no_writing(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    lock = StoreLock(ObjectStore(f"file://{tmp_path}/run"), 1.0)
    lock._take()  # noqa: SLF001 - no thread renews
    lock._renewal.succeeded = time.monotonic() - 1.1  # noqa: SLF001
    with pytest.raises(LostError, match="could not be reached for 1 s"):
        lock.check()


def test_store_must_refuse_overwriting(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")

    class Ignorant(ObjectStore):
        def create(self, name: str, content: bytes) -> bool:
            self.write(name, content)
            return True

    with (
        pytest.raises(StoreError, match="If-None-Match"),
        StoreLock(Ignorant(f"file://{tmp_path}/r"), 1).held(),
    ):
        pass


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.binary(min_size=1, max_size=9).map(bytes.hex), max_size=3), st.booleans()),
        max_size=8,
    )
)
def test_segments_hold_all_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[list[str], bool]]
) -> None:
    pytest.importorskip("fsspec")
    folder = tmp_path_factory.mktemp("run")
    store = ObjectStore(f"file://{folder}/store")
    lock = StoreLock(store, 60.0)
    journal = folder / "local/part-00000/answers.jsonl"
    journal.parent.mkdir(parents=True)
    segments, put, whole = JournalSegments(store, lock, folder / "local"), b"", b""
    for lines, torn in steps:
        whole += "".join(f"{line}\n" for line in lines).encode()
        journal.write_bytes(whole + (b"torn" if torn else b""))
        segments.publish()
        put = whole
    other = JournalSegments(store, lock, folder / "other")
    other.fetch(journals_in(store.sizes()), lambda _: True)
    fetched = folder / "other/part-00000/answers.jsonl"
    assert (fetched.read_bytes() if fetched.exists() else b"") == put
    # A folder with answers of its own keeps them behind those of the store, and puts them there.
    own = folder / "own/part-00000/answers.jsonl"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine\n")
    third = JournalSegments(store, lock, folder / "own")
    third.fetch(journals_in(store.sizes()), lambda _: True)
    third.publish()
    assert own.read_bytes() == put + b"mine\n"
    assert b"".join(store.read(journals_in(store.sizes()))) == put + b"mine\n"


def test_resumes_from_an_empty_disk(
    tmp_path: Path, chat_server: Callable[..., Any], command: Any, place: Place, url: str
) -> None:
    faults = ["--fault=wrong_age=0.2", "--fault=refusal=0.1", "--fault=shared=0.12"]
    calm, slow = chat_server(*faults), chat_server(*faults, "--latency=0.25")
    code, said = command.run(*words(tmp_path / "whole", calm))
    assert code == 0, said

    lost_at_most = 0
    for kill, enough in enumerate((30, 70) if place.env else (50,)):
        first_seen: list[tuple[float, int]] = []
        command.begin(*words(url, slow, *staged(tmp_path / f"disk-{kill}")), env=dict(place.env))
        end = time.monotonic() + 60
        while (count := asked(slow)) < enough and time.monotonic() < end:
            first_seen.append((time.monotonic(), count))
            time.sleep(0.02)
        command.send(signal.SIGKILL)
        killed = time.monotonic()
        code, said = command.end()
        assert code == -signal.SIGKILL, said
        shutil.rmtree(tmp_path / f"disk-{kill}")
        # Answers that came since the last put but one second for the put itself, and those in flight.
        before = max((count for when, count in first_seen if when < killed - PUBLISH_S - 1.0), default=0)
        lost_at_most += count - before + AT_ONCE + GREETING
    code, said = command.run(*words(url, slow, *staged(tmp_path / "last"), "-j", 2), env=dict(place.env))
    assert code == 0, said
    assert "locked by" in said
    assert url in said
    assert bytes_at(url, tmp_path / "fetched") == bytes_of(tmp_path / "whole")
    assert asked(calm) < asked(slow) <= asked(calm) + lost_at_most + 3 * GREETING
    manifest = json.loads((tmp_path / "fetched/manifest.json").read_text())
    assert manifest["state"] == "complete"
    assert "never-shown-secret" not in said + (tmp_path / "fetched/config.yaml").read_text()

    # Whoever repeats the command from another empty disk asks for nothing again, and changes nothing.
    before = asked(slow)
    code, said = command.run(*words(url, slow, *staged(tmp_path / "again")), env=dict(place.env))
    assert code == 0, said
    assert asked(slow) - before <= GREETING
    assert bytes_at(url, tmp_path / "fetched-again") == bytes_of(tmp_path / "whole")


def test_two_coordinators_are_kept_apart(
    tmp_path: Path, chat_server: Callable[..., Any], command: Any, place: Place, url: str
) -> None:
    slow = chat_server("--latency=0.3")
    command.begin(*words(url, slow, *staged(tmp_path / "one")), env=dict(place.env))
    end = time.monotonic() + 60
    while asked(slow) < 20 and time.monotonic() < end:
        time.sleep(0.05)
    with pytest.raises(ConfigError, match="is writing this run"), StoreLock(ObjectStore(url), LEASE_S).held():
        pass
    command.send(signal.SIGTERM)
    code, said = command.end()
    assert code == 130, said
    state = json.loads(ObjectStore(url).read(["manifest.json"])[0])["state"]
    assert state == "stopped"
    lock = StoreLock(ObjectStore(url), 60.0)
    with lock.held():
        assert lock.number == 2


def test_extends_from_an_empty_disk(tmp_path: Path, command: Any, place: Place, url: str) -> None:
    line = ["generate", QUICKSTART, "--set", "output.shard_rows=10", "--set", "output.formats=[parquet, csv]"]
    assert command.run(*line, "-n", 25, "-o", tmp_path / "whole")[0] == 0
    for rows, disk in ((15, "first"), (25, "second")):
        code, said = command.run(*line, "-n", rows, "-o", url, *staged(tmp_path / disk), env=dict(place.env))
        assert code == 0, said
    assert bytes_at(url, tmp_path / "fetched") == bytes_of(tmp_path / "whole")
    assert [*ObjectStore(url).sizes("csv")] == [f"csv/part-0000{shard}.csv" for shard in range(3)]
    code, said = command.run(*line, "-n", 15, "-o", url, *staged(tmp_path / "third"), env=dict(place.env))
    assert code == 2
    assert "holds a run of 25 rows, and 15 are requested" in said


def test_dataset_is_read_from_a_url(tmp_path: Path, command: Any, place: Place, url: str) -> None:
    import pandas as pd  # noqa: PLC0415
    import pyarrow.dataset  # noqa: PLC0415

    code, said = command.run(
        *("generate", QUICKSTART, "-n", 12, "--set", "output.shard_rows=5", "-o", url),
        *staged(tmp_path / "staging"),
        env=dict(place.env),
    )
    assert code == 0, said
    assert len(pd.read_parquet(f"{url}/personas")) == 12
    store = ObjectStore(url)
    found = pyarrow.dataset.dataset(f"{store._path}/personas", filesystem=store._files)  # noqa: SLF001
    assert found.count_rows() == 12


def test_foreign_place_is_refused(tmp_path: Path, command: Any, place: Place, url: str) -> None:
    ObjectStore(url).write("thesis.docx", b"mine")
    line = ["generate", QUICKSTART, "-n", 5, "-o", url]
    code, said = command.run(*line, *staged(tmp_path / "staging"), env=dict(place.env))
    assert code == 2
    assert "is not empty and holds no run" in said
    assert ObjectStore(url).read(["thesis.docx"]) == [b"mine"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.docx").write_bytes(b"mine")
    code, said = command.run(*line, *staged(tmp_path / "mine"), env=dict(place.env))
    assert code == 2
    assert "set runtime.staging to an empty folder" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/run", "ftp://: a run cannot be written to such a store; give one of file://, s3://"),
        ("s3://", "s3://: a run cannot be written there"),
        ("s3://bucket/run?versionId=1", "a run cannot be written there"),
        ("s3://KEY:hidden@bucket/run", "s3://…@bucket: has credentials in the URL"),
        ("file://host/run", "names a host"),
    ],
)
def test_unusable_url_is_refused(command: Any, url: str, said: str) -> None:
    code, log = command.run("generate", QUICKSTART, "-n", 5, "-o", url)
    assert code == 2
    assert said in log
    assert "hidden" not in log
    assert len(log.splitlines()) == 1


def test_unsupported_url_names_commands(command: Any) -> None:
    for line in (("validate", "s3://b/run"), ("report", "s3://b/run"), ("generate", "s3://b/config.yaml")):
        code, said = command.run(*line)
        assert code == 2
        assert "`personas generate` and `personas narrate` take one after -o" in said


def test_python_refuses_a_url() -> None:
    with pytest.raises(DestinationError, match="is a URL"):
        output_folder(Path("s3://bucket/run"))


def test_remote_workers_need_shared_staging() -> None:
    pytest.importorskip("fsspec")
    config = Config()
    elsewhere = config.model_copy(update={"runtime": config.runtime.model_copy(update={"executor": "ray"})})
    with pytest.raises(ConfigError, match=r"set runtime\.staging"):
        RunStore("file:///nowhere/run", elsewhere)


@pytest.mark.s3
def test_unusable_bucket_is_named(tmp_path: Path, command: Any) -> None:
    line = ["generate", QUICKSTART, "-n", 5, *staged(tmp_path / "staging"), "-o"]
    with moto_server() as env:
        code, said = command.run(*line, "s3://no-such-bucket/run", env=dict(env))
        assert code == 1
        assert "there is no bucket 'no-such-bucket'" in said
    with moto_server(refuses=True) as env:
        code, said = command.run(*line, f"s3://{BUCKET}/run", env=dict(env))
        assert code == 1
        assert "access is refused" in said
        assert "never-shown-secret" not in said
        assert len(said.splitlines()) == 1
    assert not (tmp_path / "staging").exists()
