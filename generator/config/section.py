"""Section: the base class of all config sections, and the types of their values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from census_personas.foundation.printable import NO_TEXT, is_text

# The longest time that a setting may have, in seconds (eleven days).
MOST_SECONDS = 1e6
_DEEPEST = 8


def _no_switch(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number", "input should be a number")
    return value


def _plain(value: Any, keys: tuple[str, ...] = ()) -> Any:
    """Return a condition as plain JSON: texts, numbers, lists, and objects with text keys."""
    if len(keys) > _DEEPEST:
        raise PydanticCustomError("plain", "{key} is nested too deeply", {"key": ".".join(keys)})
    if isinstance(value, dict):
        return {str(key): _plain(part, (*keys, str(key))) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, (*keys, str(number))) for number, part in enumerate(value)]
    if isinstance(value, str) and not is_text(value):
        raise PydanticCustomError("plain", f"{{key}} {NO_TEXT}", {"key": ".".join(keys)})
    if value is None or not isinstance(value, str | int | float):
        kind = "has no value" if value is None else f"is a {type(value).__name__}"
        raise PydanticCustomError(
            "plain",
            "{key} {kind}; give texts, numbers, lists or objects",
            {"key": ".".join(keys), "kind": kind},
        )
    return value


# YAML 1.1 reads a bare `yes` as true, which Python treats as 1.
Whole = Annotated[int, BeforeValidator(_no_switch)]
Number = Annotated[float, BeforeValidator(_no_switch)]
Seconds = Annotated[Number, Field(gt=0, le=MOST_SECONDS)]
Name = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
Condition = Annotated[dict[str, Any], AfterValidator(_plain)]


class Section(BaseModel):
    """A section of the configuration: frozen, without unknown keys."""

    # Defaults are validated too, so that a wrong one fails at import and not in a run. Tracebacks hide values, which
    # may be misplaced secrets.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )
