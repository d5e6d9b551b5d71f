"""Checks: every rule and every measure, from the registries that run them."""

from __future__ import annotations

import inspect
from typing import Any

from census_personas.validators.measure import DOMAIN, title_of
from census_personas.validators.measure_registry import measures
from census_personas.validators.rules import SAMPLED, WRITTEN, rules

_SCOPES = {
    "facts": "facts alone",
    "field": "each text by itself, beside the facts",
    "record": "the texts of a record together",
}


def rules_markdown() -> str:
    """The reference of all rules."""
    return "\n\n".join(_rule(name, rule) for name, rule in sorted(rules().items()))


def _rule(name: str, rule: Any) -> str:
    policy = rule.POLICY
    said = [f"Severity `{rule.SEVERITY}`", f"policy `{policy}`"]
    others = {"texts that a run writes": WRITTEN.get(name), "rows that the engine sampled": SAMPLED.get(name)}
    if others["texts that a run writes"] == others["rows that the engine sampled"]:
        del others["rows that the engine sampled"]
    said += [f"`{other}` for {what}" for what, other in others.items() if other and other != policy]
    said.append(f"reads {_SCOPES[rule.SCOPE]}")
    if needs := _rule_needs(rule):
        said.append(f"needs {needs}")
    return f"### `{name}`\n\n{inspect.getdoc(rule)}\n\n*{'; '.join(said)}.*"


def _rule_needs(rule: Any) -> str:
    named = {"roles": "ROLES", "look-ups": "LOOKUPS", "texts in": "LANGUAGES"}
    needs = [
        f"{what} {_listed(getattr(rule, name, ()))}"
        for what, name in named.items()
        if getattr(rule, name, ())
    ]
    if getattr(rule, "PROMPTS", False):
        needs.append("the words of the prompts")
    return ", ".join(needs)


def measures_markdown() -> str:
    """The reference of all measures."""
    return "\n\n".join(_measure(name, measure) for name, measure in sorted(measures().items()))


def _measure(name: str, measure: Any) -> str:
    where = (
        "Run by `personas validate --report` alone, since it takes seconds"
        if getattr(measure, "COSTLY", False)
        else "Run for every report"
    )
    told = (inspect.getdoc(measure) or "").partition(": ")[2] or (inspect.getdoc(measure) or "")
    return f"### `{name}`\n\n{title_of(name, measure)}: {told}\n\n*{where}; {_measure_needs(measure.NEEDS)}.*"


def _measure_needs(needs: Any) -> str:
    said = [
        ("columns", needs.columns),
        ("numbers", needs.numbers),
        ("texts", needs.texts),
        ("repeated values of", needs.digests),
        ("columns of the roles", needs.roles),
        ("tables of", tuple(" × ".join(table) for table in needs.tables)),
    ]
    reads = [f"{what} {_listed(names)}" for what, names in said if names]
    if DOMAIN in needs.optional:
        reads.append("every attribute of the locale that the dataset has")
    elif needs.optional:
        reads.append(f"if present {_listed(needs.optional)}")
    if needs.sample:
        reads.append("a sample of whole records")
    return f"reads {', '.join(reads)}" if reads else "reads what all measures read"


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
