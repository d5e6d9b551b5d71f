"""A batch endpoint for tests, in its own process: files and batches as in OpenAI's API reference.

    python tests/batch_server.py PORT [--looks 2] [--fails -attributes-] [--ends expired] [--hang batches] ...

Port 0 takes a free one; the first line on stdout says which. Answers are those of `chat_server.py`, whose options it
takes too. A batch is worked on whenever it is looked at. `/stats` says how many requests were answered, which is what
would be paid for, and how many of them were answered before.
"""

from __future__ import annotations

import argparse
import email.parser
import email.policy
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import chat_server
import orjson
from chat_answers import Answers

STATES = ("validating", "in_progress", "finalizing")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--looks", type=int, default=0, help="looks at a batch before it is over")
    parser.add_argument(
        "--fails", default="", help="requests with this in their id are answered with 500, once"
    )
    parser.add_argument("--ends", default="completed", help="state in which the first batch ends")
    parser.add_argument("--ends-after", type=int, default=0, help="requests of it that are answered before")
    parser.add_argument("--missing", default="", help="do not have this route, such as batches")
    parser.add_argument(
        "--hang", default="", help="do what the first request to each of these routes asks, never answer"
    )
    parser.add_argument(
        "--hang-up", default="", help="do what the first request to this route asks, and hang up"
    )
    parser.add_argument("--throttle", type=int, default=0, help="first makings of a batch that get 429")
    parser.add_argument("--forgets", action="store_true", help="know no batch that was made")
    parser.add_argument("--repeats-key", action="store_true", help="put the caller's key into every answer")
    parser.add_argument("--page", type=int, default=100, help="items of a list")
    own, rest = parser.parse_known_args()
    return argparse.Namespace(**vars(chat_server.arguments(rest)), **vars(own))


