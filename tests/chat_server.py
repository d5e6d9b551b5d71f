"""An OpenAI-compatible chat server for tests and benchmarks, in its own process.

    python tests/chat_server.py PORT [--latency 0.2] [--fault 429=0.01] [--fault drop=0.01] ...

Port 0 takes a free one; the first line on stdout says which. Answers are built from the facts in the prompt
and satisfy the schema that the request carries; the same request always gets the same answer. Not covered:
streaming, several choices, tools, and prose worth reading.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
from collections import Counter
from typing import Any

import orjson
from chat_answers import CONTENT_FAULTS, Answers

TRANSPORT_FAULTS = ("429", "500", "503", "drop", "reset", "truncate", "half_json", "stall", "slow", "cut")
FORMS = ("json_schema", "structured_outputs", "json_object")
# A part of vLLM 0.32's metrics, in its order: those that the engine reads, and similar ones.
METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="{model}"}} {running:.1f}
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",model_name="{model}"}} {waiting:.1f}
# HELP vllm:num_requests_waiting_by_reason Number of waiting requests by reason.
# TYPE vllm:num_requests_waiting_by_reason gauge
vllm:num_requests_waiting_by_reason{{engine="0",model_name="{model}",reason="capacity"}} {waiting:.1f}
vllm:num_requests_waiting_by_reason{{engine="0",model_name="{model}",reason="deferred"}} 0.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="{model}"}} {cache}
"""


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("port", type=int)
    parser.add_argument("--model", default="test-narrator")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME=P", help="fault and its probability"
    )
    parser.add_argument(
        "--script", default="", help="faults of the first requests in order, such as 429,ok,drop"
    )
    for alias in ("p429", "p500", "drop", "truncate", "bad-json"):
        parser.add_argument(f"--{alias}", type=float, default=0.0)
    parser.add_argument("--retry-after", type=float, default=None, help="seconds asked for with 429 and 503")
    parser.add_argument("--key", default="", help="the only key that is accepted")
    parser.add_argument("--wrong-key", default="", help="a key that is refused, and repeated in the refusal")
    parser.add_argument("--capacity", type=int, default=0, help="requests in flight above which 429 is sent")
    parser.add_argument("--slots", type=int, default=0, help="requests worked on at once; the others queue")
    parser.add_argument("--metrics", action="store_true", help="tell at /metrics of the queue, as vLLM does")
    parser.add_argument(
        "--understands", default=",".join(FORMS), help="other forms are ignored, as vLLM does"
    )
    parser.add_argument("--refuses", default="", help="parameters and schema keywords answered with 400")
    parser.add_argument(
        "--system", choices=("kept", "refused", "broken", "dropped"), default="kept",
        help="what the chat template does with a system message: 400 with the reason, 500 without, or nothing at all",
    )  # fmt: skip
    parser.add_argument(
        "--thinks-in", default="", metavar="FIELD", help="put every text there, none in content"
    )
    parser.add_argument(
        "--context", type=int, default=0, help="tokens of prompt and answer; more is answered with 400"
    )
    parser.add_argument(
        "--heat",
        type=float,
        default=0.0,
        help="probability, times the temperature, that an answer has a wrong age",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    return parser.parse_args(argv)


class Server:
    """Options, counters and the queue, shared by all connections."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Refuse faults that do not exist."""
        self.options = options
        self.answers = Answers(options)
        self.counts: Counter[str] = Counter()
        self.random = random.Random(options.seed)
        given = dict(pair.split("=") for pair in options.fault)
        unknown = set(given) - {*TRANSPORT_FAULTS, *CONTENT_FAULTS}
        if unknown:
            raise SystemExit(f"unknown faults {unknown}; known: {TRANSPORT_FAULTS + CONTENT_FAULTS}")
        alias = {"429": options.p429, "500": options.p500, "drop": options.drop, "truncate": options.truncate}
        self.faults = {name: float(given.get(name, 0)) or alias.get(name, 0) for name in TRANSPORT_FAULTS}
        self.script = [name for name in options.script.split(",") if name]
        self.places = options.slots or 1_000_000
        self.slots = asyncio.Semaphore(self.places)

    def fault(self, headers: dict[str, str]) -> str:
        if "x-fault" in headers:
            return headers["x-fault"]
        if self.script:
            return self.script.pop(0).replace("ok", "")
        if self.options.capacity and self.counts["in_flight"] > self.options.capacity:
            return "429"
        return next((name for name, p in self.faults.items() if p and self.random.random() < p), "")

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        try:
            while await self.exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): said.strip() for name, _, said in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        if path == "/stats":
            return await self.send(writer, 200, {**self.counts, **self.answers.counts})
        if path == "/reset":
            self.counts.clear()
            self.answers.counts.clear()
            return await self.send(writer, 200, {})
        if path == "/metrics" and self.options.metrics:
            return await self.tell(writer)
        if path == "/health":
            return await self.send(writer, 200, {})
        return await self.api(writer, f"{method} {path}", headers, body)

    async def api(
        self, writer: asyncio.StreamWriter, route: str, headers: dict[str, str], body: bytes
    ) -> bool:
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if (self.options.key and key != self.options.key) or (key and key == self.options.wrong_key):
            return await self.error(writer, 401, f"Incorrect API key provided: {key}.")
        if route == "GET /v1/models":
            served = {"id": self.options.model, "max_model_len": self.options.context or None}
            return await self.send(writer, 200, {"object": "list", "data": [served]})
        if route != "POST /v1/chat/completions":
            return await self.error(writer, 404, f"{route}: no such route")
        self.counts["requests"] += 1
        self.counts["in_flight"] += 1
        self.counts["max_in_flight"] = max(self.counts["max_in_flight"], self.counts["in_flight"])
        try:
            asked = orjson.loads(body)
            if asked.get("model") != self.options.model:
                return await self.error(writer, 404, f"The model `{asked.get('model')}` does not exist.")
            if refused := self.refusal(asked):
                return await self.error(writer, *refused)
            return await self.complete(writer, headers, asked)
        finally:
            self.counts["in_flight"] -= 1

    def refusal(self, body: dict[str, Any]) -> tuple[int, str] | None:
        """Return status and message for a refused request; remove a system message that is to be dropped."""
        if said := self.answers.refusal(body) or self.too_long(body):
            return 400, said
        if self.options.system == "kept" or body["messages"][0]["role"] != "system":
            return None
        self.counts["system_messages"] += 1
        if self.options.system == "refused":
            return 400, "System role not supported System role not supported"
        if self.options.system == "broken":
            return 500, "Internal Server Error"
        del body["messages"][0]
        return None

    def too_long(self, body: dict[str, Any]) -> str:
        """Return vLLM's message for a request that exceeds the context; empty if it fits."""
        most, read, room = (
            self.options.context,
            tokens(body["messages"]),
            body.get("max_tokens") or body.get("max_completion_tokens", 0),
        )
        if not most or read + room <= most:
            return ""
        return (
            f"'max_tokens' or 'max_completion_tokens' is too large: {room}. This model's maximum context length is "
            f"{most} tokens and your request has {read} input tokens ({room} > {most} - {read})."
        )

    async def complete(
        self, writer: asyncio.StreamWriter, headers: dict[str, str], body: dict[str, Any]
    ) -> bool:
        fault = self.fault(headers)
        if fault:
            self.counts[f"fault_{fault}"] += 1
        if fault == "429":
            return await self.error(writer, 429, "Rate limit reached.")
        async with self.slots:
            self.counts["running"] += 1
            if self.options.latency:
                await asyncio.sleep(self.options.latency)
            self.counts["running"] -= 1
        if fault in ("500", "503"):
            return await self.error(writer, int(fault), "EngineCore encountered an issue.")
        if fault in ("drop", "reset"):
            if fault == "reset":
                self.reset(writer)
            return False
        message, reason = self.answers.content(body, fault if fault in CONTENT_FAULTS else "")
        written, read = len(str(message.get("content"))) // 4, tokens(body["messages"])
        if self.options.thinks_in:
            message = {**message, self.options.thinks_in: message["content"], "content": None}
        self.counts["completion_tokens"] += written
        self.counts["prompt_tokens"] += read
        payload = {
            "id": "chatcmpl-test",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": self.options.model,
            "choices": [{"index": 0, "finish_reason": reason, "message": message}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }
        return await self.send(writer, 200, payload, fault=fault)

    @staticmethod
    def reset(writer: asyncio.StreamWriter) -> None:
        """Close with RST, like a killed process."""
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async def tell(self, writer: asyncio.StreamWriter) -> bool:
        running = self.counts["running"]
        waiting = self.counts["in_flight"] - running
        self.counts["looks"] += 1
        text = METRICS.format(
            model=self.options.model, running=running, waiting=waiting, cache=0.5 * running / self.places
        )
        head = f"HTTP/1.1 200 X\r\ncontent-type: text/plain; version=1.0.0\r\ncontent-length: {len(text)}\r\n\r\n"
        writer.write((head + text).encode())
        await writer.drain()
        return True

    async def error(self, writer: asyncio.StreamWriter, status: int, message: str) -> bool:
        wait = self.options.retry_after
        extra = f"retry-after: {wait:g}\r\n" if status in (429, 503) and wait is not None else ""
        error = {"error": {"message": message, "type": "test", "code": status}}
        return await self.send(writer, status, error, extra)

    async def send(
        self, writer: asyncio.StreamWriter, status: int, payload: Any, extra: str = "", fault: str = ""
    ) -> bool:
        body = orjson.dumps(payload)
        if fault == "half_json":
            body = body[: len(body) // 2]
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
        whole = head.encode() + body
        if fault in ("truncate", "stall", "cut"):
            writer.write(whole[: len(whole) - len(body) // 2])
            await writer.drain()
            if fault == "stall":
                await asyncio.sleep(3600)
            if fault == "cut":
                await asyncio.sleep(0.02)
                self.reset(writer)
            return False
        if fault == "slow":
            for i in range(0, len(whole), 200):
                writer.write(whole[i : i + 200])
                await writer.drain()
                await asyncio.sleep(0.02)
            return True
        writer.write(whole)
        await writer.drain()
        return True


def tokens(messages: list[Any]) -> int:
    return len(str(messages)) // 4


async def serve(options: argparse.Namespace) -> None:
    server = Server(options)
    listener = await asyncio.start_server(
        server.handle, "127.0.0.1", options.port, backlog=4096, limit=1 << 20
    )
    port = listener.sockets[0].getsockname()[1]
    print(f"listening on {port}", flush=True)  # noqa: T201 - the port is this command's result
    await listener.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments()))
