"""Set declaration: the language and roles of a prompt set, and the check that a locale provides them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from census_personas.prompts.fields import TemplateError, shortened

DECLARATION = "set"
"""The YAML file that declares a set, without suffix."""
_Text = Annotated[str, Strict()]


class SetDeclaration(BaseModel):
    """The content of a set's `set.yaml`. A set without the file accepts every locale.

    Attributes:
        language: language of the texts (ISO 639).
        roles: required role -> its name in the templates.
        optional: the same for optional roles; their facts are empty if the locale does not fill them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Annotated[str, Strict(), Field(pattern=r"^[a-z]{2,3}$")] | None = None
    roles: Mapping[_Text, _Text] = Field(default_factory=dict)
    optional: Mapping[_Text, _Text] = Field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, wording: Mapping[str, Any]) -> SetDeclaration:
        """Read the declaration among the YAML files of a set.

        Raises:
            TemplateError: it is not valid; one line with file and key.
        """
        if DECLARATION not in wording:
            return cls()
        try:
            return cls.model_validate(wording[DECLARATION])
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "file"
            raise TemplateError(
                f"{folder / DECLARATION}.yaml: {key}: {first['msg']}, not {shortened(first['input'])}"
            ) from error

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the locale's facts in the templates."""
        return (*self.roles.values(), *self.optional.values())

    def renamed(self, roles: Mapping[str, str]) -> dict[str, str]:
        """Return the names in the templates that differ from the locale's, each with the locale's name."""
        named = {name: roles[role] for role, name in {**self.roles, **self.optional}.items() if role in roles}
        return {name: column for name, column in named.items() if name != column}

    def unfilled(self, roles: Mapping[str, str]) -> dict[str, str]:
        """Return an empty value for each optional role that the locale does not fill."""
        return {name: "" for role, name in self.optional.items() if role not in roles}


def refuse_locale(
    named: str | Path,
    declared: SetDeclaration,
    locale: str,
    languages: Sequence[str],
    roles: Mapping[str, str],
) -> None:
    """Refuse a locale without words in the set's language, or without a required role.

    Args:
        named: the set as named in the config.
        declared: the set's declaration.
        locale: name of the locale, for messages.
        languages: languages of the locale's words.
        roles: filled roles, each with the locale's name.

    Raises:
        TemplateError: the locale does not fit; one line with the remedy.
    """
    fault = next(_faults(declared, locale, languages, roles), None)
    if fault is not None:
        raise TemplateError(f"prompts.set={named}: {fault}")


def _faults(
    declared: SetDeclaration, locale: str, languages: Sequence[str], roles: Mapping[str, str]
) -> Iterator[str]:
    if declared.language is not None and declared.language not in languages:
        yield (
            f"is written in {declared.language}, but locale {locale} has words only in {', '.join(languages)}; set "
            f"prompts.set to a set in {languages[0]}, or add words.{declared.language} to its locale.yaml"
        )
    missing = [role for role in declared.roles if role not in roles]
    if missing:
        yield (
            f"needs {', '.join(missing)}, but locale {locale} has no such role; its people can be sampled "
            "(personas sample), or narrated by a set whose set.yaml asks for less"
        )