class Endpoint:
    """Files and batches, and counts of answers."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Start without files and batches."""
        self.options = options
        self.answers = Answers(options)
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.looks: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.asked: Counter[bytes] = Counter()
        self.failed: set[str] = set()
        self.lock = threading.RLock()

    def add_file(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = f"file-{len(self.files)}"
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id, "object": "file", "bytes": len(content), "created_at": 1_700_000_000 + len(self.files),
            "filename": name, "purpose": purpose, "status": "processed",
        }  # fmt: skip
        return self.files[file_id]

    def make(self, asked: dict[str, Any]) -> dict[str, Any]:
        batch_id = f"batch_{len(self.batches)}"
        self.batches[batch_id] = {
            "id": batch_id, "object": "batch", "endpoint": asked["endpoint"], "errors": None,
            "input_file_id": asked["input_file_id"], "completion_window": asked["completion_window"],
            "status": "validating", "output_file_id": None, "error_file_id": None,
            "created_at": 1_700_000_000 + len(self.batches), "metadata": asked.get("metadata"),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }  # fmt: skip
        return self.batches[batch_id]

    def look(self, batch: dict[str, Any], key: str) -> dict[str, Any]:
        """Return a batch, advanced by one step."""
        looks = self.looks[batch["id"]]
        self.looks[batch["id"]] += 1
        if batch["status"] in {*STATES, "cancelling"}:
            if looks < self.options.looks:
                batch["status"] = STATES[min(looks, len(STATES) - 1)]
            else:
                self.finish(batch, key)
        return batch

    def finish(self, batch: dict[str, Any], key: str) -> None:
        requests = [orjson.loads(line) for line in self.contents[batch["input_file_id"]].splitlines()]
        models = {request["body"]["model"] for request in requests}
        if models != {self.options.model}:
            said = {
                "code": "model_not_found",
                "message": f"The model {sorted(models)} does not exist.",
                "line": 1,
            }
            batch.update(status="failed", errors={"object": "list", "data": [said]})
            return
        is_first = batch["id"] == "batch_0"
        ends = self.options.ends if is_first else "completed"
        if ends == "failed":
            said = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}
            batch.update(status="failed", errors={"object": "list", "data": [said]})
            return
        most = self.options.ends_after if ends != "completed" else len(requests)
        good, bad = [], []
        for request in requests[:most]:
            name = request["custom_id"]
            if self.options.fails and self.options.fails in name and name not in self.failed:
                self.failed.add(name)
                response = {
                    "status_code": 500,
                    "request_id": "r",
                    "body": {"error": {"message": "engine failed"}},
                }
                bad.append({"id": "b", "custom_id": name, "response": response, "error": None})
            else:
                good.append(
                    {"id": "b", "custom_id": name, "response": self.answer(request, key), "error": None}
                )
        code = f"batch_{ends}"
        bad += [
            {"id": "b", "custom_id": request["custom_id"], "response": None, "error": {"code": code, "message": code}}
            for request in requests[most:]
        ]  # fmt: skip
        batch["status"] = ends
        batch["request_counts"] = {"total": len(requests), "completed": len(good), "failed": len(bad)}
        for field, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                content = b"".join(orjson.dumps(line) + b"\n" for line in reversed(lines))
                batch[field] = self.add_file(f"{batch['id']}_{field}.jsonl", content, "batch_output")["id"]

    def answer(self, request: dict[str, Any], key: str) -> dict[str, Any]:
        body = request["body"]
        self.counts["answered"] += 1
        before = orjson.dumps([body["messages"], body.get("seed")])
        self.counts["answered_twice"] += self.asked[before] > 0
        self.asked[before] += 1
        message, reason = self.answers.content(body, "")
        if self.options.repeats_key:
            message = {**message, "content": f'{message["content"][:-1]}, "x": "{key}"}}'}
        read, written = chat_server.tokens(body["messages"]), len(str(message["content"])) // 4
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        choice = {"index": 0, "finish_reason": reason, "message": message}
        whole = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"]}
        return {"status_code": 200, "request_id": "r", "body": {**whole, "choices": [choice], "usage": usage}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Endpoint

    def do_GET(self) -> None:
        self.handle_request("GET")

    def do_POST(self) -> None:
        self.handle_request("POST")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def handle_request(self, method: str) -> None:
        body, url = self.body(), urlsplit(self.path)
        place = self.endpoint
        with place.lock:
            if url.path == "/stats":
                counts = {**place.counts, "batches": len(place.batches), "files": len(place.files)}
                return self.send(200, counts)
            key = self.headers.get("authorization", "").removeprefix("Bearer ")
            if place.options.key and key != place.options.key:
                return self.error(401, f"Incorrect API key provided: {key}.")
            route = url.path.removeprefix("/v1/").split("/")
            if place.options.missing and place.options.missing == route[0]:
                return self.error(404, f"{url.path}: no such route")
            name = f"{method} {route[0]}" + ("/" if len(route) > 1 else "")
            place.counts[name] += 1
            status, said = self.answered(name, route, body, parse_qs(url.query), key)
            is_first = place.counts[name] == 1
        if is_first and name in place.options.hang.split(","):
            time.sleep(3600)
        if is_first and name == place.options.hang_up:
            self.close_connection = True
            return None
        return self.send(status, said) if status == 200 else self.error(status, said)

    def answered(  # noqa: PLR0911  a route each
        self, name: str, route: list[str], body: bytes, query: dict[str, list[str]], key: str
    ) -> tuple[int, Any]:
        place = self.endpoint
        if name == "POST files":
            return 200, place.add_file(*self.uploaded(body), purpose="batch")
        if name == "GET files":
            return 200, self.page(
                [item for item in place.files.values() if item["purpose"] == "batch"], query
            )
        if name == "GET files/" and route[-1] == "content" and route[1] in place.contents:
            return 200, place.contents[route[1]]
        if name == "POST batches":
            if place.counts[name] <= place.options.throttle:
                return 429, "You exceeded your current quota, please check your plan and billing details."
            return 200, place.make(orjson.loads(body))
        if name == "POST batches/":
            place.batches[route[1]]["status"] = "cancelling"
            return 200, place.batches[route[1]]
        known = {} if place.options.forgets else place.batches
        if name == "GET batches":
            return 200, self.page(list(known.values()), query)
        if name == "GET batches/" and route[1] in known:
            return 200, place.look(known[route[1]], key)
        return 404, f"{'/'.join(route)}: not found"

    def page(self, items: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
        """Return items after the one that the query names, newest first."""
        items, after = items[::-1], query.get("after", [""])[0]
        ids = [item["id"] for item in items]
        start = ids.index(after) + 1 if after else 0
        shown = items[start : start + self.endpoint.options.page]
        return {"object": "list", "data": shown, "has_more": start + len(shown) < len(items)}

    def uploaded(self, body: bytes) -> tuple[str, bytes]:
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        assert parts["purpose"].get_payload(decode=True).strip() == b"batch"
        file = parts["file"]
        content = file.get_payload(decode=True)
        assert all(orjson.loads(line)["method"] == "POST" for line in content.splitlines())
        return file.get_filename(), content

    def body(self) -> bytes:
        if self.headers.get("transfer-encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def error(self, status: int, message: str) -> None:
        self.send(status, {"error": {"message": message, "type": "test", "code": None}})

    def send(self, status: int, said: Any) -> None:
        content = said if isinstance(said, bytes) else orjson.dumps(said)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    options = arguments()
    Handler.endpoint = Endpoint(options)
    with ThreadingHTTPServer(("127.0.0.1", options.port), Handler) as server:
        server.daemon_threads = True
        print(f"listening on {server.server_address[1]}", flush=True)  # noqa: T201 - the port is this command's result
        server.serve_forever()
