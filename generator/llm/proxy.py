"""Proxy: the one that the environment names for an endpoint."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from census_personas.generator.llm.chat import EndpointError

HINT = "write HTTP_PROXY, HTTPS_PROXY or ALL_PROXY as http://host:port, or unset it"
FAULT = "the proxy that the environment names is no http address (not shown, as it may hold a password)"


def proxy_for(url: str) -> str | None:
    """The environment's proxy for a URL. aiohttp would look it up for every request, in a thread.

    Raises:
        EndpointError: it is no http address.
    """
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxy = getproxies().get(parts.scheme)
    if proxy is None:
        return None
    try:
        named = urlsplit(proxy)
        sound = named.scheme in {"http", "https"} and bool(named.hostname) and (named.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or not proxy.isprintable():
        raise EndpointError(FAULT, hint=HINT)
    return proxy
