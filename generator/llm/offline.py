"""OfflineNarrator: the narrator without a model, a grammar over facts, O*NET grounding and traits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import orjson

from persona_engine.generator.llm.chat import ChatRequest, Completion, RequestError
from persona_engine.generator.llm.details import Details
from persona_engine.generator.llm.grammar import Derivation, Grammar
from persona_engine.generator.llm.portrait import Portrait

# Characters: the narratives keep to one sentence of the length that the released Nemotron-Personas have.
_BOUNDS = {
    "persona": (115, 500),
    "professional_persona": (150, 500),
    "sports_persona": (150, 500),
    "arts_persona": (150, 500),
    "travel_persona": (150, 500),
    "culinary_persona": (150, 500),
    "cultural_background": (350, 900),
    "skills_and_expertise": (300, 650),
    "hobbies_and_interests": (300, 650),
    "career_goals_and_ambitions": (300, 700),
}
_TURN = {field: turn for turn, field in enumerate(_BOUNDS)}
_SYMBOLS = {"skills_and_expertise": "skills_prose", "hobbies_and_interests": "hobby_prose"}
_LISTS = {"skills_and_expertise_list": "skills", "hobbies_and_interests_list": "hobbies"}
_REWRITES = 12


class OfflineNarrator:
    """A `ChatModel` that needs no model: every text is derived from a grammar (`prompts/<locale>/offline`).

    The answer is a function of the request's facts, of the fields that its schema asks for and of its
    seed. What belongs together across fields and calls (hobbies and skills, in lists and in prose) hangs
    on the facts alone, so that a repaired field agrees with those that stay. It is no stand-in for a
    model, and is named for what it is wherever its texts are recorded.
    """

    name = "offline"

    def __init__(self, grammar: Grammar) -> None:
        """`grammar` must derive every field that will be asked for; `load` reads one that does."""
        self._grammar = grammar

    @classmethod
    def load(cls, locale_or_folder: str | Path = "en_US") -> OfflineNarrator:
        """Read the grammar of a locale, or of a folder.

        Raises:
            GrammarError: no such grammar, or a file of it that cannot be read.
        """
        return cls(Grammar.load(locale_or_folder))

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer with a JSON object of exactly the properties of the request's schema.

        Raises:
            RequestError: a property that the grammar has no symbol for, or facts without name, sex or age.
        """
        properties = request.schema.get("properties") or {}
        answer = self.write(request.facts, properties, seed=request.seed)
        return Completion(text=orjson.dumps(answer).decode(), model=self.name, finish_reason="stop")

    def account(self) -> Mapping[str, Any]:
        """Nothing: no endpoint stands behind it."""
        return {}

    async def aclose(self) -> None:
        """Nothing is held open."""

    def write(
        self, facts: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]], *, seed: int
    ) -> dict[str, str | list[str]]:
        """Write the fields named by `properties` (JSON schema: `minLength` and `maxLength` are respected)."""
        self._refuse_unknown(properties)
        missing = [key for key in ("first_name", "last_name", "sex", "age") if facts.get(key) in (None, "")]
        if missing:
            raise RequestError(
                f"facts lack {', '.join(missing)}; the offline narrator writes from the facts of a record.",
                hint="sample with the full schema before narrating",
            )
        portrait = Portrait.of(facts, region=self._grammar.tags_of("region", str(facts.get("state"))))
        identity = str(facts.get("uuid") or portrait.words["name"])
        details = Details.of(facts, portrait, self._grammar, Random(f"details {identity}"))
        derivation = Derivation(
            self._grammar,
            Random(f"{seed} {identity}"),
            words={**portrait.words, **details.words},
            tags=details.tags,
            avoid=portrait.home,
        )
        return {
            field: list(getattr(details, _LISTS[field]))
            if field in _LISTS
            else self._text(derivation, portrait, field, schema)
            for field, schema in properties.items()
        }

    def _text(self, derivation: Derivation, portrait: Portrait, field: str, schema: Mapping[str, Any]) -> str:
        """Derive until the length fits; after that the nearest miss is the answer."""
        shortest, longest = _BOUNDS.get(field, (1, 1000))
        shortest = max(shortest, int(schema.get("minLength", 0)))
        longest = min(longest, int(schema.get("maxLength", longest)))
        aliases = portrait.aliases(_TURN.get(field, 0))
        best, missed = "", 1 << 30
        for _ in range(_REWRITES):
            text = derivation.write(_SYMBOLS.get(field, field), aliases)
            miss = max(shortest - len(text), len(text) - longest, 0)
            if miss < missed:
                best, missed = text, miss
            if not miss:
                break
        return best

    def _refuse_unknown(self, properties: Mapping[str, Any]) -> None:
        known = self._grammar.symbols | _LISTS.keys()
        unknown = [field for field in properties if _SYMBOLS.get(field, field) not in known]
        if unknown:
            raise RequestError(
                f"{self._grammar.place}: no symbol {', '.join(map(repr, unknown))}; "
                "the offline narrator cannot write it.",
                hint="add the symbol to the grammar, or choose llm.backend: openai",
            )
