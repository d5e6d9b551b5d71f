"""A double of the Hugging Face hub's HTTP API for dataset repositories, in its own process.

    python tests/hub_server.py PORT [--token TOKEN] [--refuse STATUS] [--stall-lfs]

Creates repositories, takes uploads (regular and LFS) in commits, lists and serves files. Port 0 takes a free one; the
first line on stdout says which. Not covered: Xet, branches, pull requests, history, the viewer.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORIES: dict[str, dict[str, bytes]] = {}
PRIVATE: dict[str, bool] = {}
STORE: dict[str, bytes] = {}
COUNTS = {"requests": 0, "lfs_puts": 0, "commits": 0, "stalled": 0}


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's


def oid_of(path: str, content: bytes | None) -> str | None:
    if content is None:
        return None
    return hashlib.sha256(content).hexdigest() if path.endswith(".parquet") else git_oid(content)


class Hub(BaseHTTPRequestHandler):
    """One request."""

    options: argparse.Namespace
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def answer(self, status: int, payload: Any = None, headers: dict[str, str] | None = None) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload or {}).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def route(self) -> None:
        COUNTS["requests"] += 1
        body, path = self.body(), self.path.partition("?")[0]
        if path == "/stats":
            files = {name: sorted(found) for name, found in REPOSITORIES.items()}
            self.answer(200, {**COUNTS, "private": PRIVATE, "files": files})
        elif path.startswith("/lfs/"):
            self.stored(path.removeprefix("/lfs/"), body)
        elif self.options.refuse:
            self.answer(self.options.refuse, {"error": "refused"})
        elif self.options.token and self.headers.get("authorization") != f"Bearer {self.options.token}":
            self.answer(401, {"error": "Invalid credentials"})
        else:
            self.api(path, body)

    def api(self, path: str, body: bytes) -> None:
        if path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif path == "/api/repos/create":
            self.create(json.loads(body))
        elif re.fullmatch(r"/datasets/(.+?)\.git/info/lfs/objects/batch", path):
            self.batch(json.loads(body))
        elif found := re.fullmatch(r"/datasets/(.+?)/resolve/([^/]+)/(.+)", path):
            self.resolve(found[1], found[3])
        elif found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(/.*)?", path):
            self.repository(found[1], found[2] or "", body)
        else:
            self.answer(404, {"error": path})

    do_GET = do_POST = do_PUT = do_HEAD = route  # noqa: N815 - names of the base class

    def create(self, asked: dict[str, Any]) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = {"url": f"http://{self.headers['host']}/datasets/{name}"}
        if name in REPOSITORIES:
            return self.answer(409, {"error": "You already created this dataset repo", **url})
        REPOSITORIES[name] = {".gitattributes": b"*.parquet filter=lfs\n"}
        PRIVATE[name] = asked.get("visibility") == "private" or asked.get("private") is True
        return self.answer(200, url)

    def batch(self, asked: dict[str, Any]) -> None:
        host = self.headers["host"]
        objects = [
            {**item} if item["oid"] in STORE else
            {**item, "actions": {"upload": {"href": f"http://{host}/lfs/{item['oid']}"}}}
            for item in asked["objects"]
        ]  # fmt: skip
        return self.answer(200, {"objects": objects, "transfer": "basic"})

    def stored(self, oid: str, body: bytes) -> None:
        if self.options.stall_lfs:
            Hub.options.stall_lfs = False  # the first upload alone
            COUNTS["stalled"] += 1
            time.sleep(3600)
        COUNTS["lfs_puts"] += 1
        if hashlib.sha256(body).hexdigest() != oid:
            return self.answer(400, {"error": "digest"})
        STORE[oid] = body
        return self.answer(200)

    def repository(self, name: str, action: str, body: bytes) -> None:
        files = REPOSITORIES.get(name)
        if files is None:
            return self.answer(404, {"error": "Repository not found"}, {"x-error-code": "RepoNotFound"})
        if action.startswith("/preupload/"):
            modes = [
                {
                    "path": item["path"],
                    "uploadMode": "lfs" if item["path"].endswith(".parquet") else "regular",
                    "shouldIgnore": False,
                    "oid": oid_of(item["path"], files.get(item["path"])),
                }
                for item in json.loads(body)["files"]
            ]
            return self.answer(200, {"files": modes})
        if action.startswith("/commit/"):
            return self.commit(name, files, body)
        if action.startswith("/tree/"):
            tree = [
                {"type": "file", "path": path, "size": len(content), "oid": git_oid(content)}
                for path, content in sorted(files.items())
            ]
            return self.answer(200, tree)
        siblings = [{"rfilename": path, "size": len(content)} for path, content in sorted(files.items())]
        known = {
            "id": name,
            "sha": "0" * 40,
            "private": PRIVATE[name],
            "siblings": siblings,
            "tags": [],
            "gated": False,
        }
        return self.answer(
            200, {**known, "author": name.partition("/")[0], "disabled": False, "downloads": 0, "likes": 0}
        )

    def commit(self, name: str, files: dict[str, bytes], body: bytes) -> None:
        for line in body.splitlines():
            item = json.loads(line)
            value = item["value"]
            if item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                files[value["path"]] = STORE[value["oid"]]
            elif item["key"] == "deletedFile":
                files.pop(value["path"], None)
        COUNTS["commits"] += 1
        url = f"http://{self.headers['host']}/datasets/{name}/commit/{'1' * 40}"
        return self.answer(200, {"commitUrl": url, "commitOid": "1" * 40, "success": True})

    def resolve(self, name: str, path: str) -> None:
        content = REPOSITORIES.get(name, {}).get(path)
        if content is None:
            return self.answer(404, {"error": "Entry not found"}, {"x-error-code": "EntryNotFound"})
        return self.answer(200, content, {"etag": f'"{git_oid(content)}"', "x-repo-commit": "0" * 40})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--token", default="")
    parser.add_argument("--refuse", type=int, default=0)
    parser.add_argument("--stall-lfs", action="store_true")
    Hub.options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", Hub.options.port), Hub)
    print(f"listening on {server.server_address[1]}", flush=True)  # noqa: T201 - the port is the result
    server.serve_forever()


if __name__ == "__main__":
    main()
