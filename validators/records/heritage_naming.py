"""Heritage is shown by practice, not named, in the six personas. A choice of style: flagged unless configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.foundation.schema import NARRATIVES
from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import languages_with, phrases

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "flag"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = languages_with("heritage")

RULE = Rule.of(__name__)


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Search the personas, not the cultural background, for words that name a heritage."""
    reading = reference.read(record)
    for field, phrase in phrases("heritage", "terms", reference.language).found(reading, NARRATIVES):
        yield RULE.error(field, "heritage is named; show it by what the person does", phrase)


ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"persona": "Ana Wu folds dumplings with her grandmother."},
    {"cultural_background": "Ana is Chinese-American."},
)
REJECTS: tuple[Mapping[str, Any], ...] = ({"persona": "Ana Wu, a Chinese\u2011American cook."},)
