"""Credentials: keys and headers that environment variables hold, and all of them as what must not be shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from census_personas.generator.config.endpoint_config import VARIABLE
from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import AddressError
from census_personas.generator.llm.redaction import Secrets

# Variables beside the one of the key whose values clients send, or whose names say what they are. The `openai` package
# reads OPENAI_CUSTOM_HEADERS: a header a line.
_KEYS = ("OPENAI_ADMIN_KEY", "OPENAI_WEBHOOK_SECRET", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN")
_HEADERS = re.compile(r"_(?:CUSTOM|EXTRA|EXPORTER_OTLP)_HEADERS$")
_SHORT = 4  # characters up to which a value is a word or a number, as in `X-Version: 1`
_WORD = 8


def read_key(variable: str) -> str:
    """The key in an environment variable; empty where it is not set.

    Raises:
        AddressError: it holds what no header can carry.
    """
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or (key and not key.isprintable()):
        raise AddressError(f"{variable}: holds characters that no key has", hint="copy the key again")
    return key


def fill_headers(headers: Mapping[str, str], source: str = "llm.headers") -> dict[str, str]:
    """The headers with the values of the environment variables that they name.

    Raises:
        AddressError: a variable is not set, is empty, or holds what no header can carry; without its value.
    """
    return {name: _filled(name, value, source) for name, value in headers.items()}


def _filled(name: str, value: str, source: str) -> str:
    for variable in VARIABLE.findall(value):
        said = os.environ.get(variable, "").strip()
        if not said:
            state = "is set and empty" if variable in os.environ else "is not set"
            raise AddressError(
                f"{source}: {name} names the environment variable {variable}, which {state}",
                hint=f"export {variable}=…, or leave the header out",
            )
        if not said.isascii() or not said.isprintable():
            raise AddressError(
                f"{variable}: holds characters that no header has",
                hint=f"copy it again; {source} sends it as {name}",
            )
    return VARIABLE.sub(lambda match: os.environ[match.group(1)].strip(), value).strip()


def secrets_of(config: LLMConfig) -> Secrets:
    """What must not be shown of all that the endpoints of a configuration are sent, and of the environment.

    Variables that are not set are passed over: whoever sends a request refuses them.
    """
    variables = {config.api_key_env, *(each.api_key_env or "" for each in config.endpoints)}
    headers = [*config.headers.items(), *(pair for each in config.endpoints for pair in each.headers.items())]
    return _secrets([os.environ.get(variable, "").strip() for variable in variables], headers)


def secrets_of_endpoint(key: str, headers: Mapping[str, str]) -> Secrets:
    """What must not be shown of a key and of headers as they are configured, and of the environment."""
    return _secrets([key], list(headers.items()))


def _secrets(keys: list[str], headers: list[tuple[str, str]]) -> Secrets:
    secrets, quiet = [*keys, *(os.environ.get(name, "").strip() for name in _KEYS)], []
    for _, value in headers:
        named = [os.environ.get(variable, "").strip() for variable in VARIABLE.findall(value)]
        secrets += [said for said in named if len(said) >= _SHORT]
        quiet.append(VARIABLE.sub("", value))
    quiet += _values_in_environment()
    secrets += [word for value in quiet for word in value.split() if len(word) >= _WORD]
    return Secrets.of_environment(*secrets, quiet=[value for value in quiet if len(value) >= _SHORT])


def _values_in_environment() -> Iterator[str]:
    """Values of headers that the environment has for other clients: lines, or pairs with commas between."""
    for name, said in os.environ.items():
        if _HEADERS.search(name):
            lines = said.splitlines() if ":" in said else said.split(",")
            yield from (re.split(r"[:=]", line, maxsplit=1)[-1].strip() for line in lines)
