"""Declaration: the contents of a locale as declared in `priors.yaml`, parsed and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from census_personas.foundation.errors import PersonasError
from census_personas.foundation.schema import RESERVED
from census_personas.foundation.yaml_file import YamlError, read_yaml

Lookup = Literal["names", "occupations", "places"]
MOST_STATES = 10_000
HIGHEST_PRIORITY = 1_000
# Other columns of table files, and dataset columns that the engine fills.
_TAKEN = frozenset({"weight", "samples", *RESERVED})


class DeclarationError(PersonasError, ValueError):
    """A `priors.yaml` that cannot be used; the message names file, key and remedy."""


Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A part of a declaration: frozen, and strict about keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AttributeDeclaration(Part):
    """One attribute: its states, or a map as a coarser view `of` a finer attribute.

    Exactly one of: `states` (state -> words for prompts), `range` (first and last integer), `edges` (cuts of
    the finer attribute: a new state starts at each), `map` (state -> finer states) or `lookup` (states come
    from a compiled look-up; `states` then adds those that it lacks). `universe` names the people who have the
    attribute, unless everybody has it.
    """

    label: str
    states: Mapping[str, str] | None = None
    range: tuple[int, int] | None = None
    of: str | None = None
    edges: tuple[int, ...] | None = None
    map: Mapping[str, tuple[str, ...]] | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    lookup: Literal["occupations"] | None = None
    universe: str | None = None

    @model_validator(mode="after")
    def _states_are_given_once(self) -> AttributeDeclaration:
        if self.range is not None and not 0 <= self.range[1] - self.range[0] < MOST_STATES:
            first, last = self.range
            raise ValueError(f"range {first} to {last}: give at most {MOST_STATES} states")
        for key, given in (("states", self.states), ("map", self.map), ("edges", self.edges)):
            if given is not None and len(given) > MOST_STATES:
                raise ValueError(f"{key}: {len(given):,} states; an attribute has at most {MOST_STATES}")
        if any(not state.strip() for state in (*(self.states or ()), *(self.map or ()))):
            raise ValueError("a state has no name; give it one, such as none")
        if self.edges is not None and sorted(set(self.edges)) != list(self.edges):
            raise ValueError("edges must ascend, without repetition")
        if self.of is None and self.states is None and self.range is None:
            raise ValueError("give `states`, `range`, or `of` with `edges`, `map` or `lookup`")
        if self.of is not None and sum(x is not None for x in (self.edges, self.map, self.lookup)) != 1:
            raise ValueError("an attribute `of` another takes exactly one of `edges`, `map`, `lookup`")
        return self


class SourceDeclaration(Part):
    """Where tables come from, in the publisher's words.

    `design_effect` is the variance of the survey's estimates over that of a simple random sample of the same
    size; it decides how much of an interaction counts as noise. Leave it out for a census without sampling.

    `priority` decides where tables of several sources differ on shared margins: tables of the highest priority are
    kept, and the others are scaled to them. Among equals, full counts take precedence over samples; samples are
    averaged by effective sample size (`samples` over `design_effect`), full counts evenly.
    """

    publisher: str
    title: str
    vintage: str
    universe: str
    url: str
    licence: str
    design_effect: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
    priority: Annotated[int, Field(ge=0, le=HIGHEST_PRIORITY)] = 0


class ConditionalDeclaration(Part):
    """P(child | parents), informed by every table that has the child and otherwise parents only.

    `otherwise` names one parent and, for some of its states, the child state that is then certain. `back_off` names
    parents to drop, in this order, for combinations of parents that a table lacks: their distribution is then pooled
    over the dropped parents. Without it such a table is refused.
    """

    child: str
    parents: tuple[str, ...]
    otherwise: Annotated[Mapping[str, Mapping[str, str]], Field(max_length=1)] = Field(default_factory=dict)
    back_off: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _parents_are_named(self) -> ConditionalDeclaration:
        if self.child in self.parents or len(set(self.parents)) < len(self.parents):
            raise ValueError(f"parents of {self.child}: name each once, and not {self.child} itself")
        if unknown := [name for name in self.back_off if name not in self.parents]:
            raise ValueError(
                f"back_off: {unknown[0]!r} is not a parent of {self.child}: {', '.join(self.parents)}"
            )
        if unknown := [name for name in self.otherwise if name not in self.parents]:
            raise ValueError(
                f"otherwise: {unknown[0]!r} is not a parent of {self.child}: {', '.join(self.parents)}"
            )
        return self


Zero = Annotated[Mapping[str, Annotated[tuple[str, ...], Field(min_length=1)]], Field(min_length=1)]


class ModelDeclaration(Part):
    """The graph: a dense core joint, then conditionals in the order in which they are sampled.

    Each of `zeros` names states of some attributes that cannot occur together, regardless of the tables.
    """

    core: Annotated[tuple[str, ...], Field(min_length=1)]
    conditionals: tuple[ConditionalDeclaration, ...] = ()
    zeros: tuple[Zero, ...] = ()


class Declaration(Part):
    """The whole of `priors.yaml`.

    `vintage` is the year of the population, from which years of birth are computed. `lookups` names the compiled
    tables of names, postcodes and occupations. `modelled` names, for an area, the attributes that were not counted
    there; `independences` lists the assumptions of the graph in words; `agreement` is the largest total variation
    distance between two tables of the same people, beyond the rounding of their cells. `adults` is the number of
    people that the tables represent, if their weights are shares.
    """

    locale: str
    title: str
    country: str
    language: str
    vintage: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    attributes: Annotated[Mapping[str, AttributeDeclaration], Field(min_length=1)]
    lookups: tuple[Lookup, ...] = ()
    sources: Mapping[str, SourceDeclaration]
    tables: Mapping[str, tuple[tuple[str, ...], ...]]
    model: ModelDeclaration
    modelled: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    independences: tuple[str, ...] = ()
    agreement: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1e-3
    adults: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _names_are_declared(self) -> Declaration:
        known = set(self.attributes)
        for name, item in self.attributes.items():
            if not name.isidentifier() or name.startswith("_") or name != name.lower():
                raise ValueError(f"attributes: {name!r} cannot be a column; use small letters, digits and _")
            if name in _TAKEN:
                raise ValueError(f"attributes: {name!r} is a column that the engine fills; give another name")
            if item.lookup is not None and item.lookup not in self.lookups:
                raise ValueError(f"attributes.{name}.lookup: add {item.lookup} to `lookups`")
        used = self._check_tables()
        used += [("model.core", name) for name in self.model.core]
        for node in self.model.conditionals:
            used += [(f"model.conditionals.{node.child}", name) for name in (node.child, *node.parents)]
        used += [(name, item.of) for name, item in self.attributes.items() if item.of]
        used += [(f"modelled.{area}", name) for area, names in self.modelled.items() for name in names]
        for place, name in used:
            if name not in known:
                raise ValueError(f"{place}: unknown attribute {name!r}; known: {', '.join(sorted(known))}")
        return self

    def _check_tables(self) -> list[tuple[str, str]]:
        """Check the tables; return their attributes, each with its place."""
        used: list[tuple[str, str]] = []
        used += [("model.zeros", name) for zero in self.model.zeros for name in zero]
        for source, tables in self.tables.items():
            if source not in self.sources:
                raise ValueError(f"tables.{source}: no such source; known: {', '.join(self.sources)}")
            bad = next((table for table in tables if not table or len(set(table)) < len(table)), None)
            if bad is not None:
                raise ValueError(f"tables.{source}: a table needs attributes, each once, not {list(bad)}")
            used += [(f"tables.{source}", name) for table in tables for name in table]
        twice = _repeated(["-".join(table) for tables in self.tables.values() for table in tables])
        if twice is not None:
            raise ValueError(
                f"tables: {twice} is declared twice, and one file is read for both; two sources may give the same "
                f"attributes in another order"
            )
        return used

    @model_validator(mode="after")
    def _graph_has_an_order(self) -> Declaration:
        """Check that each attribute is given once, after its parents, and cannot contradict a view of it."""
        given: list[str] = []
        for name in self.model.core:
            self._check_given(name, given, (), "model.core")
            given.append(name)
        for node in self.model.conditionals:
            place = f"model.conditionals.{node.child}"
            for parent in node.parents:
                if not any(fine in given for fine in self._chain(parent)):
                    raise ValueError(
                        f"{place}: its parent {parent} is not given before it; put {parent} into the core, or its "
                        f"own conditional first (there are no cycles)"
                    )
            self._check_given(node.child, given, node.parents, place)
            given.append(node.child)
        return self

    def _check_given(self, name: str, given: list[str], parents: Sequence[str], place: str) -> None:
        decided = next((fine for fine in self._chain(name) if fine in given), None)
        if decided is not None:
            raise ValueError(f"{place}: {name} is given twice, by {decided} already; remove one")
        for coarse in given:
            between = [other for other in self._chain(coarse) if name in self._chain(other)]
            if name in self._chain(coarse) and not any(parent in between for parent in parents):
                raise ValueError(
                    f"{place}: {name} refines {coarse}, which is given before it and might contradict it; make "
                    f"{coarse} a parent of {name}, or remove it"
                )

    def _chain(self, name: str) -> list[str]:
        """Return the attribute and every finer one that it is a view of."""
        chain = [name]
        while (finer := self.attributes[chain[-1]].of) is not None and finer not in chain:
            chain.append(finer)
        return chain


def _repeated(names: Sequence[str]) -> str | None:
    return next((name for number, name in enumerate(names) if name in names[:number]), None)


def read(path: Path) -> Declaration:
    """Parse a `priors.yaml`.

    Raises:
        DeclarationError: unreadable file, YAML or content; names the file and the key.
    """
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise DeclarationError(str(error)) from error
    return validated(Declaration, values, path)


def validated(model: type[Model], values: Any, path: Path) -> Model:
    """Validate the values of a file.

    Raises:
        DeclarationError: they are not valid; one line that names the file and every key.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(_fault(item) for item in error.errors())
        raise DeclarationError(f"{path}: {faults}") from error


def _fault(item: Any) -> str:
    place = ".".join(map(str, item["loc"])) or "file"
    message = item["msg"].removeprefix("Value error, ")
    shown = repr(item["input"]) if isinstance(item["input"], str | int | float | None) else ""
    return f"{place}: {message}{f', not {shown}' if 0 < len(shown) < 60 else ''}"
