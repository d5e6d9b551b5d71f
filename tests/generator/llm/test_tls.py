"""TLS, proxies and client certificates, through both transports and real connections."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from gateway import Noted, completion, forward_proxy, gateway

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import ChatRequest, Completion, LLMError
from census_personas.generator.llm.proxy import proxy_for
from census_personas.generator.narration.backends import connect

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="no openssl to make certificates with")
TRANSPORTS = ("openai", "lean")
REQUEST = ChatRequest(({"role": "user", "content": "Hello."},), "hello", {"type": "object"}, 0.0, 1.0, 64, 0)
VARIABLES = (
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "SSL_CLIENT_CERT",
)  # fmt: skip
EXTENSIONS = "subjectAltName=IP:127.0.0.1,DNS:localhost"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority (`ca.pem`), and certificates that it signed for a server and for a client."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    authority = (
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", *authority)
    (folder / "extensions").write_text(EXTENSIONS)
    for name in ("server", "client"):
        openssl(
            "req", "-new", *key[:5], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"
        )
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-out", f"{name}.pem", "-extfile", "extensions",
        )  # fmt: skip
    both = (folder / "client.pem").read_text() + (folder / "client.key").read_text()
    (folder / "both.pem").write_text(both)
    (folder / "hashed").mkdir()
    shutil.copy(folder / "ca.pem", folder / "hashed")
    openssl("rehash", "hashed")
    return folder


def context(certificates: Path, *, client: bool = False) -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    if client:
        server.load_verify_locations(certificates / "ca.pem")
        server.verify_mode = ssl.CERT_REQUIRED
    return server


@pytest.fixture
def started(certificates: Path) -> Iterator[Callable[..., Noted]]:
    with ExitStack() as stack:

        def start(*, tls: bool = True, client: bool = False) -> Noted:
            secured = context(certificates, client=client) if tls else None
            return stack.enter_context(gateway(lambda _: completion({"content": "{}"}), tls=secured))

        yield start


async def asked(transport: str, url: str, **changes: Any) -> Completion:
    values = {"backend": "openai", "model": "m", "base_url": url, "structured_output": "json_schema"}
    limits = {"max_retries": 0, "timeout_s": 10, "patience_s": 0}
    model = connect(LLMConfig.model_validate({**values, **limits, "transport": transport, **changes}))
    try:
        return await model.complete(REQUEST)
    finally:
        await model.aclose()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("SSL_CERT_FILE", "ca.pem"),
        ("SSL_CERT_DIR", "hashed"),
        ("REQUESTS_CA_BUNDLE", "ca.pem"),
        ("REQUESTS_CA_BUNDLE", "hashed"),
        ("CURL_CA_BUNDLE", "ca.pem"),
    ],
)
async def test_environment_names_an_authority(
    transport: str,
    variable: str,
    place: str,
    certificates: Path,
    started: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, str(certificates / place))
    assert (await asked(transport, started().url)).text == "{}"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_unknown_authority_is_refused(transport: str, started: Any) -> None:
    with pytest.raises(LLMError, match="no TLS connection"):
        await asked(transport, started().url)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_client_certificate_is_sent(
    transport: str, certificates: Path, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    url = started(client=True).url
    with pytest.raises(LLMError):
        await asked(transport, url)
    pair = {"client_cert": str(certificates / "client.pem"), "client_key": str(certificates / "client.key")}
    assert (await asked(transport, url, **pair)).text == "{}"
    assert (await asked(transport, url, client_cert=str(certificates / "both.pem"))).text == "{}"
    monkeypatch.setenv("SSL_CLIENT_CERT", str(certificates / "both.pem"))
    assert (await asked(transport, url)).text == "{}"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("variable", "name", "said"),
    [
        ("SSL_CERT_FILE", "nowhere.pem", "SSL_CERT_FILE=.*: no such file"),
        ("SSL_CERT_FILE", "ca.key", "SSL_CERT_FILE=.*: not a PEM file of certificates"),
        ("SSL_CLIENT_CERT", "client.pem", "SSL_CLIENT_CERT=.*: not a PEM file of a certificate and its key"),
    ],
)
def test_unusable_file_is_named(
    transport: str, variable: str, name: str, said: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(certificates / name))
    with pytest.raises(LLMError, match=said) as raised:
        connect(LLMConfig(backend="openai", model="m", base_url="https://127.0.0.1/v1", transport=transport))  # type: ignore[arg-type]
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("variable", "tls"),
    [("HTTP_PROXY", False), ("HTTPS_PROXY", True), ("ALL_PROXY", False), ("ALL_PROXY", True)],
)
async def test_proxy_of_the_environment_is_used(
    transport: str,
    variable: str,
    tls: bool,
    certificates: Path,
    started: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    server = started(tls=tls)
    with forward_proxy() as proxy:
        # `http_proxy` in small letters, as curl wants it; the others in either.
        monkeypatch.setenv(variable, proxy.url.replace("//", "//me:pass-of-proxy@"))
        assert (await asked(transport, server.url)).text == "{}"
        (target,) = proxy.targets
        assert ("/v1/" in target) is not tls
        basic = base64.b64encode(b"me:pass-of-proxy").decode()
        assert proxy.headers[0]["proxy-authorization"] == f"Basic {basic}"
        assert "proxy-authorization" not in server.headers[0]
        monkeypatch.setenv("NO_PROXY", "other.test, 127.0.0.0/8")
        assert (await asked(transport, server.url)).text == "{}"
    assert len(proxy.targets) == 1
    assert len(server.headers) == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_dead_proxy_hides_its_password(
    transport: str, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forward_proxy() as proxy:
        url = proxy.url.replace("//", "//me:pass-of-proxy@")
    monkeypatch.setenv("ALL_PROXY", url)
    with pytest.raises(LLMError, match="proxy") as raised:
        await asked(transport, started(tls=False).url)
    assert "pass-of-proxy" not in "".join(traceback.format_exception(raised.value)) + raised.value.hint


@pytest.mark.parametrize(
    ("excepted", "url", "is_proxied"),
    [
        ("", "http://a.test/v1", True),
        ("a.test", "http://a.test/v1", False),
        ("test", "http://a.test/v1", False),
        (".a.test", "http://b.a.test/v1", False),
        ("a.test:81", "http://a.test:81/v1", False),
        ("a.test:81", "http://a.test:82/v1", True),
        ("10.0.0.0/8", "http://10.1.2.3/v1", False),
        ("10.0.0.0/8, nonsense/x", "http://11.1.2.3/v1", True),
        ("10.0.0.0/8", "http://a.test/v1", True),
        ("*", "http://a.test/v1", False),
    ],
)
def test_no_proxy_hosts_are_direct(
    excepted: str, url: str, is_proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxy_for(url) == ("http://proxy.test:3128" if is_proxied else None)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scheme", ["socks4", "socks5", "socks5h", "SOCKS"])
def test_socks_proxy_is_refused(transport: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:hunter2-pass@proxy.test:1080")
    with pytest.raises(LLMError, match=r"ALL_PROXY: a SOCKS proxy \(socks.*\) is not supported") as raised:
        connect(LLMConfig(backend="openai", model="m", base_url="https://a.test/v1", transport=transport))  # type: ignore[arg-type]
    assert "http://host:port" in raised.value.hint
    assert raised.value.exit_code == 2
    assert "hunter2" not in f"{raised.value}{raised.value.hint}"
    monkeypatch.setenv("NO_PROXY", "a.test")
    assert proxy_for("https://a.test/v1") is None
