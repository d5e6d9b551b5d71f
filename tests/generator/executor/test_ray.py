"""Workers on Ray clusters of this machine, whose nodes are killed for real. Opt-in: pytest -m ray."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from conftest import chat_servers
from stub_job import Desk, done_by

from census_personas.foundation.errors import DatasetError
from census_personas.generator.config.run_config import RuntimeConfig
from census_personas.generator.executor.executor import Executor, WorkerError, executor_of

# Ray leaves files and sockets to the collector.
pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore::ResourceWarning")]

TESTS = Path(__file__).parents[2]
VLLM = TESTS.parent / "configs" / "vllm-mistral-nemo.yaml"
QUICKSTART = VLLM.with_name("quickstart.yaml")
ROWS, AT_ONCE = 24, 6
# What a process asks before its first row: the command checks the endpoint, and each process finds what it understands.
GREETING = 4
FAULTS = ("--fault=wrong_age=0.2", "--fault=refusal=0.1", "--fault=shared=1")

Server = Callable[..., Any]


class TestCluster:
    """A head without processors of its own, and nodes that come and go."""

    __test__ = False

    def __init__(self) -> None:
        """Start the head."""
        from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra

        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
        )
        self.address: str = self._cluster.address

    def add(self, cpus: int, path: object = TESTS) -> Any:
        return self._cluster.add_node(num_cpus=cpus, env_vars={"PYTHONPATH": str(path)})

    @contextmanager
    def nodes(self, *cpus: int, path: object = TESTS) -> Iterator[list[Any]]:
        nodes = [self.add(number, path) for number in cpus]
        try:
            yield nodes
        finally:
            for node in nodes:
                if node in self._cluster.worker_nodes:
                    self.kill(node)

    def kill(self, node: Any) -> None:
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[TestCluster]:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    started = TestCluster()
    yield started
    started.close()


def ray_executor(cluster: TestCluster, workers: int) -> Executor:
    return executor_of(RuntimeConfig(executor="ray", ray_address=cluster.address), workers)


def words(folder: Path, server: Any, executor: str, workers: int, address: str) -> list[str]:
    settings = {
        "llm.model": server.model,
        "llm.base_url": server.base_url,
        "llm.concurrency": AT_ONCE,
        "output.shard_rows": 4,
        "runtime.executor": executor,
        "runtime.workers": workers,
        "runtime.ray_address": address,
    }
    said = ["generate", VLLM, "-o", folder, "-n", ROWS]
    said += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return [*map(str, said)]


def asked(server: Any) -> int:
    return int(server.stats().get("requests", 0))


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def bytes_of(folder: Path) -> Mapping[str, bytes]:
    """Every file of the dataset and of its account; the manifest alone has a clock."""
    by_shard = [file for kind in ("personas", "findings", "rejected") for file in (folder / kind).glob("*")]
    files = [*by_shard, folder / "report.json", folder / "README.md"]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, command: Any) -> tuple[Path, int]:
    """A run that nothing disturbs, in one process, and what it asks for."""
    folder = tmp_path_factory.mktemp("calm") / "run"
    with chat_servers() as start:
        server = start(*FAULTS)
        code, said = command.run(*words(folder, server, "local", 1, "local"))
        assert code == 0, said
        return folder, asked(server)


async def test_others_take_dead_workers_tasks(
    cluster: TestCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    tasks = [f"kill:{tmp_path}/once", *range(10), "exchange", "warn:a row", "fail:part-3"]
    with cluster.nodes(2):
        done = await done_by(ray_executor(cluster, 2), *tasks, desk=desk, at_once=2)
    (failed,) = [outcome for outcome in done if outcome.error]
    assert isinstance(failed.error, DatasetError)
    assert len(done) == len(tasks)
    assert {0, 1, 2} <= set(desk.released) <= {0, 1, 2, 3}
    assert any(message.endswith("a row is odd") for message in caplog.messages)


async def test_task_fails_after_three_deaths(
    cluster: TestCluster,
) -> None:
    with cluster.nodes(1):
        done = await done_by(ray_executor(cluster, 1), "kill:", *range(4), desk=Desk(), at_once=2)
    (lost,) = [outcome for outcome in done if outcome.error]
    assert "kill: ended 3 workers, the last with its process has ended" in str(lost.error)
    assert sorted(outcome.task for outcome in done if not outcome.error) == [*range(4)]


async def test_small_cluster_does_all_work(cluster: TestCluster) -> None:
    desk = Desk()
    with cluster.nodes(1):
        done = await done_by(ray_executor(cluster, 3), *range(6), desk=desk)
    assert len({process for process, _ in (outcome.value for outcome in done)}) == 1


async def test_unopened_job_raises_its_error(cluster: TestCluster) -> None:
    with cluster.nodes(1), pytest.raises(DatasetError, match="locale: is wrong"):
        await done_by(ray_executor(cluster, 1), *range(4), desk=Desk(), opening="fail:locale")


async def test_other_release_is_refused(cluster: TestCluster, tmp_path: Path) -> None:
    info = tmp_path / "census_personas-0.0.7.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: census-personas\nVersion: 0.0.7\n")
    ours = f"has census-personas 0.0.7, and the coordinator has {version('census-personas')}"
    with cluster.nodes(1, path=tmp_path), pytest.raises(WorkerError, match=ours):
        await done_by(ray_executor(cluster, 1), *range(4), desk=Desk())


def test_killed_node_changes_no_byte(
    cluster: TestCluster, tmp_path: Path, chat_server: Server, command: Any, whole: tuple[Path, int]
) -> None:
    server = chat_server(*FAULTS, "--latency=0.3")
    with cluster.nodes(1, 1) as nodes:
        command.begin(*words(tmp_path / "run", server, "ray", 2, cluster.address))
        # Both have shards when two journals are written.
        wait_for(lambda: asked(server) > 20 and len([*(tmp_path / "run/journal").glob("part-*")]) > 2)
        cluster.kill(nodes[0])
        code, said = command.end()
    assert code == 0, said
    assert "its tasks are taken up by another" in said
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])
    assert server.stats()["max_in_flight"] <= 2 * AT_ONCE  # a dead one's are still worked on
    assert asked(server) <= whole[1] + AT_ONCE + GREETING * 4
    assert json.loads((tmp_path / "run/manifest.json").read_text())["state"] == "complete"


def test_run_moves_between_executors(
    cluster: TestCluster, tmp_path: Path, chat_server: Server, command: Any, whole: tuple[Path, int]
) -> None:
    server = chat_server(*FAULTS, "--latency=0.3")
    with cluster.nodes(2, 1):
        for executor, workers, number in (("local", 1, signal.SIGINT), ("ray", 3, signal.SIGTERM)):
            before = asked(server)
            command.begin(*words(tmp_path / "run", server, executor, workers, cluster.address))
            wait_for(lambda before=before: asked(server) > before + 18)  # type: ignore[misc]
            command.send(number)
            code, said = command.end()
            assert code == 130, said
    assert command.run(*words(tmp_path / "run", server, "local", 2, cluster.address))[0] == 0
    assert bytes_of(tmp_path / "run") == bytes_of(whole[0])
    assert asked(server) <= whole[1] + GREETING * 6
    assert server.stats()["max_in_flight"] <= AT_ONCE


def test_ray_gives_the_same_dataset(cluster: TestCluster, tmp_path: Path, command: Any) -> None:
    env = {"RAY_ADDRESS": cluster.address}
    line = ["generate", QUICKSTART, "-n", 40, "--set", "output.shard_rows=10"]
    assert command.run(*line, "-o", tmp_path / "people")[0] == 0
    line = ["narrate", tmp_path / "people", "--set", "output.shard_rows=10", "--set", "seed=5"]
    ray = ["--set", "runtime.executor=ray"]
    with cluster.nodes(2):
        assert command.run(*line, "-o", tmp_path / "one")[0] == 0
        code, said = command.run(*line, *ray, "-j", 2, "-o", tmp_path / "ray", env=env)
        assert code == 0, said
        assert bytes_of(tmp_path / "ray") == bytes_of(tmp_path / "one")
        check = ["validate", tmp_path / "one", "--findings"]
        first = command.run(*check, tmp_path / "one.parquet")
        second = command.run(*check, tmp_path / "ray.parquet", "--executor", "ray", env=env)
    assert first == second
    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "one.parquet").read_bytes()


def test_unshared_folder_is_refused(cluster: TestCluster, tmp_path: Path, command: Any) -> None:
    if not command.mounts:
        pytest.skip("no mounts of one's own here")
    own = tmp_path / "own"
    own.mkdir()
    command.begin("-t", "tmpfs", "tmpfs", own, program="mount")
    assert command.end()[0] == 0
    with cluster.nodes(1):
        settings = ["--set", "runtime.executor=ray", "--set", f"runtime.ray_address={cluster.address}"]
        code, said = command.run("generate", QUICKSTART, "-n", 20, "-o", own / "run", *settings)
    assert code == 1
    (line,) = said.splitlines()[-1:]
    assert f"its node does not see {own}/run as the coordinator does" in line
    assert "a disk that all nodes have at the same path" in line


def test_absent_cluster_is_refused_first(tmp_path: Path, command: Any) -> None:
    for address, said in (
        ("127.0.0.1:9", "no cluster answers there"),
        ("ray://127.0.0.1:9", "no cluster answers there"),
        ("nowhere", "is not an address"),
    ):
        for source, options in (
            ("RAY_ADDRESS", {"env": {"RAY_ADDRESS": address}}),
            ("runtime.ray_address", {}),
        ):
            settings = ["--set", "runtime.executor=ray"]
            if not options:
                settings += ["--set", f"runtime.ray_address={address}"]
            code, log = command.run("generate", QUICKSTART, "-o", tmp_path / "run", *settings, **options)
            assert code == 2
            assert log.startswith(f"personas: {source}={address}: {said}"), log
            assert len(log.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_missing_ray_names_the_extra(tmp_path: Path, command: Any) -> None:
    (tmp_path / "ray.py").write_text('raise ModuleNotFoundError("No module named \'ray\'", name="ray")\n')
    code, log = command.run(
        *["-m", "census_personas", "generate", QUICKSTART, "-o", tmp_path / "run"],
        *["--set", "runtime.executor=ray"],
        program=sys.executable,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert code == 2
    assert log == (
        "personas: runtime.executor=ray needs Ray (No module named 'ray'); install it: "
        "pip install 'census-personas[ray]'\n"
    )
    assert not (tmp_path / "run").exists()
