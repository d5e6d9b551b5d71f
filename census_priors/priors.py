"""Priors: a locale as loaded from its folder: domain, tables, model graph, look-ups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from census_personas.census_priors import declaration
from census_personas.census_priors.conventions import Conventions, context_columns, roles_of
from census_personas.census_priors.declaration import Declaration, DeclarationError, SourceDeclaration
from census_personas.census_priors.domain import Domain, DomainError, State
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.locale_file import LOCALE_FILE, read_conventions
from census_personas.census_priors.lookup import REMEDY
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.names import Names
from census_personas.census_priors.occupations import Occupation, Occupations
from census_personas.census_priors.places import Places
from census_personas.census_priors.residence import Residence
from census_personas.census_priors.roles import ROLES, Roles
from census_personas.census_priors.states import states_and_maps
from census_personas.census_priors.table_file import read_marginal, table_path
from census_personas.foundation.arrays import Codes32
from census_personas.foundation.schema import ContextColumns
from census_personas.foundation.user_path import check_input
from census_personas.foundation.yaml_file import YamlError, read_yaml

HERE = Path(__file__).parent
PROVENANCE = "provenance.yaml"
FEWEST = 1_000
"""Smallest table total that counts as a number of people."""


def locales() -> tuple[str, ...]:
    """Return the names of the shipped locales: folders here with a `priors.yaml`."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/priors.yaml")))


