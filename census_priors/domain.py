"""Domain: attributes and their ordered states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from census_personas.foundation.arrays import Integers32
from census_personas.foundation.errors import PersonasError

State = str | int


class DomainError(PersonasError, ValueError):
    """An unknown attribute or state."""


def first_of(state: State) -> int:
    """Return the number that a state is or begins with: 25 of `25-29`, 85 of `85+`.

    Raises:
        DomainError: it is not a number or range.
    """
    try:
        return state if isinstance(state, int) else int(state.rstrip("+").split("-")[0])
    except ValueError as error:
        raise DomainError(f"{state!r} is neither a number nor a range such as 25-29 or 85+") from error


@dataclass(frozen=True, slots=True)
class Domain:
    """An ordered mapping attribute -> states. The order of attributes is the order of array axes.

    States are strings, except those of integer attributes such as age, which keep their values.
    """

    states: Mapping[str, tuple[State, ...]]
    _codes: Mapping[str, Mapping[State, int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Reject empty and repeated states."""
        for attribute, states in self.states.items():
            if not states or len(set(states)) != len(states):
                raise DomainError(f"{attribute}: states must be given, each once")
        object.__setattr__(
            self, "_codes", {a: {s: i for i, s in enumerate(states)} for a, states in self.states.items()}
        )

    @property
    def attributes(self) -> tuple[str, ...]:
        """Attribute names, in axis order."""
        return tuple(self.states)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of states of each attribute, in axis order."""
        return tuple(len(states) for states in self.states.values())

    @property
    def size(self) -> int:
        """Number of cells of a table over the whole domain."""
        return prod(self.shape)

    def __contains__(self, attribute: object) -> bool:
        """Return whether the domain has this attribute."""
        return attribute in self.states

    def __iter__(self) -> Iterator[str]:
        """Attribute names, in axis order."""
        return iter(self.states)

    def __getitem__(self, attribute: str) -> tuple[State, ...]:
        """Return the states of one attribute; `DomainError` for an unknown one lists the known ones."""
        if attribute not in self.states:
            raise DomainError(f"unknown attribute {attribute!r}; known: {', '.join(self.states)}")
        return self.states[attribute]

    def code(self, attribute: str, state: State) -> int:
        """Return the position of a state; `DomainError` if the attribute does not have it."""
        states = self[attribute]
        if state not in self._codes[attribute]:
            shown = ", ".join(map(str, states[:12])) + (", …" if len(states) > 12 else "")
            raise DomainError(f"unknown {attribute} {state!r}; known: {shown}")
        return self._codes[attribute][state]

    def codes(self, attribute: str, values: Iterable[State]) -> Integers32:
        """Return positions of many states, as int32."""
        return np.fromiter((self.code(attribute, value) for value in values), dtype=np.int32)

    def project(self, attributes: str | Sequence[str]) -> Domain:
        """Return the domain of these attributes, in the given order; a single name is allowed."""
        names = (attributes,) if isinstance(attributes, str) else attributes
        return Domain({attribute: self[attribute] for attribute in names})

    def axes(self, attributes: str | Sequence[str]) -> tuple[int, ...]:
        """Return the axis numbers of these attributes in arrays over this domain."""
        order = {attribute: axis for axis, attribute in enumerate(self.states)}
        return tuple(order[attribute] for attribute in self.project(attributes))
