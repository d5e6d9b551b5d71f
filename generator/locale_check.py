"""Locale check: shows what a locale declares, and what it lacks for each stage of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from census_personas.census_priors.check import TABLES_READ, check
from census_personas.census_priors.priors import Priors
from census_personas.census_priors.published import FILE as PUBLISHED
from census_personas.foundation.errors import PersonasError
from census_personas.generator.model.fit_check import fit_verdict
from census_personas.generator.narration.backends import offline_faults
from census_personas.prompts.lint import lint
from census_personas.prompts.set_declaration import refuse_locale
from census_personas.prompts.set_folder import folder_of, shipped_sets
from census_personas.prompts.template import PromptSet, TemplateError
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker, rules

STAGES = ("sampling", "narration", "validation", "publication")
PROMPTS = "prompts"
"""Folder of a locale's own prompt set, beside its `priors.yaml`."""
NEEDED = ("age", "sex", "work", "occupation")
"""Roles without which no row can be narrated."""


@dataclass(slots=True)
class Stage:
    """How complete a locale is for one stage of a dataset.

    Attributes:
        name: sampling, narration, validation or publication.
        declared: what the locale has, in words.
        missing: what the locale lacks, each with what to do, in order.
        reached: whether the previous stages allow checking this one.
    """

    name: str
    declared: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    reached: bool = True

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return self.reached and not self.missing


def check_locale(folder: Path) -> tuple[Stage, ...]:
    """Check each stage in turn; stop at a locale that cannot be sampled.

    Writes only the fitted model, into the cache.
    """
    stages = {name: Stage(name, reached=name == "sampling") for name in STAGES}
    priors = _sampled(folder, stages["sampling"])
    if priors is not None and stages["sampling"].ready:
        for name, look in (("narration", _narrated), ("validation", _validated), ("publication", _published)):
            stages[name].reached = True
            look(priors, stages[name])
    return tuple(stages.values())


def next_step(stages: tuple[Stage, ...]) -> str | None:
    """Return the first thing that is missing; None if nothing is."""
    return next((what for stage in stages for what in stage.missing), None)


def _sampled(folder: Path, stage: Stage) -> Priors | None:
    if not (folder / "priors.yaml").is_file():
        stage.missing.append(
            f"{folder / 'priors.yaml'}: is not there; personas locale new writes one to fill in"
        )
        return None
    try:
        priors = Priors.load(folder)
        attributes = len(list(priors.domain))
    except PersonasError as error:
        stage.missing.append(str(error))
        return None
    declared = priors.declaration
    tables = list(priors.tables)
    stage.declared.append(
        f"{attributes} attributes, {len(tables)} tables of {len(declared.sources)} "
        f"source{'' if len(declared.sources) == 1 else 's'}, look-ups: "
        f"{', '.join(declared.lookups) or 'none'}"
    )
    for _, names in tables:
        stem = folder / "tables" / "-".join(names)
        if not any(stem.with_name(f"{stem.name}{suffix}").exists() for suffix in (".csv", ".parquet")):
            stage.missing.append(
                f"{stem}.csv: is not there; write one row a cell, with the columns {', '.join(names)} and weight"
            )
    if not tables:
        stage.missing.append(
            f"{folder / 'priors.yaml'}: tables: none is declared; declare and write at least one"
        )
    if not stage.missing:
        verdicts = [verdict for verdict in check(priors) if not verdict.source]
        if all(verdict.passed for verdict in verdicts if verdict.name == TABLES_READ):
            verdicts.append(fit_verdict(priors))
        stage.missing += [f"{verdict.name}: {verdict.found}" for verdict in verdicts if not verdict.passed]
        stage.declared += [f"{verdict.name}: {verdict.found}" for verdict in verdicts[-1:] if verdict.passed]
    return priors