@dataclass(frozen=True)
class Priors:
    """A locale's folder. Tables and look-ups are read on first use."""

    folder: Path
    declaration: Declaration
    conventions: Conventions = field(default_factory=Conventions)

    @classmethod
    def load(cls, locale: str | Path) -> Priors:
        """Load a shipped locale by name, or any folder that has a `priors.yaml`.

        Raises:
            DeclarationError: there is no such locale, or one of its two YAML files is wrong.
        """
        folder = HERE / str(locale) if str(locale) in locales() else Path(locale)
        if not (folder / "priors.yaml").is_file():
            known = ", ".join(locales())
            raise DeclarationError(
                f"{locale}: no such locale and no folder with a priors.yaml; shipped: {known}"
            )
        declared = declaration.read(folder / "priors.yaml")
        return cls(folder, declared, read_conventions(folder, declared))

    @property
    def locale(self) -> str:
        """Name of the locale, as in `en_US`."""
        return self.declaration.locale

    @property
    def country(self) -> str:
        """Value of the dataset's `country` column."""
        return self.declaration.country

    @cached_property
    def roles(self) -> Roles:
        """The attribute of each role: `priors.roles["region"]`."""
        return roles_of(self.conventions, self.locale)

    @cached_property
    def context_columns(self) -> ContextColumns:
        """The columns of facts in datasets of this locale."""
        return context_columns(self.conventions, self.roles)

    @cached_property
    def occupations(self) -> Occupations:
        """Occupations with codes, groups, tasks, tools and skills."""
        without = self.conventions.without_occupation
        return Occupations(self.folder, {state: said.title for state, said in without.items()})

    def occupation(self, name: str, language: str | None = None) -> Occupation:
        """Return an occupation with its details; without a look-up, only its name and label.

        Raises:
            UnknownOccupationError: it is not in the look-up.
        """
        without = self.conventions.without_occupation.get(name)
        if "occupations" in self.declaration.lookups:
            return self.occupations.get(name)
        title = self.label(self.roles["occupation"], name, language) if without is None else without.title
        return Occupation(name, "", title)

    @cached_property
    def places(self) -> Places:
        """Postcodes with municipality and subregion."""
        return Places(self)

    @cached_property
    def residence(self) -> Residence:
        """Distribution of people over the postcodes of a region."""
        return Residence(self)

    @cached_property
    def names(self) -> Names:
        """First, middle and last names."""
        return Names(self)

    @cached_property
    def domain(self) -> Domain:
        """Every declared attribute with its states, finer attributes before their views."""
        return Domain(self._states_and_maps[0])

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """Which attributes are coarser views of others."""
        finer = {name: item.of for name, item in self.declaration.attributes.items() if item.of}
        return Hierarchy(self.domain, finer, self._states_and_maps[1])

    @cached_property
    def _states_and_maps(self) -> tuple[dict[str, tuple[State, ...]], dict[str, Codes32]]:
        return states_and_maps(
            self.declaration, self._file, self.occupation_group, lambda: self.occupations.names
        )

    @property
    def _file(self) -> Path:
        return self.folder / "priors.yaml"

    def occupation_group(self, name: str) -> str:
        """Return the major group of an occupation; states without an occupation are their own groups."""
        return self.occupations.get(name).group or name

    @property
    def tables(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every declared table, as (source, attributes)."""
        for source, tables in self.declaration.tables.items():
            for attributes in tables:
                yield source, attributes

    def table(self, attributes: str | Sequence[str]) -> Marginal:
        """Read one declared table."""
        domain = self.domain.project(attributes)
        return read_marginal(table_path(self.folder, domain.attributes), domain)

    @cached_property
    def adults(self) -> float | None:
        """Number of people: as declared, else the total of a table of everybody; None if tables hold shares.

        Totals below `FEWEST` count as shares or percentages.
        """
        if self.declaration.adults is not None:
            return self.declaration.adults
        counting = [names for _, names in self.tables if self.universe(names) == "everybody"]
        if not counting:
            return None
        total = self.table(min(counting, key=lambda names: self.domain.project(names).size)).total
        return total if total >= FEWEST else None

    def marginal(self, attributes: str | Sequence[str]) -> Marginal:
        """Return weighted counts over attributes, from the smallest declared table with them or finer ones.

        Raises:
            DomainError: an attribute is unknown.
            TableError: no table has them together.
        """
        attributes = self.domain.project(attributes).attributes
        candidates = [
            (self.domain.project(table).size, table)
            for _, table in self.tables
            if all(any(self.hierarchy.refines(other, name) for other in table) for name in attributes)
        ]
        if not candidates:
            raise TableError(f"{self.locale}: no table has {', '.join(attributes)} together")
        return view(self.table(min(candidates)[1]), self.hierarchy, attributes)

    def basis(self, attributes: Iterable[str], state: str) -> Literal["direct", "modelled"]:
        """Return whether an area's block in a table over these attributes was counted or modelled.

        It is modelled when one of the attributes, or a finer or coarser view of one, is declared modelled there.
        """
        listed = self.declaration.modelled.get(state, ())
        modelled = any(self.hierarchy.related(name, other) for name in attributes for other in listed)
        return "modelled" if modelled else "direct"

    def universe(self, attributes: Iterable[str]) -> str:
        """Return the universe of a table over these attributes."""
        parts = [self.declaration.attributes[name].universe for name in attributes]
        return "; ".join(sorted({part for part in parts if part})) or "everybody"

    def label(self, attribute: str, state: State, language: str | None = None) -> str:
        """Return the label of a state, for prompts and reports; the state itself if it has none.

        Args:
            attribute: of the locale.
            state: one of its states.
            language: of the label; `priors.yaml` is the default and the fallback.

        Raises:
            DomainError: there is no such attribute.
        """
        if attribute not in self.declaration.attributes:
            raise DomainError(
                f"unknown attribute {attribute!r}; known: {', '.join(self.declaration.attributes)}"
            )
        return self.words(attribute, language).get(str(state), str(state))

    def words(self, attribute: str, language: str | None = None) -> Mapping[str, str]:
        """Return the declared labels of an attribute's states, in a language of the locale."""
        item = self.declaration.attributes.get(attribute)
        own = {} if item is None else {**(item.states or {}), **item.labels}
        said = self.conventions.words.get(language or self.conventions.language, {}).get(attribute)
        return own if said is None else {**own, **said.states}

    def name(self, attribute: str, language: str | None = None) -> str:
        """Return the name of an attribute or look-up column in a language; by default its label."""
        said = self.conventions.words.get(language or self.conventions.language, {}).get(attribute)
        if said is not None and said.name is not None:
            return said.name
        item = self.declaration.attributes.get(attribute)
        return attribute if item is None else item.label

    def description(self, column: str, language: str | None = None) -> str:
        """Describe a column that is not an attribute: as declared, else by its role; '' if it has none."""
        said = self.conventions.words.get(language or self.conventions.language, {}).get(column)
        role = self.roles.role_of(column)
        return (said and said.description) or ROLES.get(role or "", "")

    @cached_property
    def sources(self) -> Mapping[str, SourceDeclaration]:
        """All publications behind the locale, look-ups included; without provenance, the declared sources."""
        path = self.folder / PROVENANCE
        if not path.is_file():
            return self.declaration.sources
        try:
            facts = read_yaml(path)["sources"]
            sources = {
                name: {key: source[key] for key in SourceDeclaration.model_fields if key in source}
                for name, source in facts.items()
            }
        except YamlError as error:
            raise DeclarationError(str(error)) from error
        except (TypeError, LookupError, AttributeError) as error:
            raise DeclarationError(f"{path}: `sources` is not a mapping of publications; {REMEDY}") from error
        return {name: declaration.validated(SourceDeclaration, said, path) for name, said in sources.items()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names and contents of all files of the locale that decide a sample."""
        digest = hashlib.sha256()
        files = (self._file, *self.folder.glob(LOCALE_FILE))
        for path in sorted((*self.folder.glob("tables/*"), *self.folder.glob("lookups/*"), *files)):
            if not path.is_file():
                raise TableError(
                    f"{path}: is not a regular file, nor a link to one; remove it from the locale"
                )
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(_content(path)).digest())
        return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        check_input(path)
        return path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}); rebuild the locale") from error


def view(marginal: Marginal, hierarchy: Hierarchy, attributes: Sequence[str]) -> Marginal:
    """Sum a table to these attributes, each in the table or a coarser view of one that is."""
    fine = [next(a for a in marginal.domain if hierarchy.refines(a, name)) for name in attributes]
    projected = marginal.project(tuple(dict.fromkeys(fine)))
    domain = hierarchy.domain.project(attributes)
    shape = projected.domain.shape
    codes = np.unravel_index(np.arange(projected.domain.size), shape)
    axis = {name: number for number, name in enumerate(projected.domain)}
    cells = np.ravel_multi_index(
        [hierarchy.codes(f, name)[codes[axis[f]]] for f, name in zip(fine, attributes, strict=True)],
        domain.shape,
    )

    def collect(values: np.ndarray) -> np.ndarray:
        return np.bincount(cells, weights=values.ravel(), minlength=domain.size).reshape(domain.shape)

    samples = None if projected.samples is None else collect(projected.samples)
    return Marginal(domain, collect(projected.weights), samples, marginal.source)
