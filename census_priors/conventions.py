"""Conventions: the content of `locale.yaml`: roles, words, names, ages and columns of a country."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from census_personas.census_priors.declaration import Part
from census_personas.census_priors.roles import NAME, NAME_RECIPE, ROLES, Roles, unknown_role
from census_personas.foundation.schema import ContextColumns

ENGINE_COLUMNS = ("country", "birth_year", "occupation_code")
"""Columns that the engine computes for every locale; `columns` may name them besides roles."""
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
    """The name of an attribute or look-up column in one language, and labels for its states.

    Labels missing in a language fall back to those of `priors.yaml`. `description` is the text of the column in the
    dataset card.
    """

    name: Word | None = None
    description: Word | None = None
    states: Mapping[str, Word] = Field(default_factory=dict)


class Work(Part):
    """The meaning of states of the role `work`, and the ages between which people work."""

    employed: str | None = None
    armed_forces: str | None = None
    unemployed: str | None = None
    inactive: str | None = None
    begins: Years = 16
    retirement: Years = 65


class WithoutOccupation(Part):
    """A state of the role `occupation` without an occupation: its state of work, and its title in prose."""

    work: str | None = None
    title: str


class Schooling(Part):
    """The states of the role `schooling` from the lowest to the highest, and those that are degrees.

    `complete` is the age from which schooling counts as completed.
    """

    ladder: tuple[str, ...] = ()
    degrees: tuple[str, ...] = ()
    complete: Years = 25


class Columns(Part):
    """The dataset's columns of facts, by role (or one of `ENGINE_COLUMNS`), in order.

    `public` are the columns of the public schemas; `full` are those that the full schema adds before the attributes
    without a role. By default they are the filled roles of `PUBLIC` and `FULL`.
    """

    public: tuple[str, ...] | None = None
    full: tuple[str, ...] | None = None


class NameTables(Part):
    """Settings for reading the look-ups of names.

    Attributes:
        recipe: roles of the parts of a full name, in order; missing parts are skipped.
        groups: group of the given names' columns -> the states of `origin` that it counts.
        family_groups: the same for the family names' columns.
        without_middle_name: share of people without a middle name, by group.
        accented: states of `origin` whose people keep accents if they were born elsewhere.
        born_here: states of `birth` that the counts of births cover.
        births_elsewhere: states of `region` that the counts of births leave out.
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
                raise ValueError(f"recipe: {role!r} is not a role of a name; known: {', '.join(NAME)}")
        if len(set(self.recipe)) < len(self.recipe):
            raise ValueError("recipe: name each part of a name once")
        return self


class Split(Part):
    """A column of adults that counts two groups: the column with the share of the first, and both states."""

    share: str
    of: str
    others: str


class PlaceTables(Part):
    """Settings for reading the look-ups of places.

    Attributes:
        columns: column of the dataset -> column of `places.parquet`, if they differ.
        area: the column that joins places to `areas`, the file of factors by area.
        areas: name of that file, without suffix.
        groups: columns of adults by `origin`, in order; those not in `split` have the name of their state.
        split: columns that count two states of `origin` together.
        schooling: a coarser view of `schooling` that decides where in an area people live.
        coordinates: whether `places.parquet` has `latitude` and `longitude`; without them nothing is said of distances.
    """

    columns: Mapping[str, str] = Field(default_factory=dict)
    area: str = "area"
    areas: str = "areas"
    groups: tuple[str, ...] = ()
    split: Mapping[str, Split] = Field(default_factory=dict)
    schooling: str | None = None
    coordinates: bool = True


class Conventions(Part):
    """The whole of `locale.yaml`; a locale without the file has the defaults.

    Attributes:
        language: of the labels in `priors.yaml` (ISO 639).
        roles: role -> attribute, or column of a look-up. Without a `locale.yaml`, an attribute with the name of a
            role fills it.
        adult: the age from which people are adults.
        work, without_occupation, schooling, names, places, columns: see their classes.
        gender: grammatical gender by state of `sex`.
        pronouns: language -> state of `sex` -> form (subject, object, possessive, …) -> word.
        words: language -> attribute or column -> its name and the labels of its states.
        background: further roles that prompts describe to a model, in order.
        unsaid: role -> negative states to leave out of prompts, because a model would write about them.
        hidden: attributes that a dataset shows only through their coarser views.
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
    """Return the roles of a locale."""
    return Roles(locale, conventions.roles)


def context_columns(conventions: Conventions, roles: Roles) -> ContextColumns:
    """Return the columns of facts in a dataset of the locale, under the locale's names."""
    columns = conventions.columns
    return ContextColumns(
        _named(PUBLIC if columns.public is None else columns.public, roles),
        _named(FULL if columns.full is None else columns.full, roles),
        frozenset(roles.named(("age",))),
    )


def _named(columns: tuple[str, ...], roles: Roles) -> tuple[str, ...]:
    names = (name if name in ENGINE_COLUMNS else roles.get(name) for name in columns)
    return tuple(name for name in names if name is not None)
