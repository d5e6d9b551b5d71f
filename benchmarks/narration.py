"""What narration costs beside the requests themselves, against a loopback server in its own process.

    python benchmarks/narration.py [--rows 600] [--latency 0.2] [--json]

For each transport, a run (facts, prompts, two requests a row, journal, rules) is compared with the bare client
sending the same number of requests of the same size. `ratio_cpu_*` is engine CPU over bare CPU, `ratio_rate_*` is
the rate reached over concurrency / latency, the best that any client could do. Quiet machine and two cores, or the
rates mean little; the CPU ratios hold anyway.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import openai
import orjson

from persona_engine.generator.config import Config
from persona_engine.generator.llm.backends import connect
from persona_engine.generator.llm.chat import ChatRequest, Completion
from persona_engine.generator.llm.dialect import Dialect
from persona_engine.generator.narration.journal import Journal
from persona_engine.generator.narration.narrator import Narrator
from persona_engine.generator.population import Population
from persona_engine.prompts.template import PromptSet
from persona_engine.validators.check import RecordChecker

SERVER = Path(__file__).parents[1] / "tests" / "chat_server.py"
MODEL = "test-narrator"
CONCURRENCY = 256
HELD = 2048


@contextmanager
def served(latency: float) -> Iterator[str]:
    """Base URL of a server that answers after `latency` seconds."""
    command = [sys.executable, str(SERVER), "0", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own server
        line = server.stdout.readline() if server.stdout else ""
        try:
            yield f"http://127.0.0.1:{int(line.split()[-1])}/v1"
        finally:
            server.terminate()


async def all_of(
    work: list[Any], at_once: int, do: Callable[[Any], Awaitable[object]]
) -> tuple[float, float]:
    """Seconds and CPU seconds that `do` took over all work, so many at once."""
    left = iter(work)

    async def worker() -> None:
        for item in left:
            await do(item)

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return time.perf_counter() - started, time.process_time() - cpu


class Recorder:
    """A chat model that keeps the requests it passes on, so that the bare client can send the same."""

    def __init__(self, model: Any) -> None:
        """Pass on to `model`."""
        self.model, self.name = model, model.name
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> Completion:
        """Keep the request and pass it on."""
        self.requests.append(request)
        answer: Completion = await self.model.complete(request)
        return answer

    async def aclose(self) -> None:
        """Close the model."""
        await self.model.aclose()


async def engine(
    config: Config, rooms: tuple[Population, PromptSet, RecordChecker], rows: list[dict[str, Any]]
) -> tuple[float, float, list[ChatRequest]]:
    """Seconds, CPU seconds and requests of narrating the rows."""
    population, prompts, checker = rooms
    model = Recorder(connect(config.llm))
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        narrator = Narrator(model, prompts, population.priors, checker.check, config, journal, checker.policy)
        await narrator.narrate(rows[0])  # probes the endpoint, opens look-ups
        model.requests.clear()
        seconds, cpu = await all_of(rows[1:], CONCURRENCY, narrator.narrate)
    await model.aclose()
    return seconds, cpu, model.requests


async def bare_openai(url: str, requests: list[ChatRequest]) -> tuple[float, float]:
    """The SDK over aiohttp, used as its documentation shows."""
    http = openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=4096))
    client = openai.AsyncOpenAI(api_key="none", base_url=url, http_client=http)
    bodies = [Dialect().body(request, MODEL, request.max_tokens) for request in requests]

    async def send(body: Any) -> None:
        await client.chat.completions.create(**body)

    await send(bodies[0])
    measured = await all_of(bodies, CONCURRENCY, send)
    await client.close()
    return measured


async def bare_aiohttp(url: str, requests: list[ChatRequest]) -> tuple[float, float]:
    """Nothing but aiohttp and orjson."""
    bodies = [Dialect().body(request, MODEL, request.max_tokens) for request in requests]
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

        async def send(body: Any) -> None:
            async with session.post(f"{url}/chat/completions", data=orjson.dumps(body)) as answer:
                orjson.loads(await answer.read())

        await send(bodies[0])
        return await all_of(bodies, CONCURRENCY, send)


async def held(latency: float, requests: list[ChatRequest]) -> int:
    """The most requests that the lean transport had in flight at once."""
    with served(latency) as url:
        llm = {"backend": "openai", "model": MODEL, "base_url": url, "transport": "lean", "concurrency": HELD}
        model = connect(Config.model_validate({"llm": llm}).llm)
        await all_of((requests * (1 + 12 * HELD // len(requests)))[: 12 * HELD], HELD, model.complete)
        await model.aclose()
        async with (
            aiohttp.ClientSession() as session,
            session.get(url.removesuffix("/v1") + "/stats") as answer,
        ):
            return int((await answer.json())["max_in_flight"])


def measured(rows: int, latency: float) -> dict[str, Any]:
    """All figures."""
    population = Population.load("en_US")
    people = population.sample(rows + 1, seed=1).to_dict("records")
    rooms = (population, PromptSet.load("en_US"), RecordChecker(population.priors))
    result: dict[str, Any] = {
        "rows": rows,
        "latency_s": latency,
        "concurrency": CONCURRENCY,
        "cores": os.cpu_count(),
    }
    requests: list[ChatRequest] = []
    for transport, bare in (("openai", bare_openai), ("lean", bare_aiohttp)):
        with served(latency) as url:
            llm = {"backend": "openai", "model": MODEL, "base_url": url, "transport": transport}
            config = Config.model_validate({"llm": {**llm, "concurrency": CONCURRENCY}})
            seconds, cpu, requests = asyncio.run(engine(config, rooms, people))
            bare_seconds, bare_cpu = asyncio.run(bare(url, requests))
        count = len(requests)
        result |= {
            f"{transport}_requests_per_s": count / seconds,
            f"{transport}_rows_per_s": rows / seconds,
            f"{transport}_cpu_us_per_request": cpu / count * 1e6,
            f"{transport}_bare_cpu_us_per_request": bare_cpu / count * 1e6,
            f"{transport}_bare_requests_per_s": count / bare_seconds,
            f"ratio_cpu_{transport}": cpu / bare_cpu,
            f"ratio_rate_{transport}": count / seconds / (CONCURRENCY / latency),
        }
    result["ratio_held_lean"] = asyncio.run(held(2.0, requests)) / HELD
    return result


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measured(options.rows, options.latency)
    for name, value in result.items():
        print(f"{name:36}{value:12.2f}")
    if options.json:
        print(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
