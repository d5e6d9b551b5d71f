"""Portrait guide: which facts of a person a grammar uses, as its `portrait.yaml` declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from census_personas.foundation.traits import TRAITS
from census_personas.foundation.yaml_file import YamlError, read_yaml
from census_personas.generator.offline.grammar_files import PORTRAIT, GrammarError, folder_of
from census_personas.generator.offline.job_title import Titles

WALKS = ("worker", "military", "seeking", "student", "homebound", "retired")
_FIXED = ("elderly", "limited", "home", "near", "county")
_NAMED = (
    "name",
    "first",
    "age",
    "next_decade",
    "city",
    "state",
    "county",
    "near1",
    "near2",
    "title",
)
# Facts with the same name in every locale.
_ENGINE = ("uuid", "full_name", "occupation_title", "occupation_code", "state_name")
_Words = Mapping[str, str]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Sex(_Part):
    """A state of the role `sex`, and the words for people with it."""

    sex: str
    words: _Words


class PortraitGuide(_Part):
    """The content of a `portrait.yaml`, whose comments explain each key."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
    facts: Annotated[_Words, Field(min_length=1)]
    needed: tuple[str, ...] = ("given_name", "family_name", "sex", "age")
    people: Annotated[Mapping[str, Sex], Field(min_length=1)]
    stages: Mapping[str, int]
    oldest: str
    elderly: int
    student: int
    retired: int
    decades: Mapping[int, str] = Field(default_factory=dict)
    beyond_decades: str = ""
    work: _Words = Field(default_factory=dict)
    without_occupation: _Words = Field(default_factory=dict)
    of_work: tuple[str, ...] = ()
    tags: Mapping[str, _Words] = Field(default_factory=dict)
    usual: _Words = Field(default_factory=dict)
    own_language: str = ""
    other_language: str | None = None
    town: str
    state: str
    titles: _Words
    counties: tuple[str, ...] = ()
    listed: _Words = Field(default_factory=dict)
    job: str = "occupation"
    asked: tuple[str, ...] = ()
    lengths: Mapping[str, tuple[int, int]] = Field(default_factory=dict)
    conjunction: Annotated[str, Field(alias="and")]
    gear: str
    contractions: _Words = Field(default_factory=dict)
    leaders: tuple[str, ...] = ()
    coders: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    commoner_titles: _Words = Field(default_factory=dict)
    titles_by_sex: Mapping[str, _Words] = Field(default_factory=dict)

    @classmethod
    def load(cls, locale_or_folder: str | Path) -> PortraitGuide:
        """Read the guide of a grammar's folder, or of `prompts/<locale>/offline`.

        Raises:
            GrammarError: no such file, or a wrong key or value; one line with file and key.
        """
        place = folder_of(locale_or_folder) / PORTRAIT
        if not place.is_file():
            raise GrammarError(
                f"{place}: no such file, but it declares which facts the grammar uses; copy the one of prompts/en_US"
            )
        try:
            guide = cls.model_validate(read_yaml(place))
        except YamlError as error:
            raise GrammarError(str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or "file"
            raise GrammarError(f"{place}: {key}: {first['msg']}") from error
        if unknown := sorted({*guide.needed, *guide.of_work, *guide.tags, *guide.usual} - {*guide.facts}):
            raise GrammarError(
                f"{place}: facts: no name for the role {unknown[0]}, which another key uses; add it"
            )
        return guide

    @classmethod
    def beside(cls, prompts: Path) -> PortraitGuide | None:
        """Return the guide of a prompt set's grammar; None if the set has no grammar.

        Raises:
            GrammarError: as in `load`.
        """
        grammar = prompts / "offline"
        return cls.load(grammar) if (grammar / PORTRAIT).is_file() else None

    def fact(self, role: str) -> str:
        """Return the name of a role in the facts, or the name itself if it is not a role."""
        return self.facts.get(role, role)

    def tag_of_sex(self, facts: Mapping[str, object]) -> str:
        """Return the tag of the person's sex, which selects the words."""
        return self.tag_of(facts[self.fact("sex")])

    def tag_of(self, sex: object) -> str:
        """Return the tag of a state of `sex`."""
        return self._tags_of_sex.get(str(sex).casefold(), next(iter(self.people)))

    @cached_property
    def _tags_of_sex(self) -> _Words:
        return {kind.sex.casefold(): tag for tag, kind in self.people.items()}

    @cached_property
    def known_facts(self) -> tuple[str, ...]:
        """Facts the texts may use; together they are the cache key."""
        names = (*_ENGINE, *self.facts.values(), *TRAITS, *(f"{trait}_label" for trait in TRAITS))
        return tuple(dict.fromkeys(names))

    @cached_property
    def tags_by_fact(self) -> tuple[tuple[str, _Words, str | None], ...]:
        """Facts, each with its states and their tags, and the tag of all other states."""
        return tuple((self.fact(role), states, self.usual.get(role)) for role, states in self.tags.items())

    @cached_property
    def tags_of_work(self) -> frozenset[str]:
        """Tags that only working people have."""
        return frozenset(tag for role in self.of_work for tag in self.tags.get(role, {}).values())

    @cached_property
    def known_tags(self) -> frozenset[str]:
        """Tags that follow from facts, without those of symbols that list facts."""
        levels = {f"{trait[0]}{level}" for trait in TRAITS for level in range(1, 6)}
        of_facts = {tag for states in self.tags.values() for tag in states.values()}
        other = {self.other_language} if self.other_language else set()
        ages = {*self.stages, self.oldest}
        return frozenset(
            {*self.people, *ages, *_FIXED, *WALKS, *self.usual.values(), *levels, *of_facts, *other}
        )

    @cached_property
    def known_words(self) -> frozenset[str]:
        """Words that follow from facts, as slots name them."""
        return frozenset(word for kind in self.people.values() for word in kind.words) | frozenset(_NAMED)

    @cached_property
    def spoken_titles(self) -> Titles:
        """Titles for one person whose census occupation joins several."""
        return Titles(self.language, self.commoner_titles, self.titles_by_sex)

    @cached_property
    def _leader(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, self.leaders))})\b")

    def contracted(self, text: str) -> str:
        """Return the text with the contractions of the language ("a el" becomes "al")."""
        for apart, together in self.contractions.items():
            text = text.replace(apart, together)
        return text

    def leads(self, title: str) -> bool:
        """Return whether people with this title supervise others."""
        return bool(self.leaders) and self._leader.search(title) is not None
