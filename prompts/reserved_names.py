"""Reserved names: field names that are taken by facts, columns or template words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from census_personas.prompts.fields import FieldSpec, TemplateError

_TRAITS = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
FACTS = frozenset(
    (
        "uuid", "country", "birth_year", "occupation_code", "occupation_title", "full_name", "work", "state_name",
        "labels", "pronouns", "traits", "background", "grounding", *_TRAITS, *(f"{trait}_label" for trait in _TRAITS),
    )
)  # fmt: skip
"""Facts of every person under fixed names; a set declares the names of all other facts."""

PROVENANCE = frozenset({"row", "model", "prompt_digest", "attempts", "flags"})
"""Columns on how a row was written."""

WORDS = frozenset(
    (
        "fields",
        "calls",
        "findings",
        "kept",
        "previous",
        "texts",
        "loop",
        "self",
        "true",
        "false",
        "none",
        "and",
        "or",
        "not",
        "in",
    )
) | {"is", "if", "else", "elif"}
"""Names with another meaning in templates."""


def refuse_taken(
    fields: Mapping[Path, Sequence[FieldSpec]],
    facts: Iterable[str] = (),
    taken: Mapping[str, str] | None = None,
) -> None:
    """Refuse fields that would overwrite other columns, or one another, ignoring case.

    Args:
        fields: declared fields by file.
        facts: names of facts in the set, besides `FACTS`.
        taken: taken names, each with its meaning; those of this module by default.

    Raises:
        TemplateError: a name is taken; the message names file and field.
    """
    if taken is None:
        taken = {
            **dict.fromkeys(WORDS, "a word of the templates"),
            **dict.fromkeys(PROVENANCE, "a column of every dataset"),
            **dict.fromkeys((*FACTS, *facts), "a fact about the person, which the text would overwrite"),
        }
    by_name = {name.casefold(): what for name, what in taken.items()}
    for place, specs in fields.items():
        for spec in specs:
            if what := by_name.get(spec.name.casefold()):
                raise TemplateError(
                    f"{place}: field {spec.name}: the name is {what}; choose another, such as {spec.name}_persona"
                )
    refuse_twice(fields)


def refuse_twice(fields: Mapping[Path, Sequence[FieldSpec]]) -> None:
    """Refuse two fields with the same name, ignoring case as many readers do.

    Raises:
        TemplateError: a name is repeated; the message names both files.
    """
    known: dict[str, tuple[str, Path]] = {}
    for place, specs in fields.items():
        for spec in specs:
            if before := known.get(spec.name.casefold()):
                other = f"{before[0]!r} in {before[1].name}"
                raise TemplateError(
                    f"{place}: field {spec.name!r} is declared twice, as {other} too; give each field another name"
                )
            known[spec.name.casefold()] = spec.name, place
