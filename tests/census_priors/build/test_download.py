"""Download: resumed, checked and refused, against a real HTTP server on loopback."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from census_personas.census_priors.build.download import DownloadError, download
from census_personas.census_priors.build.en_US.pums_download import FILES, fetch_pums
from census_personas.census_priors.build.source import SourceError

BODY = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Office:
    """A server that can break off, change its file, refuse, or send elsewhere."""

    files: dict[str, bytes] = field(default_factory=lambda: {"/file.zip": BODY})
    tag: str = '"one"'
    break_after: list[int] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    redirect: str = ""
    url: str = ""


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            office.ranges.append(self.headers.get("Range"))
            if office.redirect:
                self.send_response(302)
                self.send_header("Location", office.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if (status := office.status.get(self.path)) is not None or self.path not in office.files:
                self.send_response(status or 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = office.files[self.path]
            wanted = self.headers.get("Range")
            start = 0
            if wanted and self.headers.get("If-Range") == office.tag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start > len(body):
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", office.tag)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            cut = office.break_after.pop(0) if office.break_after else len(body)
            self.wfile.write(body[start : start + cut])
            self.close_connection = cut < len(body) - start

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    office.url = f"http://127.0.0.1:{server.server_port}/"
    yield office
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(office: Office, target: Path, digest: str | None = None) -> Path:
    return download(f"{office.url}file.zip", target, digest=digest, plain_http=True, wait_s=0.0)


def test_file_is_written_with_its_digest(office: Office, tmp_path: Path) -> None:
    target = fetch(office, tmp_path / "deep" / "file.zip", hashlib.sha256(BODY).hexdigest())
    assert target.read_bytes() == BODY
    assert (target.parent / "file.zip.sha256").read_text().split() == [
        hashlib.sha256(BODY).hexdigest(),
        "file.zip",
    ]
    assert sorted(path.name for path in target.parent.iterdir()) == ["file.zip", "file.zip.sha256"]


def test_broken_download_is_resumed(office: Office, tmp_path: Path) -> None:
    office.break_after = [300_000, 200_000]
    assert fetch(office, tmp_path / "file.zip").read_bytes() == BODY
    assert office.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_later_run_resumes_an_earlier_one(office: Office, tmp_path: Path) -> None:
    office.break_after = [1000, 0, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"Received bytes are kept for the next attempt"):
        fetch(office, tmp_path / "file.zip")
    assert not (tmp_path / "file.zip").exists()
    office.ranges.clear()
    assert fetch(office, tmp_path / "file.zip").read_bytes() == BODY
    assert office.ranges == ["bytes=1000-"]


def test_changed_file_starts_anew(office: Office, tmp_path: Path) -> None:
    office.break_after = [1000, 0, 0, 0, 0]
    with pytest.raises(DownloadError):
        fetch(office, tmp_path / "file.zip")
    office.tag, office.files["/file.zip"] = '"two"', b"another release"
    assert fetch(office, tmp_path / "file.zip").read_bytes() == b"another release"


def test_complete_file_is_kept(office: Office, tmp_path: Path) -> None:
    fetch(office, tmp_path / "file.zip")
    office.ranges.clear()
    fetch(office, tmp_path / "file.zip")
    assert office.ranges == []
    (tmp_path / "file.zip").write_bytes(b"damaged")
    assert fetch(office, tmp_path / "file.zip").read_bytes() == BODY


def test_wrong_digest_deletes_the_file(office: Office, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"SHA-256 is [0-9a-f]{64}, not 00; the file was deleted"):
        fetch(office, tmp_path / "file.zip", "00")
    assert list(tmp_path.iterdir()) == []


def test_only_https_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"http://127.0.0.1:9/file.zip: only https is fetched"):
        download("http://127.0.0.1:9/file.zip", tmp_path / "file.zip")


def test_redirect_may_not_leave_https(office: Office, tmp_path: Path) -> None:
    office.redirect = "ftp://elsewhere.example/file.zip"
    with pytest.raises(DownloadError, match=r"ftp://elsewhere.example/file.zip: only https is fetched"):
        fetch(office, tmp_path / "file.zip")


def test_unreachable_server_has_remedy(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"cannot be reached .*are you offline\?.*put it at .*file.zip"):
        download("http://127.0.0.1:9/file.zip", tmp_path / "file.zip", plain_http=True, wait_s=0.0)


def test_moved_file_is_named_at_once(office: Office, tmp_path: Path) -> None:
    del office.files["/file.zip"]
    with pytest.raises(DownloadError, match=r"the server answers 404; check whether the file has moved"):
        fetch(office, tmp_path / "file.zip")
    assert len(office.ranges) == 1


def test_failing_server_is_tried_again(office: Office, tmp_path: Path) -> None:
    office.status["/file.zip"] = 503
    with pytest.raises(DownloadError, match=r"the server answers 503"):
        fetch(office, tmp_path / "file.zip")
    assert len(office.ranges) == 5


def archive(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, "SERIALNO,PWGTP\n" * 1000)
    return stream.getvalue()


def test_national_files_are_tested(office: Office, tmp_path: Path) -> None:
    office.files = {f"/{name}": archive("psam_pusa.csv") for name in FILES}
    assert fetch_pums(tmp_path, office.url, plain_http=True) == tmp_path
    assert all((tmp_path / name).is_file() for name in FILES)


def test_damaged_archive_is_named(office: Office, tmp_path: Path) -> None:
    whole = archive("psam_pusa.csv")
    office.files = {f"/{name}": whole[:60] + b"\xff" * 20 + whole[80:] for name in FILES}
    with pytest.raises(DownloadError, match=r"csv_pus.zip: .*(damaged|not a ZIP file)"):
        fetch_pums(tmp_path, office.url, plain_http=True)


def test_double_counting_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "psam_p06.csv").write_text("SERIALNO\n")
    with pytest.raises(SourceError, match=r"already has person files \(psam_p06.csv\); name an empty folder"):
        fetch_pums(tmp_path)
