"""Wording: the schema of the YAML files that put the facts of every row into words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from census_personas.prompts.fields import TemplateError, shortened

_Text = Annotated[str, Strict()]
_Texts = Annotated[list[_Text], Field(min_length=1, max_length=1000)]
_Age = Annotated[int, Strict()]
T = TypeVar("T")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Pronouns(_Shape):
    subject: _Text
    object: _Text
    possessive: _Text


class _Work(BaseModel):
    """Words for each state of work; `_older` is for older people outside the labour force."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Text]
    retired_from: _Age


class _Stage(_Shape):
    to: _Age
    texts: _Texts


class _Wording(_Shape):
    pronouns: dict[_Text, _Pronouns]
    work: _Work
    life_stages: Annotated[list[_Stage], Field(min_length=1)]
    times: _Text
    openings: _Texts
    labels: dict[_Text, dict[_Text, _Text]] = Field(default_factory=dict)


class _Labelled(_Shape):
    very_low: _Text
    low: _Text
    average: _Text
    high: _Text
    very_high: _Text


class _Sides(_Shape):
    low: _Texts
    high: _Texts


class _OfTraits(_Shape, Generic[T]):
    openness: T
    conscientiousness: T
    extraversion: T
    agreeableness: T
    neuroticism: T


class _Personality(_Shape):
    names: _OfTraits[_Text]
    labels: _Labelled
    descriptions: _OfTraits[_Labelled]
    facets: _OfTraits[_Sides]


_SHAPES: Mapping[str, type[_Shape]] = {"wording": _Wording, "personality": _Personality}


def refuse_misshapen(folder: Path, wording: Mapping[str, Any]) -> None:
    """Refuse wording with missing or malformed values that a row may need.

    Raises:
        TemplateError: one line for every fault, with file and key.
    """
    wrong = []
    for name, shape in _SHAPES.items():
        place = folder / f"{name}.yaml"
        if name not in wording:
            wrong.append(f"{place}: no such file; copy it from another set, such as en_US")
            continue
        try:
            shape.model_validate(wording[name])
        except ValidationError as error:
            wrong += [f"{place}: {_explained(item)}" for item in error.errors()[:20]]
    if wrong:
        raise TemplateError("\n".join(wrong))


def _explained(item: Any) -> str:
    key = shortened(".".join(map(str, item["loc"])))[1:-1]
    if item["type"] == "missing":
        return f"{key} is missing; every set needs it"
    message = item["msg"].removeprefix("Input ")
    return f"{key} {message[:1].lower()}{message[1:]}, not {shortened(item['input'])}"
