"""Credentials: keys and headers from environment variables, and the set of secrets that must not be shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from census_personas.generator.config.endpoint_config import VARIABLE
from census_personas.generator.config.llm_config import LLMConfig
from census_personas.generator.llm.chat import AddressError
from census_personas.generator.llm.redaction import Secrets

# Further variables whose values clients send, or whose names mark them as keys. The `openai` package reads
# OPENAI_CUSTOM_HEADERS: one header per line.
_KEYS = ("OPENAI_ADMIN_KEY", "OPENAI_WEBHOOK_SECRET", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN")
_HEADERS = re.compile(r"_(?:CUSTOM|EXTRA|EXPORTER_OTLP)_HEADERS$")
_SHORT = 4  # shorter values are words or numbers, as in `X-Version: 1`
_WORD = 8


def read_key(variable: str) -> str:
    """Return the key in an environment variable; empty if it is not set.

    Raises:
        AddressError: it holds characters that no header can carry.
    """
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or (key and not key.isprintable()):
        raise AddressError(f"{variable}: holds characters that a key cannot have", hint="copy the key again")
    return key


def fill_headers(headers: Mapping[str, str], source: str = "llm.headers") -> dict[str, str]:
    """Return the headers with environment variables replaced by their values.

    Raises:
        AddressError: a variable is not set, is empty, or holds characters that no header can carry. The message
            does not show the value.
    """
    return {name: _filled(name, value, source) for name, value in headers.items()}


def _filled(name: str, value: str, source: str) -> str:
    for variable in VARIABLE.findall(value):
        said = os.environ.get(variable, "").strip()
        if not said:
            state = "is empty" if variable in os.environ else "is not set"
            raise AddressError(
                f"{source}: {name} names the environment variable {variable}, which {state}",
                hint=f"export {variable}=…, or leave the header out",
            )
        if not said.isascii() or not said.isprintable():
            raise AddressError(
                f"{variable}: holds characters that a header cannot have",
                hint=f"copy it again; {source} sends it as {name}",
            )
    return VARIABLE.sub(lambda match: os.environ[match.group(1)].strip(), value).strip()


def secrets_of(config: LLMConfig) -> Secrets:
    """Return the secrets that a configuration sends to its endpoints, and those of the environment.

    Variables that are not set are ignored here; sending a request refuses them.
    """
    variables = {config.api_key_env, *(each.api_key_env or "" for each in config.endpoints)}
    headers = [*config.headers.items(), *(pair for each in config.endpoints for pair in each.headers.items())]
    return _secrets([os.environ.get(variable, "").strip() for variable in variables], headers)


def secrets_of_endpoint(key: str, headers: Mapping[str, str]) -> Secrets:
    """Return the secrets in a key, in headers as configured, and in the environment."""
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
    """Yield header values that the environment holds for other clients: as lines, or as pairs between commas."""
    for name, said in os.environ.items():
        if _HEADERS.search(name):
            lines = said.splitlines() if ":" in said else said.split(",")
            yield from (re.split(r"[:=]", line, maxsplit=1)[-1].strip() for line in lines)
