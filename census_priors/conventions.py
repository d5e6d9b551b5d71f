"""Conventions: what `locale.yaml` says of a country beyond its tables: roles, words, names, ages, columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from census_personas.census_priors.declaration import Part
from census_personas.census_priors.roles import NAME, NAME_RECIPE, ROLES, Roles, unknown_role
from census_personas.foundation.schema import ContextColumns

ENGINE_COLUMNS = ("country", "birth_year", "occupation_code")
"""Columns that the engine computes for every locale; `columns` may name them beside roles."""
PUBLIC = (
    *(
        "sex",
        "age",
        "marital",
        "schooling",
        "field",
        "occupation",
        "municipality",
        "region",
        "postcode",
        "country",
    ),
)
FULL = (
    *(
        "given_name",
        "middle_name",
        "family_name",
        "second_family_name",
        "birth_year",
        "origin",
        "birth",
        "work",
    ),
    *("occupation_code", "subregion", "metro"),
)

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Years = Annotated[int, Field(ge=0, le=130)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Word = Annotated[str, Field(min_length=1)]


class Words(Part):
    """What an attribute, or a column of a look-up, is called in one language, and words for its states.

    A language that has no words of its own for a state takes those of `priors.yaml`. `description` is what the dataset
    card says of the column.
    """

    name: Word | None = None
    description: Word | None = None
    states: Mapping[str, Word] = Field(default_factory=dict)


class Work(Part):
    """Which states of the role `work` mean what, and the ages between which people work."""

    employed: str | None = None
    armed_forces: str | None = None
    unemployed: str | None = None
    inactive: str | None = None
    begins: Years = 16
    retirement: Years = 65


class WithoutOccupation(Part):
    """A state of the role `occupation` that is none: the state of work that it goes with, and how prose calls it."""

    work: str | None = None
    title: str


class Schooling(Part):
    """The states of the role `schooling` from the lowest to the highest, and those that are degrees.

    `complete` is the age from which people are counted as through with their schooling.
    """

    ladder: tuple[str, ...] = ()
    degrees: tuple[str, ...] = ()
    complete: Years = 25


class Columns(Part):
    """The dataset's columns of context, by role (or one of `ENGINE_COLUMNS`), in order.

    `public` is what the public schemas have; `full` is what the full schema adds, in this order, before the
    attributes without a role. One that is left out has what is filled of `PUBLIC` or `FULL`.
    """

    public: tuple[str, ...] | None = None
    full: tuple[str, ...] | None = None


class NameTables(Part):
    """How the look-ups of names are read.

    Attributes:
        recipe: the roles that make a full name, in order; texts name a person so. A person without one of them has
            the others.
        groups: group of the given names' columns -> the states of `origin` that are counted in it.
        family_groups: the same of the family names' columns.
        without_middle_name: share of people without one, by group.
        accented: states of `origin` whose people, where they were born elsewhere, keep accents.
        born_here: states of `birth` whose people the counts of births have.
        births_elsewhere: states of `region` whose births those counts leave out.
    """

    recipe: Annotated[tuple[str, ...], Field(min_length=1)] = NAME_RECIPE
    groups: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    family_groups: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    without_middle_name: Mapping[str, Share] = Field(default_factory=dict)
    accented: tuple[str, ...] = ()
    born_here: tuple[str, ...] = ()
    births_elsewhere: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _recipe_is_of_names(self) -> NameTables:
        for role in self.recipe:
            if role not in NAME:
                raise ValueError(f"recipe: {role!r} is no role of a name; known: {', '.join(NAME)}")
        if len(set(self.recipe)) < len(self.recipe):
            raise ValueError("recipe: each part of a name stands once")
        return self


class Split(Part):
    """A column of adults that counts two groups: the share of them that one is, by area, and who the others are."""

    share: str
    of: str
    others: str


class PlaceTables(Part):
    """How the look-ups of places are read.

    Attributes:
        columns: column of the dataset -> column of `places.parquet`, where the two differ.
        area: the column that joins places to `areas`, the file of factors by area.
        areas: that file, without its ending.
        groups: columns of adults by `origin`, in order; one that `split` does not name is called as its state.
        split: columns that count two states of `origin`.
        schooling: the attribute, a coarser view of `schooling`, by which people of one area live apart.
    """

    columns: Mapping[str, str] = Field(default_factory=dict)
    area: str = "area"
    areas: str = "areas"
    groups: tuple[str, ...] = ()
    split: Mapping[str, Split] = Field(default_factory=dict)
    schooling: str | None = None


class Conventions(Part):
    """The whole of `locale.yaml`; a locale without the file has the defaults.

    Attributes:
        language: of the words in `priors.yaml` (ISO 639).
        roles: role -> attribute, or column of a look-up. Where there is no `locale.yaml`, an attribute that has the
            name of a role plays it.
        adult: the age from which people are adults.
        work, without_occupation, schooling, names, places, columns: see their classes.
        gender: grammatical gender by state of `sex`.
        pronouns: language -> state of `sex` -> form (subject, object, possessive, …) -> word.
        words: language -> attribute or column -> what it and its states are called.
        background: roles that prompts tell a model of, in order, beyond those that every text speaks of.
        unsaid: role -> states that say what somebody is not; a model that is told so writes about it.
        hidden: attributes that a dataset shows by their coarser views only.
    """

    language: Language = "en"
    roles: Mapping[str, str] = Field(default_factory=dict)
    adult: Years = 18
    work: Work = Work()
    without_occupation: Mapping[str, WithoutOccupation] = Field(default_factory=dict)
    schooling: Schooling = Schooling()
    names: NameTables = NameTables()
    places: PlaceTables = PlaceTables()
    columns: Columns = Columns()
    gender: Mapping[str, Literal["feminine", "masculine", "neuter"]] = Field(default_factory=dict)
    pronouns: Mapping[Language, Mapping[str, Mapping[str, Word]]] = Field(default_factory=dict)
    words: Mapping[Language, Mapping[str, Words]] = Field(default_factory=dict)
    background: tuple[str, ...] = ()
    unsaid: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages that the locale has words in, that of `priors.yaml` first."""
        return tuple(dict.fromkeys((self.language, *self.words)))

    @model_validator(mode="after")
    def _roles_are_known(self) -> Conventions:
        named = {
            "roles": self.roles,
            "background": self.background,
            "unsaid": self.unsaid,
            **{
                f"columns.{kind}": [r for r in getattr(self.columns, kind) or () if r not in ENGINE_COLUMNS]
                for kind in ("public", "full")
            },
        }
        for place, roles in named.items():
            if unknown := [role for role in roles if role not in ROLES]:
                raise ValueError(f"{place}: {unknown_role(unknown[0])}")
        for role, name in self.roles.items():
            if other := [one for one, column in self.roles.items() if column == name and one != role]:
                raise ValueError(f"roles: {name} plays {role} and {other[0]}; an attribute plays one role")
        return self


def roles_of(conventions: Conventions, locale: str) -> Roles:
    """The roles of a locale, to be asked."""
    return Roles(locale, conventions.roles)


def context_columns(conventions: Conventions, roles: Roles) -> ContextColumns:
    """The columns of a dataset of the locale that say who people are, by the locale's own names."""
    said = conventions.columns
    return ContextColumns(
        _named(PUBLIC if said.public is None else said.public, roles),
        _named(FULL if said.full is None else said.full, roles),
        frozenset(roles.named(("age",))),
    )


def _named(columns: tuple[str, ...], roles: Roles) -> tuple[str, ...]:
    names = (name if name in ENGINE_COLUMNS else roles.get(name) for name in columns)
    return tuple(name for name in names if name is not None)
