"""Cost of narration beyond that of the requests, against a loopback server in its own process.

    python benchmarks/narration.py [--rows 8000] [--rounds 3] [--latency 0.2] [--data-designer PYTHON] [--json]

For each transport a run is made as `personas generate` makes it: rows sampled, prompts rendered, two requests a row,
answers journaled on disk, read and checked by every rule, shards written as Parquet. Beside it the bare client sends
the same messages, schemas and parameters, and decodes each answer and the JSON object in it: the `openai` package
over aiohttp as its documentation shows, and aiohttp with orjson. A smaller run before each loads what is loaded once.
A run also computes some things once, such as tables to draw from; the default number of rows is large enough that this
adds little to a request, as in real runs.

`ratio_engine_cpu_vs_bare_*` is CPU a request of the run over that of the bare client, both of the client's process
alone, over all rounds, in which the two take turns; `_least` and `_most` are those of single rounds.
`ratio_rate_vs_ideal_256_*` is the rate of the run between a third and nine tenths of its requests, when the limit on
requests in flight has been found, over concurrency / latency or, where that is less, over what one core can send at
the CPU measured. `ratio_held_lean` is the most requests that a server has seen in flight, of 2,048. Rates want two
idle cores; the CPU ratios hold on a busy machine.

`--data-designer` names an interpreter that has NeMo Data Designer (`python -m venv dd && dd/bin/pip install
data-designer`), and `ratio_vs_data_designer` is then records/s of the reference transport over its records/s, against
the same server in the same run. Its settings are the fastest that it has: both prompts ready in its seed rows except
for the part of the second that comes from the first answer, its native renderer, `max_parallel_requests` of 256, no
health check, no telemetry, no early stop, a first dataset to warm up, and a clock that stops before it profiles.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import aiohttp
import httpx2
import numpy as np
import openai
import orjson
import pandas as pd
from loopback import Cost, all_of, costing, served

from census_personas.generator.config.run_config import Config
from census_personas.generator.llm.chat import ChatRequest, Completion
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.narration.backends import connect
from census_personas.generator.narration.narrator import CALLS
from census_personas.generator.run.manifest import Manifest
from census_personas.generator.run.pipeline import Pipeline, Tally, narrations
from census_personas.generator.run.resources import RunResources
from census_personas.generator.run.run_folder import RunFolder

PEER = Path(__file__).parent / "narration_by_data_designer.py"
MODEL = "test-narrator"
CONCURRENCY = 256
HELD = 2048
# Requests kept for the bare client: the first of a run, so that the others' memory is free for the next as in any run.
KEPT = 4000


class Recorder:
    """A chat model that keeps requests which it passes on, so that the bare client can send the same."""

    def __init__(self, model: Any) -> None:
        """Pass on to `model`."""
        self.model, self.name, self.needs_messages = model, model.name, model.needs_messages
        self.requests: list[ChatRequest] = []
        self.answered: list[float] = []

    async def complete(self, request: ChatRequest) -> Completion:
        """Keep the request and pass it on."""
        if len(self.requests) < KEPT:
            self.requests.append(request)
        answer: Completion = await self.model.complete(request)
        self.answered.append(time.perf_counter())
        return answer

    def account(self) -> dict[str, Any]:
        """Nothing of its own."""
        return {}

    async def aclose(self) -> None:
        """Close the model."""
        await self.model.aclose()


def settings(rows: int, seed: int, llm: dict[str, Any]) -> Config:
    """A run of so many rows against the test server."""
    served_by = {"backend": "openai", "model": MODEL, "concurrency": CONCURRENCY}
    return Config.model_validate({"rows": rows, "seed": seed, "llm": {**served_by, **llm}})


async def engine(config: Config, resources: RunResources) -> tuple[Cost, list[ChatRequest]]:
    """What a whole run costs, and its requests."""
    resources, model = replace(resources, config=config), Recorder(connect(config.llm))
    manifest = Manifest.of(config, resources.digests(), model.name, "")
    with (
        tempfile.TemporaryDirectory() as place,
        RunFolder.opened(Path(place) / "run", config, manifest, resources.table()) as folder,
    ):
        pipeline = Pipeline(
            resources.sample,
            lambda shard: resources.narrator(model, config, folder.journal(shard)),
            folder.write,
            concurrency=narrations(CONCURRENCY),
        )
        tally = Tally(config.rows)
        cost = await costing(pipeline.run(folder.pending(), tally), model.answered)
    await model.aclose()
    if tally.accepted != config.rows:
        raise SystemExit(f"{tally.accepted} of {config.rows} rows were accepted: the ratios mean nothing")
    return cost, model.requests


async def bare_openai(url: str, requests: Sequence[ChatRequest]) -> Cost:
    """The SDK over aiohttp, used as its documentation shows."""
    http = openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=4096))
    client = openai.AsyncOpenAI(api_key="none", base_url=url, http_client=http)
    bodies = [Dialect().body(request, MODEL, request.max_tokens) for request in requests]

    async def send(body: Any) -> None:
        answer = await client.chat.completions.create(**body)
        orjson.loads(answer.choices[0].message.content)

    await send(bodies[0])
    cost = await all_of(bodies, CONCURRENCY, send)
    await client.close()
    return cost


async def bare_aiohttp(url: str, requests: Sequence[ChatRequest]) -> Cost:
    """Nothing but aiohttp and orjson."""
    bodies = [Dialect().body(request, MODEL, request.max_tokens) for request in requests]
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

        async def send(body: Any) -> None:
            async with session.post(f"{url}/chat/completions", data=orjson.dumps(body)) as answer:
                whole = orjson.loads(await answer.read())
            orjson.loads(whole["choices"][0]["message"]["content"])

        await send(bodies[0])
        return await all_of(bodies, CONCURRENCY, send)


async def held(latency: float, requests: Sequence[ChatRequest]) -> int:
    """The most requests of the lean transport that a server saw in flight at once."""
    count = 6 * HELD
    with served(latency) as url:
        model = connect(settings(1, 0, {"base_url": url, "transport": "lean", "concurrency": HELD}).llm)
        await all_of([requests[i % len(requests)] for i in range(count)], HELD, model.complete)
        await model.aclose()
        async with (
            aiohttp.ClientSession() as session,
            session.get(url.removesuffix("/v1") + "/stats") as answer,
        ):
            return int((await answer.json())["max_in_flight"])


def data_designer(python: Path, url: str, resources: RunResources) -> dict[str, float]:
    """Measure NeMo Data Designer on the rows of a run: records, seconds, CPU seconds."""
    llm, templates = resources.config.llm, resources.prompts.templates
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows, personas = seeds(resources)
        pd.DataFrame(rows).to_parquet(folder / "rows.parquet")
        job = {
            "base_url": url,
            "model": MODEL,
            "concurrency": CONCURRENCY,
            "parameters": {"temperature": llm.temperature, "top_p": llm.top_p, "max_tokens": llm.max_tokens},
            "count": len(rows),
            "folder": place,
            "prompts": {"attributes": "{{ ask }}", "personas": personas},
            "schemas": {name: templates[name].schema for name in CALLS},
        }
        (folder / "job.json").write_bytes(orjson.dumps(job))
        command = [str(python), str(PEER), str(folder / "job.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as the user asks
    if done.returncode:
        raise SystemExit(f"--data-designer {python}: {done.stderr[-2000:]}")
    said: dict[str, float] = orjson.loads(done.stdout.splitlines()[-1])
    return said


def seeds(resources: RunResources) -> tuple[list[dict[str, str]], str]:
    """Messages of every row, and the template of the second prompt, which waits for the first answer in its middle."""
    first, second = (resources.prompts.templates[name] for name in CALLS)
    answers: dict[str, Any] = {field.name: f"{{{{ attributes.{field.name} }}}}" for field in first.fields}
    answers |= {
        field.name: [f'{{{{ attributes.{field.name} | join("; ") }}}}']
        for field in first.fields
        if field.kind == "list"
    }
    rows, middle = [], ""
    for record in resources.sample(resources.config.rows).to_dict("records"):
        facts = resources.facts.of(record, np.random.default_rng(record["row"]))
        system, ask = (message["content"] for message in first.render(facts))
        system_too, ask_too = (message["content"] for message in second.render({**facts, **answers}))
        before, after = ask_too[: ask_too.index("{{")], ask_too[ask_too.rindex("}}") + 2 :]
        middle = ask_too[len(before) : -len(after)]
        rows.append(
            {
                "attributes_system": system,
                "personas_system": system_too,
                "ask": ask,
                "before": before,
                "after": after,
            }
        )
    return rows, f"{{{{ before }}}}{middle}{{{{ after }}}}"


def measured(rows: int, rounds: int, latency: float, peer: Path | None) -> dict[str, Any]:
    """All figures."""
    resources = RunResources.load(settings(rows, 1, {}))
    result: dict[str, Any] = {
        "rows": rows,
        "rounds": rounds,
        "latency_s": latency,
        "concurrency": CONCURRENCY,
        "cores": os.cpu_count(),
    }
    requests: list[ChatRequest] = []
    for transport, bare in (("openai", bare_openai), ("lean", bare_aiohttp)):
        with served(latency) as url:
            llm = {"base_url": url, "transport": transport}
            asyncio.run(engine(settings(min(rows, 200), 2, llm), resources))
            ours, bares = [], []
            for _ in range(rounds):
                cost, requests = asyncio.run(engine(settings(rows, 1, llm), resources))
                ours.append(cost)
                bares.append(asyncio.run(bare(url, requests)))
        rate, cpu_us = fmean(cost.rate for cost in ours), fmean(cost.cpu_us for cost in ours)
        bare_us = fmean(cost.cpu_us for cost in bares)
        ratios = [cost.cpu_us / alone.cpu_us for cost, alone in zip(ours, bares, strict=True)]
        result |= {
            f"{transport}_requests_per_s": rate,
            f"{transport}_rows_per_s": rows / fmean(cost.seconds for cost in ours),
            f"{transport}_cpu_us_per_request": cpu_us,
            f"{transport}_bare_cpu_us_per_request": bare_us,
            f"{transport}_bare_requests_per_s": fmean(cost.rate for cost in bares),
            f"ratio_engine_cpu_vs_bare_{transport}": cpu_us / bare_us,
            f"ratio_engine_cpu_vs_bare_{transport}_least": min(ratios),
            f"ratio_engine_cpu_vs_bare_{transport}_most": max(ratios),
            f"ratio_rate_vs_ideal_{CONCURRENCY}_{transport}": rate / min(CONCURRENCY / latency, 1e6 / cpu_us),
        }
    if peer is not None:
        with served(latency) as url:
            theirs = data_designer(peer, url, resources)
        rate = theirs["records"] / theirs["seconds"]
        result |= {
            "data_designer_rows_per_s": rate,
            "data_designer_cpu_us_per_request": theirs["cpu_s"] / theirs["records"] / 2 * 1e6,
            "ratio_vs_data_designer": result["openai_rows_per_s"] / rate,
            "ratio_vs_data_designer_lean": result["lean_rows_per_s"] / rate,
        }
    result["lean_held"] = asyncio.run(held(3.0, requests))
    result["ratio_held_lean"] = result["lean_held"] / HELD
    return result


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--data-designer", type=Path, metavar="PYTHON", help="an interpreter that has it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measured(options.rows, options.rounds, options.latency, options.data_designer)
    for name, value in result.items():
        print(f"{name:36}{value:12.2f}")
    if options.json:
        print(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
