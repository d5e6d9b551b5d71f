"""Narratives: the optional texts of a prompt set, one file each, and the choice for a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from census_personas.prompts.fields import TemplateError, shortened
from census_personas.prompts.source import declared_fields, front_matter

FOLDER = "narratives"
_SUFFIX = "_persona"


def choose(
    folder: Path, own: Sequence[str], further: Sequence[str], without: Sequence[str]
) -> dict[str, Path]:
    """Return the files of the chosen narratives, by file name without `.j2`, in order.

    Args:
        folder: of the prompt set.
        own: narratives of the set by default.
        further: narratives to add.
        without: narratives to leave out.

    Each name is a file's (`finance`, `finance.j2`) or that of one of its fields (`finance_persona`).

    Raises:
        TemplateError: no such narrative, or one in `without` that is not chosen.
    """
    known = {place.stem: place for place in sorted((folder / FOLDER).glob("*.j2"))}
    asked = dict.fromkeys(_stem(folder, known, name) for name in (*own, *further))
    for name in without:
        stem = _stem(folder, known, name)
        if stem not in asked:
            listed = ", ".join(asked) or "none"
            raise TemplateError(
                f"{folder / FOLDER}: narrative {shortened(name)} is not asked for; asked for: {listed}"
            )
        del asked[stem]
    for stem in asked:
        if not declared_fields(known[stem], front_matter(known[stem])[0]):
            raise TemplateError(f"{known[stem]}: declares no field; declare one in its front matter")
    return {stem: known[stem] for stem in asked}


def _stem(folder: Path, known: Mapping[str, Path], name: str) -> str:
    wanted = name.strip().casefold().replace(" ", "_").replace("-", "_").removesuffix(".j2")
    by_stem = {stem.casefold(): stem for stem in known}
    if (
        stem := by_stem.get(name.casefold())
        or by_stem.get(wanted)
        or by_stem.get(wanted.removesuffix(_SUFFIX))
    ):
        return stem
    for stem, place in known.items():
        if wanted in {spec.name.casefold() for spec in declared_fields(place, front_matter(place)[0])}:
            return stem
    listed = ", ".join(known) or "none"
    raise TemplateError(f"{folder / FOLDER}: unknown narrative {shortened(name)}; known: {listed}")
