"""Set declaration: the language of a prompt set and the roles that it speaks of, and whether a locale has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from census_personas.prompts.fields import TemplateError, shortened

DECLARATION = "set"
"""The YAML file that declares a set, without its ending."""
_Text = Annotated[str, Strict()]


class SetDeclaration(BaseModel):
    """What a set's `set.yaml` says. A set without the file says nothing, and no locale is refused on its account.

    Attributes:
        language: of the texts (ISO 639).
        roles: role that an attribute of the locale must play -> the name by which the templates read it.
        optional: the same for roles whose names are empty where the locale does not fill them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Annotated[str, Strict(), Field(pattern=r"^[a-z]{2,3}$")] | None = None
    roles: Mapping[_Text, _Text] = Field(default_factory=dict)
    optional: Mapping[_Text, _Text] = Field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, wording: Mapping[str, Any]) -> SetDeclaration:
        """The declaration among the YAML files of a set.

        Raises:
            TemplateError: it says something else; one line with file and key.
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
        """Every name by which the templates read a fact of the locale."""
        return (*self.roles.values(), *self.optional.values())

    def renamed(self, roles: Mapping[str, str]) -> dict[str, str]:
        """The names by which the templates read facts that the locale calls otherwise, each with the locale's name."""
        named = {name: roles[role] for role, name in {**self.roles, **self.optional}.items() if role in roles}
        return {name: column for name, column in named.items() if name != column}

    def unfilled(self, roles: Mapping[str, str]) -> dict[str, str]:
        """The names of optional roles that the locale does not fill, which are empty."""
        return {name: "" for role, name in self.optional.items() if role not in roles}


def refuse_locale(
    named: str | Path,
    declared: SetDeclaration,
    locale: str,
    languages: Sequence[str],
    roles: Mapping[str, str],
) -> None:
    """Refuse a locale that has no words in the set's language, or does not fill a role that every text speaks of.

    Args:
        named: the set, as the configuration names it.
        declared: what the set says of itself.
        locale: its name, for messages.
        languages: that the locale has words in.
        roles: those that its people have, each with the locale's name.

    Raises:
        TemplateError: one line, with what can be done.
    """
    fault = next(_faults(declared, locale, languages, roles), None)
    if fault is not None:
        raise TemplateError(f"prompts.set={named}: {fault}")


def _faults(
    declared: SetDeclaration, locale: str, languages: Sequence[str], roles: Mapping[str, str]
) -> Iterator[str]:
    if declared.language is not None and declared.language not in languages:
        yield (
            f"is written in {declared.language}, and locale {locale} has words in {', '.join(languages)} alone; set "
            f"prompts.set to a set in {languages[0]}, or add words.{declared.language} to its locale.yaml"
        )
    missing = [role for role in declared.roles if role not in roles]
    if missing:
        yield (
            f"speaks of {', '.join(missing)}, which no attribute of locale {locale} plays; its people can be sampled "
            "(personas sample), or narrated by a set whose set.yaml asks for less"
        )
