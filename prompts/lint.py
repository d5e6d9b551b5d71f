"""Lint: finds all faults of a prompt set before any text is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from census_personas.prompts.fields import MAX_FIELDS, FieldSpec, TemplateError
from census_personas.prompts.narratives import FOLDER, choose
from census_personas.prompts.set_folder import SAMPLE, files_of, folder_of
from census_personas.prompts.template import PromptSet, Template

MAX_LINT_STEPS = 1_000_000
"""Most steps of all templates of a set together on its sample."""


def lint(
    name_or_folder: str | Path, narratives: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return all faults of a prompt set, one line each; empty if it is sound.

    The linter loads every narrative and looks up every variable of every template in the set's `sample.yaml`, an
    example of the facts, so that it finds misspelt ones also in rare branches. It then renders the longest messages of
    a run with these further `narratives` and `without` those, and each other narrative alone.

    Raises:
        TemplateError: there is no such prompt set.
    """
    folder = folder_of(name_or_folder)
    try:
        every = PromptSet.load(folder, [place.stem for place in files_of(folder / FOLDER, "*.j2")])
        asked = choose(folder, every.own, narratives, without)
        sample = _completed(every.words(SAMPLE), every)
    except TemplateError as error:
        return tuple(str(error).splitlines())
    wrong = [fault for template in every.templates.values() if (fault := template.missing(sample))]
    left_out = {spec.name for stem, specs in every.narratives.items() if stem not in asked for spec in specs}
    fields = [spec for spec in _fields(every) if spec.name not in left_out]
    return tuple(dict.fromkeys(wrong or _unrenderable(every, fields, sample)))


def summary(faults: Sequence[str], name_or_folder: str | Path) -> str:
    """Return the first fault, and the command that lists the others."""
    more = (
        f" (and {len(faults) - 1} more: personas prompts check {name_or_folder})" if len(faults) > 1 else ""
    )
    return f"{faults[0]}{more}"


def _unrenderable(prompts: PromptSet, asked: Sequence[FieldSpec], sample: Mapping[str, Any]) -> Iterator[str]:
    taken = 0
    for template in _renderings(prompts, asked):
        try:
            taken += template.render_counted(sample)[1] + template.weight
        except TemplateError as error:
            yield str(error)
        if taken > MAX_LINT_STEPS:
            yield f"{template.place}: the templates of this set take over {MAX_LINT_STEPS} steps; shorten its loops"
            return


def _renderings(prompts: PromptSet, asked: Sequence[FieldSpec]) -> Iterator[Template]:
    names = {spec.name for spec in asked}
    for template in prompts.templates.values():
        # A repair may ask for every field of a record.
        specs = asked if template.name == "repair" else template.fields
        yield template.asking([spec for spec in specs if template.name == "judge" or spec.name in names])
    personas = prompts.templates["personas"]
    yield from (personas.asking([spec]) for spec in personas.fields if spec.name not in names)


def _fields(prompts: PromptSet) -> list[FieldSpec]:
    return [spec for call in ("attributes", "personas") for spec in prompts.templates[call].fields]


def _completed(sample: Mapping[str, Any], prompts: PromptSet) -> Mapping[str, Any]:
    """Complete the sample with the values that every row has per field: angle (if declared), opening, text."""
    grounding, previous = sample.get("grounding"), sample.get("previous")
    known = dict(grounding) if isinstance(grounding, Mapping) else {}
    known["angles"] = {name: declared[0] for name, declared in prompts.angles.items() if declared}
    if isinstance(forms := known.get("openings"), list) and forms:
        known["openings"] = (forms * MAX_FIELDS)[: max(len(forms), len(prompts.templates["personas"].fields))]
    texts = {spec.name: "" for spec in _fields(prompts)}
    earlier = {**texts, **previous} if isinstance(previous, Mapping) else previous
    return {**sample, "grounding": known, **({} if previous is None else {"previous": earlier})}
