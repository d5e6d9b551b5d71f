"""Lint: everything that is wrong with a prompt set, before anybody is written of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from census_personas.prompts.fields import MAX_FIELDS, FieldSpec, TemplateError
from census_personas.prompts.narratives import FOLDER, choose
from census_personas.prompts.set_folder import SAMPLE, files_of, folder_of
from census_personas.prompts.template import PromptSet, Template

MAX_LINT_STEPS = 1_000_000
"""Steps that all templates of a set may take together on its sample."""


def lint(
    name_or_folder: str | Path, narratives: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[str, ...]:
    """Everything that is wrong with a prompt set, one line each; empty when it is sound.

    Every narrative is loaded, and every variable of every template is looked up in the set's `sample.yaml`,
    an example of the facts, so that a misspelt one is found in branches too that few rows take. Then the
    messages are rendered that a run with these further `narratives`, and `without` those, sends at most; and each
    other narrative alone.

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
    """The first of some faults, and how to see the others."""
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
            yield f"{template.place}: the templates of this set take more than {MAX_LINT_STEPS} steps; loop over less"
            return


def _renderings(prompts: PromptSet, asked: Sequence[FieldSpec]) -> Iterator[Template]:
    names = {spec.name for spec in asked}
    for template in prompts.templates.values():
        # A repair may ask for all that a record has.
        specs = asked if template.name == "repair" else template.fields
        yield template.asking([spec for spec in specs if template.name == "judge" or spec.name in names])
    personas = prompts.templates["personas"]
    yield from (personas.asking([spec]) for spec in personas.fields if spec.name not in names)


def _fields(prompts: PromptSet) -> list[FieldSpec]:
    return [spec for call in ("attributes", "personas") for spec in prompts.templates[call].fields]


def _completed(sample: Mapping[str, Any], prompts: PromptSet) -> Mapping[str, Any]:
    """The sample with what every row has for each field: an angle where its file declares some, a form, a text."""
    grounding, previous = sample.get("grounding"), sample.get("previous")
    known = dict(grounding) if isinstance(grounding, Mapping) else {}
    known["angles"] = {name: declared[0] for name, declared in prompts.angles.items() if declared}
    if isinstance(forms := known.get("openings"), list) and forms:
        known["openings"] = (forms * MAX_FIELDS)[: max(len(forms), len(prompts.templates["personas"].fields))]
    texts = {spec.name: "" for spec in _fields(prompts)}
    told = {**texts, **previous} if isinstance(previous, Mapping) else previous
    return {**sample, "grounding": known, **({} if previous is None else {"previous": told})}
