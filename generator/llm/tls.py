"""TLS: the certificate authorities that are trusted, and the client certificate that is sent."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import AddressError

# Each of these replaces the system's own authorities: OpenSSL's two, then those of requests and curl.
_OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_OTHERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
AUTHORITIES = (*_OPENSSL, *_OTHERS)
"""Variables that name certificate authorities, in order of precedence."""
CLIENT_CERT = "SSL_CLIENT_CERT"
"""The variable that names a client certificate, as in uv: one PEM file of certificate and key."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For addresses without TLS: it trusts no authority."""


def tls_context(config: LLMConfig, url: str, proxy: str | None) -> ssl.SSLContext | None:
    """Return the context for connections to an endpoint and its proxy; None if neither uses TLS.

    Raises:
        AddressError: a file of authorities, a certificate or its key cannot be read; names the variable or key.
    """
    if not any(place.lower().startswith("https:") for place in (url, proxy or "")):
        return None
    context = _trusting()
    certificate, source = client_certificate(config)
    if certificate:
        key = config.client_key if source == "llm.client_cert" else None
        try:
            # A callback that refuses: otherwise OpenSSL asks for the password at the terminal.
            context.load_cert_chain(certificate, key, password=_refuse_password)
        except (OSError, ValueError) as error:
            said = _fault(error, "not a PEM file of a certificate and its key")
            pair = f" and llm.client_key={key}" if key else ""
            raise AddressError(
                f"{source}={certificate}{pair}: {said}",
                hint="give PEM files without a password; llm.client_key names a key in a separate file",
            ) from error
    return context


def client_certificate(config: LLMConfig) -> tuple[str | None, str]:
    """Return the path of the client certificate, and the key or variable that names it."""
    if config.client_cert:
        return config.client_cert, "llm.client_cert"
    return os.environ.get(CLIENT_CERT) or None, CLIENT_CERT


def authorities() -> tuple[str, ...]:
    """Return the environment variables that decide the trusted authorities."""
    openssl = tuple(name for name in _OPENSSL if os.environ.get(name))
    return openssl or tuple(name for name in _OTHERS if os.environ.get(name))[:1]


def _trusting() -> ssl.SSLContext:
    """Return a context that trusts the authorities of the environment, else the system's."""
    named = authorities()
    if not named:
        import httpx2  # noqa: PLC0415 - only where there is TLS

        return httpx2.create_ssl_context(trust_env=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in named:
        place = os.environ[name]
        try:
            if os.pathsep in place or Path(place).is_dir():
                context.load_verify_locations(capath=place)
            else:
                context.load_verify_locations(cafile=place)
        except (OSError, ValueError) as error:
            said = _fault(error, "not a PEM file of certificates")
            raise AddressError(f"{name}={place}: {said}", hint=f"correct it, or unset {name}") from error
    return context


def _refuse_password() -> str:
    raise ValueError("the key has a password")


def _fault(error: OSError | ValueError, otherwise: str) -> str:
    return "no such file" if isinstance(error, FileNotFoundError) else otherwise
