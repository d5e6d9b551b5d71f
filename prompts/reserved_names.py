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
"""What the engine says of every person before anything is written; a set declares by which names it reads the rest."""

PROVENANCE = frozenset({"row", "model", "prompt_digest", "attempts", "flags"})
"""Columns that say how a row came about."""

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
"""What the templates call something else."""


def refuse_taken(
    fields: Mapping[Path, Sequence[FieldSpec]],
    facts: Iterable[str] = (),
    taken: Mapping[str, str] | None = None,
) -> None:
    """Refuse fields of a dataset that would overwrite something, or one another, whether in capitals or not.

    Args:
        fields: those that each file declares.
        facts: names by which the set reads facts, beside `FACTS`.
        taken: names that are taken, with what by; those of this module if left out.

    Raises:
        TemplateError: naming file and field.
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
    """Refuse two fields of one name, also where only capitals tell them apart: many readers do not tell them apart.

    Raises:
        TemplateError: naming both files.
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
