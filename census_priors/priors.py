"""Priors: a locale as loaded from its folder: domain, tables, model graph, look-ups."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from census_personas.census_priors import declaration
from census_personas.census_priors.declaration import (
    AttributeDeclaration,
    Declaration,
    DeclarationError,
    SourceDeclaration,
)
from census_personas.census_priors.domain import Domain, DomainError, State, first_of
from census_personas.census_priors.hierarchy import Hierarchy
from census_personas.census_priors.lookup import REMEDY
from census_personas.census_priors.marginal import Marginal, TableError
from census_personas.census_priors.names import Names
from census_personas.census_priors.occupations import Occupations
from census_personas.census_priors.places import Places
from census_personas.census_priors.table_file import read_marginal, table_path
from census_personas.foundation.arrays import Codes32
from census_personas.foundation.named_place import check_input
from census_personas.foundation.yaml_file import YamlError, read_yaml

HERE = Path(__file__).parent
PROVENANCE = "provenance.yaml"
FEWEST = 1_000
"""People below which the total of a table is not taken for a number of people."""


def locales() -> tuple[str, ...]:
    """Names of the locales that are shipped: the folders here with a `priors.yaml`."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/priors.yaml")))


@dataclass(frozen=True)
class Priors:
    """What a locale's folder says. Tables and look-ups are read when they are first asked for."""

    folder: Path
    declaration: Declaration

    @classmethod
    def load(cls, locale: str | Path) -> Priors:
        """Load a shipped locale by name, or any folder that has a `priors.yaml`.

        Raises:
            DeclarationError: neither; the shipped locales are named.
        """
        folder = HERE / str(locale) if str(locale) in locales() else Path(locale)
        if not (folder / "priors.yaml").is_file():
            known = ", ".join(locales())
            raise DeclarationError(
                f"{locale}: no such locale and no folder with a priors.yaml; shipped: {known}"
            )
        return cls(folder, declaration.read(folder / "priors.yaml"))

    @property
    def locale(self) -> str:
        """Name of the locale, as in `en_US`."""
        return self.declaration.locale

    @property
    def country(self) -> str:
        """Value of the dataset's `country` column."""
        return self.declaration.country

    @cached_property
    def occupations(self) -> Occupations:
        """Occupations with codes, groups and O*NET details."""
        return Occupations.load(self.folder)

    @cached_property
    def places(self) -> Places:
        """ZIP codes with city and county."""
        return Places.load(self.folder)

    @cached_property
    def names(self) -> Names:
        """First, middle and last names."""
        return Names.load(self.folder)

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
        states: dict[str, tuple[State, ...]] = {}
        maps: dict[str, Codes32] = {}
        for name, item in self.declaration.attributes.items():
            if item.of is None:
                states[name] = self._own_states(item)
            elif item.of not in states:
                raise DeclarationError(f"{self._file}: attributes.{name}: {item.of!r} must stand before it")
            else:
                states[name], maps[name] = self._view(name, item, states[item.of])
        return states, maps

    @property
    def _file(self) -> Path:
        return self.folder / "priors.yaml"

    def _own_states(self, item: AttributeDeclaration) -> tuple[State, ...]:
        if item.range is not None:
            return tuple(range(item.range[0], item.range[1] + 1))
        looked_up = self._occupations_by_group() if item.lookup == "occupations" else ()
        return (*looked_up, *(state for state in item.states or () if state not in looked_up))

    def _occupations_by_group(self) -> tuple[str, ...]:
        """Names in code order, each group's together, as a refinement of the group needs them."""
        groups = list(dict.fromkeys(self.occupation_group(name) for name in self.occupations.names))
        return tuple(
            sorted(self.occupations.names, key=lambda name: groups.index(self.occupation_group(name)))
        )

    def occupation_group(self, name: str) -> str:
        """Major group of an occupation; those who have none are groups of their own."""
        return self.occupations.get(name).group or name

    def _view(
        self, name: str, item: AttributeDeclaration, fine: tuple[State, ...]
    ) -> tuple[tuple[State, ...], Codes32]:
        if item.edges is not None:
            firsts = np.array([first_of(state) for state in fine])
            if inside := set(item.edges) - set(firsts[1:].tolist()):
                begins = ", ".join(map(str, fine[1:9]))
                raise DeclarationError(
                    f"{self._file}: attributes.{name}.edges: {min(inside)} is where no state of {item.of} "
                    f"begins but the first ({begins}, …)"
                )
            codes = np.searchsorted(item.edges, firsts, side="right").astype(np.int32)
            return tuple(_span(firsts, codes, code) for code in range(len(item.edges) + 1)), codes
        if item.lookup is not None:
            groups = [self.occupation_group(str(state)) for state in fine]
        else:
            inverse = {state: view for view, states in (item.map or {}).items() for state in states}
            known = [str(state) for state in fine]
            for kind, states in (
                ("leaves out", set(known) - set(inverse)),
                ("has the unknown", set(inverse) - set(known)),
            ):
                if states:
                    raise DeclarationError(
                        f"{self._file}: attributes.{name}.map {kind} {min(states)!r} of {item.of}"
                    )
            groups = [inverse[str(state)] for state in fine]
        order = tuple(dict.fromkeys(groups)) if item.map is None else tuple(item.map)
        return order, np.array([order.index(group) for group in groups], dtype=np.int32)

    @property
    def tables(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every declared table, as (source, attributes)."""
        for source, tables in self.declaration.tables.items():
            for attributes in tables:
                yield source, attributes

    def table(self, attributes: str | Sequence[str]) -> Marginal:
        """One declared table, as its file gives it."""
        domain = self.domain.project(attributes)
        return read_marginal(table_path(self.folder, domain.attributes), domain)

    @cached_property
    def adults(self) -> float | None:
        """How many people the locale has: as declared, else the total of a table of everybody; None for shares.

        Totals below `FEWEST` are taken for shares or per cents.
        """
        if self.declaration.adults is not None:
            return self.declaration.adults
        counting = [names for _, names in self.tables if self.universe(names) == "everybody"]
        if not counting:
            return None
        total = self.table(min(counting, key=lambda names: self.domain.project(names).size)).total
        return total if total >= FEWEST else None

    def marginal(self, attributes: str | Sequence[str]) -> Marginal:
        """Weighted counts over these attributes, from the smallest declared table that has them or finer ones.

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
        """Whether the block of an area in a table over these attributes was counted there or modelled.

        It is modelled when one of the attributes, or a finer or coarser view of one, is declared modelled there.
        """
        listed = self.declaration.modelled.get(state, ())
        modelled = any(self.hierarchy.related(name, other) for name in attributes for other in listed)
        return "modelled" if modelled else "direct"

    def universe(self, attributes: Iterable[str]) -> str:
        """Whom a table over these attributes counts."""
        parts = [self.declaration.attributes[name].universe for name in attributes]
        return "; ".join(sorted({part for part in parts if part})) or "everybody"

    def label(self, attribute: str, state: State) -> str:
        """Words for a state, for prompts and reports; the state itself where none are declared."""
        if attribute not in self.declaration.attributes:
            raise DomainError(
                f"unknown attribute {attribute!r}; known: {', '.join(self.declaration.attributes)}"
            )
        return self.words(attribute).get(str(state), str(state))

    def words(self, attribute: str) -> Mapping[str, str]:
        """Words for the states of an attribute, where some are declared."""
        item = self.declaration.attributes.get(attribute)
        return {} if item is None else {**(item.states or {}), **item.labels}

    @cached_property
    def sources(self) -> Mapping[str, SourceDeclaration]:
        """Every publication that the locale was made of, look-ups included; those declared if no more is known."""
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
            raise DeclarationError(f"{path}: `sources` is no mapping of publications; {REMEDY}") from error
        return {name: declaration.validated(SourceDeclaration, said, path) for name, said in sources.items()}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents of every file of the locale that decides a sample."""
        digest = hashlib.sha256()
        for path in sorted((*self.folder.glob("tables/*"), *self.folder.glob("lookups/*"), self._file)):
            if not path.is_file():
                raise TableError(f"{path}: is no regular file, nor a link to one; take it out of the locale")
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
    """The table over these attributes, each of them in the table or a coarser view of one that is."""
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


def _span(firsts: np.ndarray, codes: np.ndarray, code: int) -> str:
    """Name of a run of ages: `18-19`, or `85+` for the last."""
    if code == codes[-1]:
        return f"{firsts[codes == code].min()}+"
    following = firsts[codes > code].min()
    return f"{firsts[codes == code].min()}-{following - 1}"
