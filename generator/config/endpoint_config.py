"""Endpoint config: one server's URL, the variable of its key, and headers whose values are never written."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, field_serializer
from pydantic_core import PydanticCustomError

from census_personas.generator.config.section import Section

BaseURL = Annotated[str, Field(pattern=r"^https?://[^@]+$")]
ApiKeyVariable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""Pattern of an environment variable in a header's value."""
_MOST_HEADERS = 50
_LONGEST = 8192
# A field name by RFC 9110, section 5.6.2.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
# Headers that the engine or its HTTP library sets for each request.
_OWN = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
     "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
# A value without a secret: one variable, perhaps after the name of a scheme such as Bearer.
_BARE = re.compile(r"(?:[A-Za-z][A-Za-z-]{1,11} )?\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """Refuse headers that no request can carry; errors name the header, never its value."""
    seen: dict[str, str] = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise PydanticCustomError(
                "header", "has a name that a header cannot have (use letters, digits and hyphens)"
            )
        said = ""
        if name.lower() in _OWN:
            said = "is set automatically for each request; leave it out"
        elif name.lower() == "proxy-authorization":
            said = "is only sent to a proxy; write user and password into HTTPS_PROXY"
        elif name.lower() in seen:
            said = f"repeats {seen[name.lower()]}; leave one out"
        elif not value.strip() or not _is_text(VARIABLE.sub("", value)) or len(value) > _LONGEST:
            said = "has a value that a header cannot have (not shown, as it may be a secret)"
        elif "${" in VARIABLE.sub("", value):
            said = "names a variable in an unknown form; write ${NAME}"
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
    """Return the headers that a run's files may show: those whose value is only a variable's name."""
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
