"""Request outline: what the requests of a configuration carry and where they go, without secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import AddressError
from census_personas.generator.llm.dialect import Dialect
from census_personas.generator.llm.proxy import proxy_for
from census_personas.generator.llm.tls import authorities, client_certificate
from census_personas.generator.llm.transport import Address

_LONGEST = 60


def outline_requests(config: LLMConfig) -> dict[str, str]:
    """Describe the body, and for each endpoint its key's variable, header names, proxy and TLS.

    Raises:
        EndpointError: no request can be sent to an endpoint. The message holds no secrets.
    """
    addresses = Address.all_of(config)
    number = len(addresses)
    lines = {
        "endpoint" if number == 1 else f"endpoint {place} of {number}": _reached(config, address)
        for place, address in enumerate(addresses, 1)
    }
    return {"request": _body(config), **lines}


def _body(config: LLMConfig) -> str:
    limit = Dialect.of_config(config).limit
    said: Mapping[str, Any] = {
        "model": config.model,
        "temperature": config.temperature,
        "top_p": config.top_p,
        limit: config.max_tokens,
        **{name: value for name, value in config.options().items() if name != "seed"},
    }
    form = "found out" if config.structured_output == "auto" else config.structured_output
    role = {"auto": "found out", "yes": "sent", "no": "in front of the first user message"}[
        config.system_role
    ]
    parts = [f"{name}={_cut(json.dumps(value, ensure_ascii=False))}" for name, value in said.items()]
    seed = "a seed" if config.seed else "no seed"
    return f"{', '.join(parts)}; messages and {seed}; JSON schema: {form}; system message: {role}"


def _reached(config: LLMConfig, address: Address) -> str:
    parts = [address.shown]
    if "authorization" not in {name.lower() for name in address.header_names}:
        is_set = bool(os.environ.get(address.key_variable, "").strip())
        parts.append(f"key from {address.key_variable}{'' if is_set else ' (not set)'}")
    if address.header_names:
        parts.append(f"headers {', '.join(address.header_names)}")
    if proxy := proxy_for(address.url):
        parts.append(f"by the proxy {_bare(proxy)}")
    if address.url.lower().startswith("https:"):
        parts += [f"authorities of {name}" for name in authorities()]
        certificate, source = client_certificate(config)
        parts += [f"client certificate of {source}"] if certificate else []
    return ", ".join(parts)


def _bare(proxy: str) -> str:
    """Return the address of a proxy, without user and password."""
    parts = urlsplit(proxy)
    if parts.hostname is None:
        raise AddressError("the proxy in the environment has no host")
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