def _narrated(priors: Priors, stage: Stage) -> None:
    said, roles = priors.conventions, priors.roles
    stage.declared.append(f"words in {', '.join(said.languages)}; roles: {', '.join(roles) or 'none'}")
    lacking = roles.missing(NEEDED)
    if lacking:
        stage.missing.append(
            f"{priors.folder / 'locale.yaml'}: roles: {', '.join(lacking)}: say which attribute plays each"
        )
        return
    sexes = [str(sex) for sex in priors.domain[roles["sex"]]]
    if ungendered := [sex for sex in sexes if sex not in said.gender]:
        stage.missing.append(
            f"{priors.folder / 'locale.yaml'}: gender: {', '.join(ungendered)}: feminine, masculine or neuter"
        )
    if said.work.employed is None or said.work.inactive is None:
        stage.missing.append(
            f"{priors.folder / 'locale.yaml'}: work: name the states of {roles['work']} for `employed` and `inactive`"
        )
    _prompted(priors, stage)


def _prompted(priors: Priors, stage: Stage) -> None:
    shipped = priors.locale in shipped_sets()
    folder = folder_of(priors.locale) if shipped else priors.folder / PROMPTS
    own = folder.is_dir()
    try:
        prompts = PromptSet.load(folder if own else "en_US")
        refuse_locale(
            folder if own else prompts.name,
            prompts.declared,
            priors.locale,
            priors.conventions.languages,
            priors.roles,
        )
    except TemplateError as error:
        what = (
            "" if own else f"; or write a set of its own in {folder}, as examples/puerto_rico/prompts is one"
        )
        stage.missing.append(f"{str(error).splitlines()[0]}{what}")
        return
    stage.missing += lint(prompts.folder)
    stage.missing += offline_faults(prompts.folder)
    offline = (prompts.folder / "offline").is_dir()
    where = str(folder) if own and not shipped else prompts.name
    stage.declared.append(
        f"prompts.set: {where}, in {prompts.declared.language or 'a language that it does not name'}; "
        f"{'with' if offline else 'without'} a grammar for the offline narrator"
    )


def _validated(priors: Priors, stage: Stage) -> None:
    said, roles, place = priors.conventions, priors.roles, priors.folder / "locale.yaml"
    checker = RecordChecker(RuleContext(priors))
    by_reason: dict[str, list[str]] = {}
    for rule, why in checker.not_judged.items():
        by_reason.setdefault(why, []).append(rule)
    stage.declared.append(f"{len(rules()) - len(checker.not_judged)} of {len(rules())} rules can judge")
    stage.declared += [f"not judged: {', '.join(names)}: {why}" for why, names in by_reason.items()]
    if "schooling" in roles and not said.schooling.ladder:
        stage.missing.append(
            f"{place}: schooling.ladder: order the states of {roles['schooling']} from the lowest"
        )
    if not said.without_occupation:
        stage.missing.append(
            f"{place}: without_occupation: name the states of {roles['occupation']} of people who have none"
        )


def _published(priors: Priors, stage: Stage) -> None:
    said, declared = priors.conventions, priors.declaration
    if not said.columns.public:
        stage.missing.append(
            f"{priors.folder / 'locale.yaml'}: columns.public: name the roles of the public columns"
        )
    else:
        stage.declared.append(f"public columns: {', '.join(said.columns.public)}")
    stage.missing += [
        f"{priors.folder / 'priors.yaml'}: sources.{name}.{key}: is blank; say it in the publisher's words"
        for name, source in declared.sources.items()
        for key, value in source
        if isinstance(value, str) and not value.strip()
    ]
    if not declared.independences:
        stage.missing.append(
            f"{priors.folder / 'priors.yaml'}: independences: say in words what the graph assumes"
        )
    stage.missing += list(_compared(priors))
    licences = dict.fromkeys(source.licence for source in declared.sources.values())
    stage.declared.append(f"licences of sources: {', '.join(licences)}")


def _compared(priors: Priors) -> Iterator[str]:
    """Yield contradictions to the figures of other publications, or a note that there are none to compare with."""
    if not (priors.folder / PUBLISHED).is_file():
        yield f"{priors.folder / PUBLISHED}: is not there; state figures of tables that the locale does not use"
        return
    for verdict in check(priors):
        if verdict.source and not verdict.passed:
            yield f"{verdict.name}: {verdict.found} (expected {verdict.expected})"
