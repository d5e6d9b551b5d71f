"""Pronouns fit the sex: a woman is not spoken of as "he", a man not as "she"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from census_personas.validators.finding import Finding, Policy, Rule, Scope, Severity
from census_personas.validators.text.lexicon import ENGLISH

if TYPE_CHECKING:
    from census_personas.validators.rule_context import RuleContext

SEVERITY: Severity = "error"
POLICY: Policy = "repair"
SCOPE: Scope = "field"
LANGUAGES: tuple[str, ...] = (ENGLISH,)
ROLES: tuple[str, ...] = ("sex",)

RULE = Rule.of(__name__)
_SUBJECTS = {"masculine": frozenset({"he", "himself"}), "feminine": frozenset({"she", "herself"})}
_ALL = {
    "masculine": frozenset({"he", "himself", "him", "his"}),
    "feminine": frozenset({"she", "herself", "her", "hers"}),
}
_PATTERNS = {
    sex: re.compile(rf"\b(?:{'|'.join(sorted(forms))})\b(?!-)", re.IGNORECASE) for sex, forms in _ALL.items()
}
_OTHER = {"masculine": "feminine", "feminine": "masculine"}
_WORDS = {"masculine": ("male", "he"), "feminine": ("female", "she")}


def check(record: Mapping[str, Any], reference: RuleContext) -> Iterator[Finding]:
    """Count the pronouns of the other sex.

    Relatives and friends may be named with the other sex's pronouns ("he and his sister, who ... her"), so they are
    an error only in a field that has none of the person's own; where a field has both it is a warning if the other
    sex's are more and stand as subject.
    """
    reading = reference.read(record)
    sex = reference.gender(reading.fact_of("sex"))
    if sex not in _OTHER:
        if reading.prose:
            yield RULE.not_judged(reading.column_of("sex"), "no sex is given to compare pronouns with")
        return
    if reading.words.isdisjoint(_ALL[_OTHER[sex]]):
        return
    name, own = _WORDS[sex]
    for field, text in reading.prose.items():
        wrong = _PATTERNS[_OTHER[sex]].findall(text)
        if not wrong:
            continue
        right = _PATTERNS[sex].findall(text)
        subject = any(word.lower() in _SUBJECTS[_OTHER[sex]] for word in wrong)
        evidence = ", ".join(wrong[:6])
        if not right and (subject or len(wrong) > 1 or not _someone_else(text, wrong[0])):
            yield RULE.error(field, f"the person is {name}; write {own}, not {wrong[0].lower()}", evidence)
        elif subject and len(wrong) > len(right):
            yield RULE.warning(field, f"most pronouns are not those of a {name} person", evidence)


def _someone_else(text: str, pronoun: str) -> bool:
    """Whether another woman or man stands in the text before the pronoun."""
    return _RELATIVES.search(text[: text.find(pronoun)]) is not None


_RELATIVES = re.compile(
    r"\b(?:wife|husband|mother|father|mom|dad|sister|brother|daughter|son|aunt|uncle|niece|nephew|cousin|partner"
    r"|fianc\w+|girlfriend|boyfriend|grand\w+|boss|coach|mentor|artist|poet|author|singer|novelist|painter|friend|legend|icon|star|hero|musician|songwriter|composer|writer|director"
    r"|guitarist|pianist|saxophonist|trumpeter|rapper|actor|filmmaker|photographer|sculptor|architect|chef|player|champion)s?\b",
    re.IGNORECASE,
)

ACCEPTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu cooks what her mother taught her."},
    {"sex": "Male", "persona": "Leo Park ladles she-crab soup for his friends."},
    {"sex": "Male", "persona": "Leo Park rereads the poet Mary Oliver and all her books."},
    {"sex": "Female", "persona": "Ana Wu balances their ledgers."},
    {"sex": "Female", "arts_persona": "Ana Wu hums folk legend Woody Guthrie and knits to his ballads."},
)
REJECTS: tuple[Mapping[str, Any], ...] = (
    {"sex": "Female", "persona": "Ana Wu cooks when he comes home from his shift."},
    {"sex": "Male", "career_goals_and_ambitions": "She hopes to lead a crew."},
    {"sex": "Male", "persona": "Leo Park, a baker proud of her rye bread."},
)
