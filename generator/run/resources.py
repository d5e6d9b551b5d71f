"""Run resources: population, prompts and checks of one run, loaded and checked before any file is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from census_personas.census_priors.priors import Priors
from census_personas.foundation.dataset_writer import kinds_of
from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.foundation.schema import Kind, Table, refuse_written, table_of
from census_personas.generator.config.run_config import Config, ConfigError
from census_personas.generator.llm.chat import ChatModel
from census_personas.generator.narration.check_batcher import CheckBatcher
from census_personas.generator.narration.facts import FactSheet
from census_personas.generator.narration.journal import Journal
from census_personas.generator.narration.narrator import CALLS, IMPOSSIBLE, Narrator
from census_personas.generator.offline.grammar import digest as grammar_digest
from census_personas.generator.offline.portrait_guide import PortraitGuide
from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.generator.run.input_file import InputFile
from census_personas.generator.run.pipeline import narrations
from census_personas.generator.sampling.where_clause import attributes
from census_personas.prompts.fields import FieldSpec
from census_personas.prompts.lint import lint, summary
from census_personas.prompts.set_declaration import SetDeclaration, refuse_locale
from census_personas.prompts.set_folder import folder_of, shipped_sets
from census_personas.prompts.static_text import static_texts
from census_personas.prompts.template import PromptSet, TemplateError
from census_personas.validators.measure_registry import measures
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import BY_MODEL, SAMPLED, WRITTEN, RecordChecker, rules

_GRAMMAR = "offline"
_CELLS: dict[str, Kind] = {"text": "text", "list": "list", "score": "integer"}
# Seconds for which an answer of an endpoint waits so that several are checked together; short beside the request.
_GATHER_S = 0.01


@dataclass(frozen=True, slots=True)
class RunResources:
    """Everything that a run needs, loaded and checked before any file is written."""

    config: Config
    population: Population
    prompts: PromptSet
    checker: RecordChecker
    facts: FactSheet
    input: InputFile | None = None
    plugins: Plugins = NO_PLUGINS

    @classmethod
    def load(cls, config: Config, population: Population | None = None) -> RunResources:
        """Load what the configuration names; `population` is that of its locale, if it is loaded already.

        Raises:
            ConfigError, TableError, DomainError, TemplateError, GrammarError, PolicyError, PluginError: each names
                place and remedy.
        """
        choice = config.prompts.narratives, config.prompts.without
        plugins = Plugins.load(config.plugins)
        measures(plugins)  # refuses a faulty measure before the run, not when its report is written
        try:
            place = folder_of(config.prompts.set, plugins.prompt_sets(shipped_sets()))
            prompts = PromptSet.load(place, *choice)
        except TemplateError as error:
            raise TemplateError(summary(str(error).splitlines(), config.prompts.set)) from error
        if config.llm.backend == "offline":
            # The grammar is the offline narrator's prompt: another grammar makes another dataset.
            both = f"{prompts.digest}/{grammar_digest(prompts.folder / _GRAMMAR)}"
            prompts = replace(prompts, digest=hashlib.sha256(both.encode()).hexdigest())
        if (prompts.folder / "sample.yaml").exists() and (faults := lint(prompts.folder, *choice)):
            raise TemplateError(summary(faults, prompts.folder))
        population = population or Population.load(config.locale)
        cls._check_narratable(config, population, prompts)
        people = InputFile(config.input, population, config.seed) if config.input else None
        if people is not None and config.rows > len(people):
            raise ConfigError(
                f"{people.path}: has {len(people)} rows, and rows={config.rows} are asked for; set rows to at most "
                f"{len(people)}, or run personas narrate, which takes them all"
            )
        by_model = {} if config.llm.backend == "offline" else BY_MODEL
        policy = {**(WRITTEN if people else SAMPLED), **by_model}
        if not config.validation.rules:
            policy = dict.fromkeys(rules(plugins), "off")
        policy |= config.validation.policy
        # Sampled people are plausible by construction; only those of an input file are compared with the model.
        odd = Plausibility.of(population) if people else None
        reference = RuleContext(
            population.priors, odd, prompts.declared.language, prompts=static_texts(prompts.folder)
        )
        resources = cls(
            config=config,
            population=population,
            prompts=prompts,
            # Twice the rows in flight, about 0.1 MB each: rows that were given up stay for a while.
            checker=RecordChecker(
                reference, policy, remember=2 * narrations(config.llm.concurrency), plugins=plugins
            ),
            plugins=plugins,
            facts=FactSheet(population.priors, prompts, grounded=config.prompts.grounding),
            input=people,
        )
        columns = people.columns if people else attributes(population.priors, population.leaves)
        locale = population.priors.context_columns
        refuse_written(config.output.schema_, columns, locale, resources.written)
        return resources

    @staticmethod
    def _check_narratable(config: Config, population: Population, prompts: PromptSet) -> None:
        """Refuse a locale without the language or the facts that prompts or grammar need."""
        priors = population.priors
        known = attributes(priors, population.leaves)
        roles = {role: name for role, name in priors.roles.items() if name in known}
        languages = priors.conventions.languages
        refuse_locale(config.prompts.set, prompts.declared, priors.locale, languages, roles)
        if config.llm.backend == "offline":
            guide = PortraitGuide.load(prompts.folder / _GRAMMAR)
            needed = {role: guide.fact(role) for role in guide.needed}
            declared = SetDeclaration(language=guide.language, roles=needed)
            refuse_locale(f"{config.prompts.set}/{_GRAMMAR}", declared, priors.locale, languages, roles)

    @property
    def priors(self) -> Priors:
        """Priors shared by population, prompts and checks."""
        return self.population.priors

    @property
    def grammar(self) -> Path:
        """Folder of the prompt set's grammar, which the offline narrator uses."""
        return self.prompts.folder / _GRAMMAR

    @property
    def written(self) -> dict[str, Kind]:
        """Fields that the narrator writes, with the kind of their columns."""
        return {spec.name: _CELLS[spec.kind] for spec in self._specs}

    @property
    def described(self) -> dict[str, str]:
        """Descriptions of these fields, from the prompts."""
        return {spec.name: spec.description for spec in self._specs}

    @property
    def _specs(self) -> list[FieldSpec]:
        return [spec for call in CALLS for spec in self.prompts.templates[call].fields]

    def sample(self, n: int, start: int = 0) -> pd.DataFrame:
        """Draw rows of the configured population, or read them from the input file."""
        if self.input is not None:
            return self.input.sample(n, start)
        return self.population.select(self.config.selection, n, self.config.seed, start)

    def table(self) -> Table:
        """Return the dataset's columns."""
        context = kinds_of(self.sample(1))
        return table_of(
            self.config.output.schema_,
            {name: kind for name, kind in context.items() if name != IMPOSSIBLE},
            self.priors.context_columns,
            written=self.written,
            lists=self.config.output.lists,
        )

    def digests(self) -> dict[str, str]:
        """Return digests of the data that rows depend on, beside the configuration."""
        digests = {
            "priors": self.priors.digest,
            "model": self.population.digest,
            "prompts": self.prompts.digest,
            **self.plugins.digests,
        }
        return digests if self.input is None else {**digests, "input": self.input.digest}

    @contextmanager
    def narrator(
        self,
        model: ChatModel,
        config: Config,
        journal: Path | None,
        hear: Callable[[bool], None] = lambda _: None,
    ) -> Iterator[Narrator]:
        """Open a narrator with its journal; `hear` is called for each new answer with whether it was readable."""
        kept = None if journal is None else Journal(journal)
        gather_s = 0.0 if journal is None else _GATHER_S
        try:
            narrator = Narrator(
                model,
                self.prompts,
                self.facts,
                CheckBatcher(self.checker.check_together, gather_s=gather_s),
                config,
                kept,
                policy=self.checker.policy,
                review_facts=CheckBatcher(self.checker.facts_together, gather_s=gather_s),
            )
            narrator.hear = hear
            yield narrator
        finally:
            if kept is not None:
                kept.close()
