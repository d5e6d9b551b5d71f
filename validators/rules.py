"""Rules: the record rules by code, and `RecordChecker`, which runs them under a policy."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast, get_args, runtime_checkable

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.plugins import NO_PLUGINS, Plugins
from census_personas.validators import records
from census_personas.validators.finding import Finding, Policy, Scope, Severity
from census_personas.validators.plugin_rules import plugin_rules
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.text.finding_cache import FindingCache, Person
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    from census_personas.census_priors.priors import Priors

Record = Mapping[str, Any]

GUIDE_CHECKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "demographic_consistency": ("schema_types", "age_bounds", "demographic_consistency"),
        "geographic_validity": ("geographic_validity", "zip_leading_zero", "place_in_text"),
        "occupation_education_alignment": ("occupation_education", "education_in_text"),
        "age_marital_consistency": ("age_marital",),
        "narrative_coherence": (
            "name_present",
            "pronouns",
            "stated_age",
            "age_in_text",
            "life_stage",
            "place_in_text",
            "occupation_in_text",
            "working_life",
            "education_in_text",
            "lists_agree",
        ),
    }
)
"""The five quality checks that the guide to Nemotron-Personas names, each with the rules that implement it."""


WRITTEN: Mapping[str, Policy] = MappingProxyType(
    {
        "about_the_field": "repair",
        "credentials": "repair",
        "distance": "repair",
        "garbled": "repair",
        "plan_or_done": "repair",
        "minors": "repair",
        "recited_facts": "repair",
        "slurs": "repair",
    }
)
"""Policy for texts that a run writes. In files of other origin these rules only warn, because their false positives
were measured on too few rows outside the tuning set. In a run a false positive costs a repair, not the row."""

SAMPLED: Mapping[str, Policy] = MappingProxyType(
    {
        **WRITTEN,
        "age_in_text": "off",
        "age_marital": "flag",
        "demographic_consistency": "flag",
        "occupation_education": "flag",
    }
)
"""Policy for rows that were sampled from the census. Rare combinations exist in the population, so a sample has its
share of them, and no repair can change a fact: they are flagged, and are errors only in files of other origin.
`age_in_text` was trained on the released texts and does not transfer to other narrators."""

BY_MODEL: Mapping[str, Policy] = MappingProxyType({"monotony": "repair"})
"""Further policy for texts that a model writes. The offline narrator is exempt: it has a limited stock of sentences."""


TOGETHER = ("shared_text",)
"""Rules that compare the rows of a run when a shard closes; a single record does not show what they find."""

_TOGETHER = 256  # records that are checked at once


class PolicyError(PersonasError, ValueError):
    """A policy names an unknown rule or action; the message lists the known ones."""


class RuleModule(Protocol):
    """What a file in `validators/records` must define.

    It may also declare needs, all of which must be met for the rule to run: `LANGUAGES`, codes of the languages that it
    can read (default: any); `ROLES` that attributes of the locale must play; `LOOKUPS` that the locale must have;
    `PROMPTS`, whether the words of the prompts must be known, as they are in a run.
    """

    SEVERITY: Severity
    POLICY: Policy
    SCOPE: Scope
    ACCEPTS: tuple[Record, ...]
    REJECTS: tuple[Record, ...]

    @staticmethod
    def check(record: Record, reference: RuleContext) -> Iterator[Finding]:
        """Yield the findings about a record."""


@cache
def rules(plugins: Plugins = NO_PLUGINS) -> Mapping[str, RuleModule]:
    """Return code -> rule in alphabetical order, for the files of `validators/records` and the rules of plug-ins.

    Raises:
        PluginError: a plug-in's rule cannot be loaded, or has the code of another one.
    """
    codes = sorted(module.name for module in pkgutil.iter_modules(records.__path__))
    own = {code: importlib.import_module(f"{records.__name__}.{code}") for code in codes}
    every = {**own, **plugin_rules(plugins, own)}
    return MappingProxyType(cast("dict[str, RuleModule]", dict(sorted(every.items()))))


@runtime_checkable
class Prepared(Protocol):
    """A rule that also defines `prepare`, for work that costs less for many records at once."""

    @staticmethod
    def prepare(readings: Sequence[RecordView], reference: RuleContext) -> None:
        """Prepare for records that are about to be checked."""


class RecordChecker:
    """Runs the record rules under a policy.

    `repair` and `reject` leave findings as they are: an error means that the record must not be delivered, and
    the caller decides by `policy[code]` whether the model is asked to repair it. `flag` lowers errors to
    warnings; `off` does not run the rule. Rules that the policy does not name keep their default.

    Attributes:
        reference: the priors that rules use.
        policy: code -> action, for every rule.
        not_judged: code -> reason, for rules that are on but cannot run here: they need a language, a role or a look-up
            that the locale lacks. They yield no findings.
    """

    def __init__(
        self,
        priors: Priors | RuleContext,
        policy: Mapping[str, str] | None = None,
        only: Iterable[str] | None = None,
        *,
        remember: int = 0,
        plugins: Plugins = NO_PLUGINS,
    ) -> None:
        """Choose the rules to run (all by default) and the action for each.

        Views and findings of the last `remember` people are cached: while a record is written field by field, it is
        checked repeatedly with the same facts. Rules of `plugins` run beside those of this package.

        Raises:
            PolicyError: a rule or an action does not exist.
            PluginError: a plug-in's rule cannot be loaded.
        """
        self.reference = priors if isinstance(priors, RuleContext) else RuleContext(priors)
        self.policy = resolve_policy(policy or {}, only, plugins)
        on = {code: module for code, module in rules(plugins).items() if self.policy[code] != "off"}
        reasons = {code: _unmet_need(module, self.reference) for code, module in on.items()}
        self.not_judged = MappingProxyType({code: reason for code, reason in reasons.items() if reason})
        on = {code: module for code, module in on.items() if code not in self.not_judged}
        self._running = {
            scope: tuple(
                (module.check, self.policy[code] == "flag")
                for code, module in on.items()
                if scope == module.SCOPE
            )
            for scope in get_args(Scope)
        }
        self._prepare = tuple(module.prepare for module in on.values() if isinstance(module, Prepared))
        reference = self.reference
        self._cache = FindingCache(remember, reference.roles, reference.name_recipe) if remember else None

    def check(self, record: Record) -> tuple[Finding, ...]:
        """Return all findings about one record, ordered by rule code."""
        return self.check_together([record])[0]

    def check_together(self, records: Iterable[Record]) -> list[tuple[Finding, ...]]:
        """Return the findings about each of a few hundred records; this costs less than one by one."""
        return self._each(records, self._judged)

    def check_each(self, records: Iterable[Record]) -> Iterator[tuple[Finding, ...]]:
        """Yield the findings about each of any number of records, in order."""
        remaining = iter(records)
        while some := list(islice(remaining, _TOGETHER)):
            yield from self.check_together(some)

    def facts_together(self, records: Iterable[Record]) -> list[tuple[Finding, ...]]:
        """Return the findings about records that have no texts yet, by the rules that do not need texts."""
        return self._each(records, self._judged_by_facts)

    def _each(
        self, records: Iterable[Record], judge: Callable[[Person | None, RecordView], tuple[Finding, ...]]
    ) -> list[tuple[Finding, ...]]:
        waiting = [self._read(record) for record in records]
        for prepare in self._prepare:
            prepare([reading for _, reading in waiting], self.reference)
        waiting.reverse()
        findings = []
        while waiting:  # each view is dropped once it is judged, for views take much memory
            findings.append(judge(*waiting.pop()))
        return findings

    def _judged(self, person: Person | None, reading: RecordView) -> tuple[Finding, ...]:
        findings = self._run("record", reading)
        if person is None or self._cache is None:
            findings += self._run("facts", reading) + self._run("field", reading)
        else:
            findings += person.facts(reading, partial(self._run, "facts"))
            findings += person.texts(reading, partial(self._run, "field"))
            if not any(finding.severity == "error" for finding in findings):
                self._cache.forget(reading)
        return tuple(sorted(findings, key=attrgetter("code")))

    def _judged_by_facts(self, person: Person | None, reading: RecordView) -> tuple[Finding, ...]:
        judge = partial(self._run, "facts")
        findings = judge(reading) if person is None else person.facts(reading, judge)
        return tuple(findings + self._run("record", reading))

    def _read(self, record: Record) -> tuple[Person | None, RecordView]:
        """Return the cached person of the record, if any, and a view of the record."""
        person = self._person(record)
        return person, self.reference.read(record) if person is None else person.read(record)

    def _person(self, record: Record) -> Person | None:
        """Return the cached person; None if the facts have no name, for then the name is read from all texts."""
        names = map(self.reference.column_of, ("given_name", "family_name"))
        named = all(isinstance(record.get(name), str) for name in names)
        return self._cache.person(record) if self._cache is not None and named else None

    def _run(self, scope: Scope, reading: RecordView) -> list[Finding]:
        findings: list[Finding] = []
        for check, flagged in self._running[scope]:
            for finding in check(reading, self.reference):
                lower = flagged and finding.severity == "error"
                findings.append(finding.lowered() if lower else finding)
        return findings


def _unmet_need(module: RuleModule, reference: RuleContext) -> str:
    """Say what a rule needs and the locale lacks; empty if the rule can run."""
    languages = getattr(module, "LANGUAGES", None)
    if languages is not None and reference.language not in languages:
        return f"reads texts in {' or '.join(languages)}, not in {reference.language}"
    roles = [role for role in getattr(module, "ROLES", ()) if role not in reference.roles]
    if roles:
        return f"no attribute of the locale plays the role {' or '.join(roles)}"
    if getattr(module, "PROMPTS", False) and not reference.prompts:
        return "the prompts behind the texts are not known"
    lookups = [name for name in getattr(module, "LOOKUPS", ()) if name not in reference.lookups]
    return f"the locale has no look-up of {' or '.join(lookups)}" if lookups else ""


def resolve_policy(
    policy: Mapping[str, str], only: Iterable[str] | None = None, plugins: Plugins = NO_PLUGINS
) -> Mapping[str, Policy]:
    """Return code -> action for every rule: that of `policy`, else the rule's default; `off` outside `only`.

    Raises:
        PolicyError: a rule or an action does not exist.
    """
    known = rules(plugins)
    chosen = set(known if only is None else only)
    for code in (*policy, *sorted(chosen)):
        if code not in known and code not in TOGETHER:
            names = ", ".join(sorted((*known, *TOGETHER)))
            raise PolicyError(f"validation.policy: unknown rule {code!r}; known: {names}")
    for code, action in policy.items():
        if action not in get_args(Policy):
            raise PolicyError(
                f"validation.policy.{code}: unknown action {action!r}; known: {', '.join(get_args(Policy))}"
            )
    resolved = {
        code: policy.get(code, module.POLICY) if code in chosen else "off" for code, module in known.items()
    }
    return MappingProxyType(cast("dict[str, Policy]", resolved))
