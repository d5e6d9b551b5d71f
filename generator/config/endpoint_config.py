"""Endpoint config: where one server is, the variable of its key, and headers whose values are never written."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, field_serializer
from pydantic_core import PydanticCustomError

from census_personas.generator.config.section import Section

BaseURL = Annotated[str, Field(pattern=r"^https?://[^@]+$")]
ApiKeyVariable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How the value of a header names an environment variable."""
_MOST_HEADERS = 50
_LONGEST = 8192
# A field name as RFC 9110, section 5.6.2, has it.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# What the engine or its HTTP library decides for each request.
_OWN = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
     "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
# A value that shows no secret: one variable, perhaps with the name of a scheme before it, such as Bearer.
_BARE = re.compile(r"(?:[A-Za-z][A-Za-z-]{1,11} )?\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Refuse what no request can carry; errors name the header, never its value."""
    seen: dict[str, str] = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise PydanticCustomError(
                "header", "has a name that no header has (letters, digits and hyphens are taken)"
            )
        said = ""
        if name.lower() in _OWN:
            said = "is set for each request by itself; leave it out"
        elif name.lower() == "proxy-authorization":
            said = "is sent to a proxy alone; write user and password into HTTPS_PROXY"
        elif name.lower() in seen:
            said = f"is there twice, as {seen[name.lower()]} too; leave one out"
        elif not value.strip() or not _is_text(VARIABLE.sub("", value)) or len(value) > _LONGEST:
            said = "has a value that no header has (not shown, as it may be a secret)"
        elif "${" in VARIABLE.sub("", value):
            said = "names a variable in a way that is not read; write ${NAME}"
        if said:
            raise PydanticCustomError("header", "{name}: {said}", {"name": name, "said": said})
        seen[name.lower()] = name
    if len(headers) > _MOST_HEADERS:
        raise PydanticCustomError("header", f"are at most {_MOST_HEADERS}")
    return headers


def _is_text(value: str) -> bool:
    return value.isascii() and (value.isprintable() or not value)


Headers = Annotated[dict[str, str], AfterValidator(_sendable)]


def writable_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers that a run's files may show: those whose value is a variable's, by the variable's name."""
    return {name: value for name, value in headers.items() if _BARE.fullmatch(value)}


class EndpointConfig(Section):
    """One of several endpoints that share the work; what it leaves out is as in the `llm` section."""

    base_url: BaseURL = Field(description="URL of the endpoint, up to and with /v1.")
    api_key_env: ApiKeyVariable | None = Field(
        default=None, description="Environment variable that holds its key; default: llm.api_key_env."
    )
    headers: Headers = Field(
        default_factory=dict,
        repr=False,
        description="Headers beside those of llm.headers, or in their place.",
    )

    @field_serializer("headers", when_used="json")
    def _without_values(self, headers: dict[str, str]) -> dict[str, str]:
        return writable_headers(headers)
