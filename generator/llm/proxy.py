"""Proxy: the one that the environment sets for an endpoint."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from census_personas.generator.llm.chat import AddressError

HINT = "write HTTP_PROXY, HTTPS_PROXY or ALL_PROXY as http://host:port, or unset it"
_SOCKS = frozenset({"socks", "socks4", "socks4a", "socks5", "socks5h"})
FAULT = "the proxy in the environment is not an http address (not shown, as it may hold a password)"


def proxy_for(url: str) -> str | None:
    """Return the environment's proxy for a URL; both transports use it, so that they use the same one.

    HTTP_PROXY or HTTPS_PROXY by the URL's scheme, else ALL_PROXY; None for what NO_PROXY names: hosts and their
    subdomains, `host:port`, addresses and blocks of them (10.0.0.0/8), `*` for all.

    Raises:
        AddressError: it is a SOCKS proxy, which needs a library beyond each transport's own, or no http address.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or _is_excepted(host, parts.port, proxies.get("no", "")):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"  # as curl and requests take it
    try:
        named = urlsplit(proxy)
        sound = named.scheme in {"http", "https"} and bool(named.hostname) and (named.port or 1) > 0
    except ValueError:
        sound = False
    if (scheme := proxy.partition("://")[0].lower()) in _SOCKS:
        raise AddressError(
            f"{_variable(parts.scheme)}: a SOCKS proxy ({scheme}) is not supported",
            hint="name an HTTP proxy as http://host:port, unset the variable, or name the endpoint's host in NO_PROXY",
        )
    if not sound or not proxy.isprintable():
        raise AddressError(FAULT, hint=HINT)
    return proxy


def _variable(scheme: str) -> str:
    """Return the environment variable that names the proxy; small letters take precedence, as in urllib."""
    names = [name for of in (scheme, "all") for name in (f"{of}_proxy", f"{of}_proxy".upper())]
    return next((name for name in names if os.environ.get(name)), "the system's proxy")


def _is_excepted(host: str, port: int | None, excepted: str) -> bool:
    """Return whether NO_PROXY, or the system's settings, name a host."""
    if proxy_bypass(host) or (port is not None and proxy_bypass(f"{host}:{port}")):
        return True
    return any(_is_in(host, block.strip()) for block in excepted.split(",") if "/" in block)


def _is_in(host: str, block: str) -> bool:
    try:
        return ip_address(host) in ip_network(block, strict=False)
    except ValueError:  # a name, or an invalid block
        return False
