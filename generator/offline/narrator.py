"""OfflineNarrator: writes texts from a grammar over facts, occupation data and traits, without a language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from census_personas.foundation.randomness import draws
from census_personas.generator.llm.chat import ChatRequest, Completion, RequestError
from census_personas.generator.offline import details, work
from census_personas.generator.offline.derivation import Derivation
from census_personas.generator.offline.details import Details
from census_personas.generator.offline.endings import Endings, endings_of
from census_personas.generator.offline.grammar import Grammar, GrammarError
from census_personas.generator.offline.grammar_faults import refuse_faults
from census_personas.generator.offline.portrait import Portrait
from census_personas.generator.offline.portrait_guide import PortraitGuide

_ANY_LENGTH = (1, 1000)
_SYMBOLS = {"skills_and_expertise": "skills_prose", "hobbies_and_interests": "hobby_prose"}
_LISTS = {"skills_and_expertise_list": "skills", "hobbies_and_interests_list": "hobbies"}
_REWRITES = 12
_ASKED = (*_SYMBOLS.values(), "hobby", "work_task", "work_skill", "skill_everyday")
_GROUNDING = (*work.GROUNDING, "nearby")
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class _Person:
    """What both calls of a record share."""

    identity: str
    portrait: Portrait
    details: Details
    grammar: Grammar


class OfflineNarrator:
    """A `ChatModel` without a language model: it derives every text from a grammar (`prompts/<locale>/offline`).

    The answer is a function of the request's facts, the fields of its schema and its seed. Details that several fields
    and calls share (hobbies and skills, in lists and in prose) depend on the facts alone, so that a repaired field
    agrees with the others. Records name this narrator as `offline`, never as a model.
    """

    name = "offline"
    needs_messages = False

    def __init__(self, grammar: Grammar, guide: PortraitGuide) -> None:
        """Take a grammar with a symbol for every field, and the guide to the facts that it uses.

        Raises:
            GrammarError: a slot, tag or cycle that would fail only for some people.
        """
        drawn = {text.text for symbol in grammar.leanings for text in grammar.alternatives(symbol.name)}
        listed_tags = {
            tag
            for name in ("job", *guide.listed)
            if name in grammar.symbols
            for tag in grammar.symbols[name].conditions
        }
        refuse_faults(
            grammar,
            words=guide.known_words | details.WORDS,
            tags=guide.known_tags | details.TAGS | drawn | listed_tags,
            asked=(*guide.asked, *_ASKED),
        )
        self._grammar, self._guide = grammar, guide
        self._spoken = {sex: grammar.spoken(kind.words) for sex, kind in guide.people.items()}
        self._turns = {field: turn for turn, field in enumerate(guide.lengths)}
        self._known = {*grammar.symbols, *_LISTS, *_SYMBOLS}
        self._person = lru_cache(_REMEMBERED)(self._build_person)

    @classmethod
    def load(cls, locale_or_folder: str | Path = "en_US") -> OfflineNarrator:
        """Read the grammar of a locale, or of a folder.

        Raises:
            GrammarError: no such grammar, or one of its files cannot be read.
        """
        return cls(Grammar.load(locale_or_folder), PortraitGuide.load(locale_or_folder))

    def refuse_unwritable(self, fields: Sequence[str]) -> None:
        """Refuse fields that the grammar cannot write, before anything is written.

        Raises:
            GrammarError: the message names these fields and those that it can write.
        """
        if unknown := [field for field in fields if field not in self._known]:
            raise GrammarError(
                f"{self._grammar.place}: no symbol {', '.join(unknown)}; the offline narrator writes "
                f"{', '.join(field for field in fields if field in self._known)}. Remove the others from "
                "prompts.narratives, add symbols for them, or set llm.backend=openai"
            )

    async def complete(self, request: ChatRequest) -> Completion:
        """Answer with a JSON object of exactly the properties of the request's schema.

        Raises:
            RequestError: a property without a symbol in the grammar, or facts without name, sex or age.
        """
        properties = request.schema.get("properties") or {}
        answer = self.write(request.facts, properties, seed=request.seed)
        return Completion(text=orjson.dumps(answer).decode(), model=self.name, finish_reason="stop")

    def account(self) -> Mapping[str, Any]:
        """Return nothing: there is no endpoint."""
        return {}

    async def aclose(self) -> None:
        """Do nothing: nothing is open."""

    def write(
        self, facts: Mapping[str, Any], properties: Mapping[str, Mapping[str, Any]], *, seed: int
    ) -> dict[str, str | list[str]]:
        """Write the fields named by `properties` (JSON schema: `minLength` and `maxLength` are respected)."""
        if not properties.keys() <= self._known:
            self._refuse_unknown(properties)
        grounding = facts.get("grounding") or {}
        person = self._person(
            tuple(map(facts.get, self._guide.known_facts)),
            tuple([tuple(grounding.get(kind) or ()) for kind in _GROUNDING]),
        )
        derivation = Derivation(
            person.grammar,
            draws(f"{seed} {person.identity}"),
            words=person.details.words,
            tags=person.details.tags,
            avoid=person.portrait.home,
            used=person.details.owned,
        )
        # What the record has by now, as a later call and a repair are told it.
        endings = Endings(
            text
            for field in self._guide.lengths
            if field not in properties and isinstance(text := facts.get(field), str)
        )
        return {
            field: list(getattr(person.details, _LISTS[field]))
            if field in _LISTS
            else self._text(derivation, person, field, schema, endings)
            for field, schema in properties.items()
        }

    def _build_person(self, values: tuple[Any, ...], grounding: tuple[tuple[Any, ...], ...]) -> _Person:
        """Build the portrait and details of the person with these facts.

        Raises:
            RequestError: name, sex or age is missing.
        """
        guide = self._guide
        facts: dict[str, Any] = dict(zip(guide.known_facts, values, strict=True))
        missing = [name for name in map(guide.fact, guide.needed) if facts[name] in (None, "")]
        if missing:
            raise RequestError(
                f"facts lack {', '.join(missing)}; the offline narrator writes from the facts of a record.",
                hint="sample with the full schema before narrating",
            )
        facts["grounding"] = dict(zip(_GROUNDING, grounding, strict=True))
        grammar = self._spoken[guide.tag_of_sex(facts)]
        code = str(facts[guide.fact(guide.job)] or "")
        seen = Portrait.of(facts, guide)
        tags = grammar.bits.of(seen.tags)
        tags |= grammar.bits_of("job", code) or grammar.bits_of("job", code[:2])
        for symbol, role in guide.listed.items():
            text = str(facts[guide.fact(role)] or "")
            tags |= grammar.bits_of(symbol, _main_city(text) if role == "metro" else text)
        identity = str(facts["uuid"] or seen.words["name"])
        chosen = Details.of(facts, seen, grammar, guide, draws(f"details {identity}"), tags=tags)
        return _Person(identity, seen, chosen, grammar)

    def _text(
        self,
        derivation: Derivation,
        person: _Person,
        field: str,
        schema: Mapping[str, Any],
        endings: Endings,
    ) -> str:
        """Derive until the length fits and no sentence ends like those of two other texts.

        After some tries, return a text that at least has the length, else the text with the nearest length.
        """
        shortest, longest = self._guide.lengths.get(field, _ANY_LENGTH)
        if "minLength" in schema or "maxLength" in schema:
            shortest = max(shortest, schema.get("minLength", shortest))
            longest = min(longest, schema.get("maxLength", longest))
        symbol = _SYMBOLS.get(field, field)
        ranks = person.grammar.ranks(*person.portrait.leads(self._turns.get(field, 0)))
        best, missed, is_worn, ends = "", 1 << 30, False, set[str]()
        for _ in range(_REWRITES):
            text = self._guide.contracted(derivation.write(symbol, ranks))
            miss = max(shortest - len(text), len(text) - longest, 0)
            if miss < missed or (is_worn and miss == missed):
                best, missed, ends = text, miss, endings_of(text)
                is_worn = endings.are_worn(ends)
                if not (miss or is_worn):
                    break
        endings.add(ends)
        return best

    def _refuse_unknown(self, properties: Iterable[str]) -> None:
        unknown = [field for field in properties if field not in self._known]
        raise RequestError(
            f"{self._grammar.place}: no symbol {', '.join(map(repr, unknown))}; "
            "the offline narrator cannot write it.",
            hint="add the symbol to the grammar, or choose llm.backend: openai",
        )


@lru_cache(maxsize=4096)
def _main_city(metro_area: str) -> str:
    """Return the first city in the name of a metropolitan area ("Dallas-Fort Worth-Arlington, TX")."""
    return metro_area.partition("-")[0].partition(",")[0]
