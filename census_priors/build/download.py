"""Download: fetches official files over HTTPS, resumes broken downloads, and recognises files by digest."""

from __future__ import annotations

import json
import logging
import time
from http import HTTPStatus
from pathlib import Path
from typing import IO

import httpx2

from census_personas.census_priors.build.source import BLOCK, sha256
from census_personas.foundation.errors import PersonasError

ATTEMPTS, WAIT_S, TIMEOUT_S = 5, 2.0, 60.0
REPORT_EVERY = 64 * BLOCK

log = logging.getLogger(__name__)


class DownloadError(PersonasError, OSError):
    """A file that could not be fetched; the message names it, the reason and the remedy."""

    exit_code = 1


def download(
    url: str, target: Path, *, digest: str | None = None, plain_http: bool = False, wait_s: float = WAIT_S
) -> Path:
    """Fetch a file, resuming a broken download, and check it.

    Bytes go to `<target>.partial`; only a complete file is renamed, and gets `<target>.sha256` beside it. A target that
    still matches this digest is not fetched again.

    Args:
        url: https address; every redirect must be https too.
        target: file to write; its folder is created.
        digest: expected SHA-256; without it, the length stated by the server is checked.
        plain_http: allow http, for tests against a server on this machine.
        wait_s: seconds before the second attempt; doubled before each further one.

    Raises:
        DownloadError: the address is not https, nobody answers, the server refuses, or the digest differs.
    """
    kept = target.with_name(f"{target.name}.sha256")
    if target.is_file() and kept.is_file() and kept.read_text(encoding="ascii").split()[0] == sha256(target):
        log.info("%s: already there and whole", target)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")

    def only_https(request: httpx2.Request) -> None:
        if request.url.scheme not in ({"https", "http"} if plain_http else {"https"}):
            raise DownloadError(
                f"{request.url}: only https is fetched; get the file yourself if you trust this address"
            )

    hooks = {"request": [only_https]}
    with httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S, event_hooks=hooks) as client:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _fetch(client, url, partial)
                break
            except (httpx2.TransportError, _BrokeOffError) as error:
                if attempt == ATTEMPTS:
                    raise DownloadError(_offline(url, target, error)) from error
                log.info("%s: interrupted (%s); attempt %d of %d", url, error, attempt + 1, ATTEMPTS)
                time.sleep(wait_s * 2 ** (attempt - 1))
    found = sha256(partial)
    if digest is not None and found != digest:
        _forget(partial)
        raise DownloadError(f"{url}: SHA-256 is {found}, not {digest}; the file was deleted, try again")
    partial.replace(target)
    _forget(partial)
    kept.write_text(f"{found}  {target.name}\n", encoding="ascii")
    return target


class _BrokeOffError(PersonasError):
    """Fewer bytes arrived than announced."""


def _offline(url: str, target: Path, error: Exception) -> str:
    reason = str(error) or type(error).__name__
    return (
        f"{url}: cannot be reached ({reason}); are you offline? Received bytes are kept for the next attempt; "
        f"or fetch the file elsewhere and put it at {target}"
    )


def _fetch(client: httpx2.Client, url: str, partial: Path) -> None:
    """Make one attempt; resume only if the server's file is unchanged."""
    have = partial.stat().st_size if partial.exists() else 0
    mark = _mark(partial)
    headers = {"Accept-Encoding": "identity"}
    if have and mark:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _forget(partial)
            raise _BrokeOffError("the partial file is longer than the file")
        if answer.status_code not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            if answer.is_server_error:
                raise _BrokeOffError(f"the server answers {answer.status_code}")
            raise DownloadError(
                f"{url}: the server answers {answer.status_code}; check whether the file has moved"
            )
        resumed = answer.status_code == HTTPStatus.PARTIAL_CONTENT
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _forget(partial)
            raise _BrokeOffError("the server resumes at another position than requested")
        start = have if resumed else 0
        total = start + int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
        _remember(partial, _validator(answer))
        with partial.open("ab" if resumed else "wb") as stream:
            size = _copy(answer, stream, start, total, url)
    if total is not None and size != total:
        raise _BrokeOffError(f"{size:,} of {total:,} bytes arrived")


def _validator(answer: httpx2.Response) -> str:
    """Return the validator of the file's version; weak tags must not be used to resume (RFC 9110, 13.1.5)."""
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(answer.headers.get("Last-Modified", ""))


def _copy(answer: httpx2.Response, stream: IO[bytes], start: int, total: int | None, url: str) -> int:
    size, said = start, start
    for (
        block
    ) in answer.iter_raw():  # unbuffered: a chunked iterator loses its buffer when the connection breaks
        stream.write(block)
        size += len(block)
        if size - said >= REPORT_EVERY:
            log.info("%s: %d MB%s", url, size // BLOCK, f" of {total // BLOCK}" if total else "")
            said = size
    return size


def _mark(partial: Path) -> str:
    path = partial.with_name(f"{partial.name}.json")
    return str(json.loads(path.read_text(encoding="utf-8"))["validator"]) if path.is_file() else ""


def _remember(partial: Path, validator: str) -> None:
    partial.with_name(f"{partial.name}.json").write_text(
        json.dumps({"validator": validator}), encoding="utf-8"
    )


def _forget(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    partial.with_name(f"{partial.name}.json").unlink(missing_ok=True)
