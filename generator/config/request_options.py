"""Request options: keys that a config may add to the body of a request."""

from __future__ import annotations

import json
import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from census_personas.foundation.printable import is_text

OPTIONS = (
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "stop",
    "reasoning_effort",
    "chat_template_kwargs",
)
"""Keys of the `llm` section that go into the body under their own names if they are set."""
# Keys of the body that the engine writes -> the config key that decides them.
_OWN = {
    **{name: f"llm.{name}" for name in ("model", "temperature", "top_p", "seed", "max_tokens", *OPTIONS)},
    **dict.fromkeys(("max_completion_tokens",), "llm.max_tokens"),
    **dict.fromkeys(("messages",), "prompts.set"),
    **dict.fromkeys(
        ("response_format", "structured_outputs", "guided_json", "guided_grammar", "json_schema", "format"),
        "llm.structured_output",
    ),
}
# Keys that would change the answer into a form that is not read.
_UNREAD = frozenset({"stream", "stream_options", "n", "best_of", "tools", "tool_choice", "functions", "echo"})
_SECRET = re.compile(r"(?i)^(?:x-)?(?:api[-_]?key|authorization|password|secret|(?:access|auth)[-_]?token)$")
_DEEPEST = 16
_MOST_CHARACTERS = 2**16


def _json(value: Any, keys: tuple[str, ...] = ()) -> Any:
    """Return a value as plain JSON, including `null`, `true` and `false`."""
    key = ".".join(keys)
    if len(keys) > _DEEPEST:
        raise PydanticCustomError("plain", "{key}: is nested too deeply", {"key": key})
    if isinstance(value, dict):
        for name in value:
            if isinstance(name, str) and _SECRET.match(name):
                raise PydanticCustomError(
                    "plain",
                    "{key}: would be written into the run's files; send it as one of llm.headers, as ${NAME}",
                    {"key": ".".join((*keys, name))},
                )
        return {str(name): _json(part, (*keys, str(name))) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json(part, (*keys, str(number))) for number, part in enumerate(value)]
    if isinstance(value, str) and not is_text(value):
        raise PydanticCustomError("plain", "{key}: is not UTF-8 text; write it in UTF-8", {"key": key})
    whole = isinstance(value, int) and abs(value) >= 2**63
    if whole or (isinstance(value, float) and not math.isfinite(value)):
        raise PydanticCustomError("plain", "{key}: is not a number that JSON can hold", {"key": key})
    if value is not None and not isinstance(value, str | int | float):
        raise PydanticCustomError(
            "plain",
            "{key}: is a {kind}; give texts, numbers, lists or objects",
            {"key": key, "kind": type(value).__name__},
        )
    return value


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > _MOST_CHARACTERS:
        raise PydanticCustomError(
            "too_large",
            f"is longer than {_MOST_CHARACTERS} characters as JSON; make it smaller",
        )
    return value


def _foreign(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse keys of the body that are decided elsewhere."""
    for name in value:
        if name in _OWN:
            said = "is set by {instead}; write it there"
        elif name in _UNREAD:
            said = "only one whole answer in text can be read; leave it out"
        elif name == "extra_body":
            said = "write its keys one level higher, directly under llm.extra_body"
        else:
            continue
        raise PydanticCustomError("plain", "{key}: " + said, {"key": name, "instead": _OWN.get(name, "")})
    return value


def _role(value: Any) -> Any:
    """Undo YAML 1.1, which reads a bare `yes` as true."""
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


JsonObject = Annotated[dict[str, Any], AfterValidator(_json), AfterValidator(_small)]
ExtraBody = Annotated[JsonObject, AfterValidator(_foreign)]
SystemRole = Annotated[Literal["auto", "yes", "no"], BeforeValidator(_role)]
StopText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


def config_key(name: str) -> str:
    """Return the config key that sets a key of the body."""
    return f"llm.{name}" if name in OPTIONS else f"llm.extra_body.{name}"
