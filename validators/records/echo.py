"""The text says things in words of its own: it repeats no run of words of the prompt that asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.rule_context import PROMPT_RUN

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
PROMPTS = True

RULE = Rule.of(__name__)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Look up every run of words whose first two begin one of the prompt."""
    runs, starts = reference.prompt_runs
    if not runs:
        return
    reading = reference.read(record)
    for field in reading.prose:
        tokens = reading.tokens[field]
        for at, pair in enumerate(zip(tokens, islice(tokens, 1, None), strict=False)):
            if pair in starts and (run := " ".join(tokens[at : at + PROMPT_RUN])) in runs:
                yield RULE.error(field, "words of the prompt are repeated; say it in words of your own", run)
                break


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu keeps bees behind the library, and sells the honey."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu keeps bees behind the library and sells honey from a red cart."},
)
