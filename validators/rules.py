"""Rules: every record rule under one policy, as one `RecordChecker`."""

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
"""The five quality checks that the guide to Nemotron-Personas names, and the rules that carry each out."""


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
"""Policy for texts that a run writes. These rules only warn about files from elsewhere: how often they are wrong has
been measured on too few rows that nobody tuned them on. A run asks again, which costs less than the row."""

SAMPLED: Mapping[str, Policy] = MappingProxyType(
    {
        **WRITTEN,
        "age_in_text": "off",
        "age_marital": "flag",
        "demographic_consistency": "flag",
        "occupation_education": "flag",
    }
)
"""Policy for rows that were sampled from the census. Somebody has every rare combination that the tables hold, the
sample has its share of them, and no retry can change a fact: they are flagged, and only foreign files are judged. What
words tell of an age was learned from the released texts, which another narrator does not write."""

BY_MODEL: Mapping[str, Policy] = MappingProxyType({"monotony": "repair"})
"""Policy, beside the above, for texts that a model writes. The offline grammar has one stock of sentences."""


TOGETHER = ("shared_text",)
"""Rules that look at the rows of a run together, when a shard closes; no record shows what they find."""

_TOGETHER = 256  # records


class PolicyError(PersonasError, ValueError):
    """A policy that names no rule or no action; the message lists the known ones."""


class RuleModule(Protocol):
    """What a file in `validators/records` must define.

    It may also define what it needs; without all of it, the rule is not run:
    `LANGUAGES`, codes of the languages that it can read (any, if left out); `ROLES`, those that an attribute of the
    locale must play; `LOOKUPS`, those that the locale must have; `PROMPTS`, whether the words of the prompts must be
    known, as a run knows its own.
    """

    SEVERITY: Severity
    POLICY: Policy
    SCOPE: Scope
    ACCEPTS: tuple[Record, ...]
    REJECTS: tuple[Record, ...]

    @staticmethod
    def check(record: Record, reference: RuleContext) -> Iterator[Finding]:
        """Yield what is wrong with the record; nothing when all is well."""


@cache
def rules(plugins: Plugins = NO_PLUGINS) -> Mapping[str, RuleModule]:
    """Rule code -> rule, in alphabetical order: one for each file in `validators/records` and each of a plug-in.

    Raises:
        PluginError: a plug-in's rule that cannot be loaded, or has the code of another one.
    """
    codes = sorted(module.name for module in pkgutil.iter_modules(records.__path__))
    ours = {code: importlib.import_module(f"{records.__name__}.{code}") for code in codes}
    every = {**ours, **plugin_rules(plugins, ours)}
    return MappingProxyType(cast("dict[str, RuleModule]", dict(sorted(every.items()))))


@runtime_checkable
class Prepared(Protocol):
    """What a rule may define beside `check`, for what many records at once are cheaper to be asked."""

    @staticmethod
    def prepare(readings: Sequence[RecordView], reference: RuleContext) -> None:
        """Find out about records that are about to be checked."""


class RecordChecker:
    """Runs the record rules under a policy.

    `repair` and `reject` leave findings as they are: an error means that the record may not be delivered, and
    the caller decides by `policy[code]` whether the model is asked to repair it. `flag` lowers errors to
    warnings, `off` does not run the rule. Rules not named keep their own default.

    Attributes:
        reference: what records are judged by.
        policy: what to do, for every rule.
        not_judged: rules that are on and cannot run here, and why: they need a language, a role or a look-up that the
            locale has not. They say so once, here, and nothing about any record.
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
        """Take the priors to judge by, what to do per rule, and the rules to run (all by default).

        What was read and found of `remember` people is kept for when they come again with the same facts, as they
        do while a record is written field by field. Rules of `plugins` run beside ours.

        Raises:
            PolicyError: a rule or an action that does not exist.
            PluginError: a plug-in's rule that cannot be loaded.
        """
        self.reference = priors if isinstance(priors, RuleContext) else RuleContext(priors)
        self.policy = resolve_policy(policy or {}, only, plugins)
        on = {code: module for code, module in rules(plugins).items() if self.policy[code] != "off"}
        lacks = {code: _lacks(module, self.reference) for code, module in on.items()}
        self.not_judged = MappingProxyType({code: lacking for code, lacking in lacks.items() if lacking})
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
        known = self.reference
        self._memory = FindingCache(remember, known.roles, known.name_recipe) if remember else None

    def check(self, record: Record) -> tuple[Finding, ...]:
        """All findings about one record, ordered by rule code."""
        return self.check_together([record])[0]

    def check_together(self, records: Iterable[Record]) -> list[tuple[Finding, ...]]:
        """All findings about each of a few hundred records, found for less than one by one."""
        return self._each(records, self._judged)

    def check_each(self, records: Iterable[Record]) -> Iterator[tuple[Finding, ...]]:
        """All findings about each of any number of records, in order."""
        left = iter(records)
        while some := list(islice(left, _TOGETHER)):
            yield from self.check_together(some)

    def facts_together(self, records: Iterable[Record]) -> list[tuple[Finding, ...]]:
        """All that can be said of records before they have texts: findings of the rules that look beyond them."""
        return self._each(records, self._judged_by_facts)

    def _each(
        self, records: Iterable[Record], judge: Callable[[Person | None, RecordView], tuple[Finding, ...]]
    ) -> list[tuple[Finding, ...]]:
        met = [self._met(record) for record in records]
        for prepare in self._prepare:
            prepare([reading for _, reading in met], self.reference)
        met.reverse()
        found = []
        while met:  # each is let go of when it is judged: what is known of a text takes much memory
            found.append(judge(*met.pop()))
        return found

    def _judged(self, person: Person | None, reading: RecordView) -> tuple[Finding, ...]:
        found = self._run("record", reading)
        if person is None or self._memory is None:
            found += self._run("facts", reading) + self._run("field", reading)
        else:
            found += person.facts(reading, partial(self._run, "facts"))
            found += person.texts(reading, partial(self._run, "field"))
            if not any(finding.severity == "error" for finding in found):
                self._memory.forget(reading)
        return tuple(sorted(found, key=attrgetter("code")))

    def _judged_by_facts(self, person: Person | None, reading: RecordView) -> tuple[Finding, ...]:
        judge = partial(self._run, "facts")
        found = judge(reading) if person is None else person.facts(reading, judge)
        return tuple(found + self._run("record", reading))

    def _met(self, record: Record) -> tuple[Person | None, RecordView]:
        """Who is remembered of the record, and a reading of it."""
        person = self._person(record)
        return person, self.reference.read(record) if person is None else person.read(record)

    def _person(self, record: Record) -> Person | None:
        """Who is remembered of the record. Without a name among the facts, texts tell of each other's person."""
        names = map(self.reference.column_of, ("given_name", "family_name"))
        named = all(isinstance(record.get(name), str) for name in names)
        return self._memory.person(record) if self._memory is not None and named else None

    def _run(self, scope: Scope, reading: RecordView) -> list[Finding]:
        found: list[Finding] = []
        for check, flagged in self._running[scope]:
            for finding in check(reading, self.reference):
                lower = flagged and finding.severity == "error"
                found.append(finding.lowered() if lower else finding)
        return found


def _lacks(module: RuleModule, reference: RuleContext) -> str:
    """What a rule needs and the locale has not, in a few words; nothing if it can run."""
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
    """A policy for every rule: the one given, else the rule's own; rules outside `only` are off.

    Raises:
        PolicyError: a rule or an action that does not exist.
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
