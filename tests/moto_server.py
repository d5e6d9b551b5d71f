"""An S3 server for tests, in a process of its own: moto's, on a free port of loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

# Made up; the server takes any.
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "never-shown-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET = "people"


@contextmanager
def moto_server(*, refuses: bool = False) -> Iterator[Mapping[str, str]]:
    """Start it, with an empty bucket; gives the environment that leads to it. One that refuses answers 403 to all."""
    auth = {"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if refuses else {}
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **auth},
        )
        try:
            environment = {**KEYS, "AWS_ENDPOINT_URL": address_in(log, server)}
            if not refuses:
                make_bucket(environment["AWS_ENDPOINT_URL"])
            yield environment
        finally:
            server.terminate()
            server.wait(timeout=10)


def address_in(log: IO[str], server: subprocess.Popen[bytes]) -> str:
    """Where the server listens, once it says so."""
    said, end = "", time.monotonic() + 60
    while server.poll() is None and time.monotonic() < end:
        said = os.pread(log.fileno(), 10_000, 0).decode()
        if address := re.search(r"Running on (http://[\w.:]+)", said):
            return address[1]
        time.sleep(0.05)
    raise AssertionError(f"moto's server did not start: {said}")


def make_bucket(address: str) -> None:
    import fsspec  # noqa: PLC0415 - the opt-in tests alone need it

    keys = {"key": KEYS["AWS_ACCESS_KEY_ID"], "secret": KEYS["AWS_SECRET_ACCESS_KEY"]}
    fsspec.filesystem("s3", endpoint_url=address, skip_instance_cache=True, **keys).mkdir(BUCKET)
