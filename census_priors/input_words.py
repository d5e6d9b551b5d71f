"""Input words: what other people's files call a locale's attributes and states; `input.yaml` of the locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from census_personas.census_priors.declaration import DeclarationError, Part, validated
from census_personas.census_priors.priors import Priors
from census_personas.foundation.yaml_file import YamlError, read_yaml

INPUT_FILE = "input.yaml"


class Years(Part):
    """Completed years of schooling: the attribute that they say something of, and the level that each usually is.

    Attributes:
        column: the attribute.
        headers: columns that hold years whatever their values are.
        levels: a number, or a range such as `9-11` -> state.
    """

    column: str
    headers: tuple[str, ...] = ()
    levels: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("levels", mode="before")
    @classmethod
    def _texts(cls, levels: Any) -> Any:
        return (
            {str(years): state for years, state in levels.items()} if isinstance(levels, Mapping) else levels
        )

    @property
    def by_number(self) -> Mapping[int, str]:
        """The level of each number of years."""
        found: dict[int, str] = {}
        for span, state in self.levels.items():
            first, _, last = span.partition("-")
            found |= dict.fromkeys(range(int(first), int(last or first) + 1), state)
        return found


class AgeWords(Part):
    """Words around the numbers of ages: between two, with those above one, with those below one, and for years."""

    between: tuple[str, ...] = ("-",)
    over: tuple[str, ...] = ("+",)
    under: tuple[str, ...] = ("<",)
    years: tuple[str, ...] = ()


class InputWords(Part):
    """The whole of `input.yaml`; a locale without the file knows its own names and labels only.

    It is not part of the locale's identity: it changes no sampled person.

    Attributes:
        countries: what its country is called.
        columns: attribute, or column of a look-up -> headers.
        values: attribute -> state -> words.
        years: of schooling.
        unknown: words for what is not known.
        ages: words around the numbers of ages.
        either: words between two values of which one is true, such as "or".
        plural: what makes the title of an occupation a plural one, at its end.
    """

    countries: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    values: Mapping[str, Mapping[str, tuple[str, ...]]] = Field(default_factory=dict)
    years: Years | None = None
    unknown: tuple[str, ...] = ()
    ages: AgeWords = AgeWords()
    either: tuple[str, ...] = ()
    plural: str = ""


def read_input_words(priors: Priors) -> InputWords:
    """What a locale's `input.yaml` says, checked against its attributes.

    Raises:
        DeclarationError: unreadable file, YAML or content, or a state that the locale does not have.
    """
    path = priors.folder / INPUT_FILE
    if not path.exists():
        return InputWords()
    try:
        words = validated(InputWords, read_yaml(path), path)
    except YamlError as error:
        raise DeclarationError(str(error)) from error
    named = [(name, state) for name, states in words.values.items() for state in states]
    if words.years is not None:
        named += [(words.years.column, state) for state in words.years.levels.values()]
    for name, state in named:
        if name not in priors.domain or state not in priors.domain[name]:
            raise DeclarationError(
                f"{path}: {name}: {state!r} is no state of the locale; take it out or spell it as priors.yaml does"
            )
    return words
