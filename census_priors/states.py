"""States: the states of every attribute, and the maps from finer attributes to views, from a declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from census_personas.census_priors.declaration import AttributeDeclaration, Declaration, DeclarationError
from census_personas.census_priors.domain import State, first_of
from census_personas.foundation.arrays import Codes32

View = tuple[tuple[State, ...], Codes32]


def states_and_maps(
    declaration: Declaration,
    file: Path,
    group_of: Callable[[str], str],
    occupations: Callable[[], Sequence[str]],
) -> tuple[dict[str, tuple[State, ...]], dict[str, Codes32]]:
    """Return the states of every attribute, finer attributes before their views, and the codes of each view.

    Args:
        declaration: of the locale.
        file: its `priors.yaml`, for messages.
        group_of: returns the major group of an occupation.
        occupations: returns the names of the locale's occupations in code order; called only if needed.

    Raises:
        DeclarationError: a view does not fit its finer attribute.
    """
    states: dict[str, tuple[State, ...]] = {}
    maps: dict[str, Codes32] = {}
    for name, item in declaration.attributes.items():
        if item.of is None:
            states[name] = _own_states(item, group_of, occupations)
        elif item.of not in states:
            raise DeclarationError(f"{file}: attributes.{name}: {item.of!r} must stand before it")
        else:
            states[name], maps[name] = _view(name, item, states[item.of], file, group_of)
    return states, maps


def _own_states(
    item: AttributeDeclaration, group_of: Callable[[str], str], occupations: Callable[[], Sequence[str]]
) -> tuple[State, ...]:
    if item.range is not None:
        return tuple(range(item.range[0], item.range[1] + 1))
    looked_up = _by_group(occupations(), group_of) if item.lookup == "occupations" else ()
    return (*looked_up, *(state for state in item.states or () if state not in looked_up))


def _by_group(names: Sequence[str], group_of: Callable[[str], str]) -> tuple[str, ...]:
    """Sort names by group, then code, because states of a refinement must be adjacent within a group."""
    groups = list(dict.fromkeys(group_of(name) for name in names))
    return tuple(sorted(names, key=lambda name: groups.index(group_of(name))))


def _view(
    name: str,
    item: AttributeDeclaration,
    fine: tuple[State, ...],
    file: Path,
    group_of: Callable[[str], str],
) -> View:
    if item.edges is not None:
        return _bands(name, item, fine, file)
    if item.lookup is not None:
        groups = [group_of(str(state)) for state in fine]
    else:
        inverse = {state: view for view, states in (item.map or {}).items() for state in states}
        known = [str(state) for state in fine]
        for kind, states in (
            ("leaves out", set(known) - set(inverse)),
            ("has the unknown", set(inverse) - set(known)),
        ):
            if states:
                raise DeclarationError(f"{file}: attributes.{name}.map {kind} {min(states)!r} of {item.of}")
        groups = [inverse[str(state)] for state in fine]
    order = tuple(dict.fromkeys(groups)) if item.map is None else tuple(item.map)
    return order, np.array([order.index(group) for group in groups], dtype=np.int32)


def _bands(name: str, item: AttributeDeclaration, fine: tuple[State, ...], file: Path) -> View:
    edges = item.edges or ()
    firsts = np.array([first_of(state) for state in fine])
    if inside := set(edges) - set(firsts[1:].tolist()):
        begins = ", ".join(map(str, fine[1:9]))
        raise DeclarationError(
            f"{file}: attributes.{name}.edges: no state of {item.of} after the first begins at {min(inside)} "
            f"({begins}, …)"
        )
    codes = np.searchsorted(edges, firsts, side="right").astype(np.int32)
    return tuple(_span(firsts, codes, code) for code in range(len(edges) + 1)), codes


def _span(firsts: np.ndarray, codes: np.ndarray, code: int) -> str:
    """Name an age band: `18-19`, or `85+` for the last."""
    if code == codes[-1]:
        return f"{firsts[codes == code].min()}+"
    following = firsts[codes > code].min()
    return f"{firsts[codes == code].min()}-{following - 1}"
