"""Locale file: `locale.yaml`, read and checked against the `priors.yaml` beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from census_personas.census_priors.conventions import ENGINE_COLUMNS, Conventions
from census_personas.census_priors.declaration import (
    AttributeDeclaration,
    Declaration,
    DeclarationError,
    validated,
)
from census_personas.census_priors.roles import NAME, PLACE, ROLES
from census_personas.foundation.yaml_file import YamlError, read_yaml

LOCALE_FILE = "locale.yaml"
LOOKUP_ROLES: Mapping[str, tuple[str, ...]] = {
    "places": ("region", "postcode"),
    "names": ("age", "sex", "origin", "birth", "region", "given_name", "family_name"),
    "occupations": ("occupation",),
}
"""Roles that a locale must fill to use a look-up."""


def read_conventions(folder: Path, declaration: Declaration) -> Conventions:
    """Read a locale's `locale.yaml`, and check it against its `priors.yaml`.

    Raises:
        DeclarationError: unreadable file, YAML or content; names the file, the key and the remedy.
    """
    path = folder / LOCALE_FILE
    if path.exists():
        try:
            conventions = validated(Conventions, read_yaml(path), path)
        except YamlError as error:
            raise DeclarationError(str(error)) from error
    else:
        conventions = Conventions(roles={name: name for name in declaration.attributes if name in ROLES})
    fault = next(_faults(conventions, declaration), None)
    if fault is not None:
        raise DeclarationError(f"{path}: {fault}")
    return conventions


def _faults(conventions: Conventions, declaration: Declaration) -> Iterator[str]:
    yield from _role_faults(conventions, declaration)
    known = declaration.attributes
    columns = {*known, *conventions.roles.values(), *ENGINE_COLUMNS}
    for place, name in _attributes_named(conventions):
        if name not in columns:
            yield f"{place}: unknown attribute {name!r}; known: {', '.join(sorted(columns))}"
    for place, role, states in _states_named(conventions):
        attribute = conventions.roles.get(role)
        if attribute is None:
            yield f"{place}: the locale has no role {role}; declare it under `roles`, or remove {place}"
            continue
        has = _states(known.get(attribute))
        gone = [state for state in states if has is not None and state not in has]
        if gone:
            yield f"{place}: {gone[0]!r} is not a state of {attribute}: {', '.join(has or ())}"
    ladder, schooling = conventions.schooling.ladder, conventions.roles.get("schooling", "")
    if ladder and (unordered := set(_states(known.get(schooling)) or ()) - {*ladder}):
        yield f"schooling.ladder: {min(unordered)!r} of {schooling} is missing; order all its states"


def _role_faults(conventions: Conventions, declaration: Declaration) -> Iterator[str]:
    known = declaration.attributes
    for role, name in conventions.roles.items():
        lookup = "places" if role in PLACE and role != "region" else "names" if role in NAME else None
        if name in known or (lookup in declaration.lookups and name.isidentifier()):
            continue
        if lookup is not None and name.isidentifier() and lookup not in declaration.lookups:
            yield f"roles.{role}: {name!r} is not an attribute; add it, or {lookup} to `lookups` of priors.yaml"
        else:
            yield f"roles.{role}: unknown attribute {name!r}; known: {', '.join(sorted(known))}"
    for lookup in declaration.lookups:
        if lacking := [role for role in LOOKUP_ROLES[lookup] if role not in conventions.roles]:
            yield f"roles: the look-up of {lookup} needs {', '.join(lacking)}; name the attribute or column of each"


def _attributes_named(conventions: Conventions) -> Iterator[tuple[str, str]]:
    """Yield each place that names an attribute or column, with that name."""
    yield from (("hidden", name) for name in conventions.hidden)
    if conventions.places.schooling is not None:
        yield "places.schooling", conventions.places.schooling
    yield from (("places.columns", name) for name in conventions.places.columns)
    for language, words in conventions.words.items():
        yield from ((f"words.{language}", name) for name in words)


def _states_named(conventions: Conventions) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield each place that names states, with their role."""
    work = conventions.work
    said = (work.employed, work.armed_forces, work.unemployed, work.inactive)
    places: list[tuple[str, str, Sequence[str]]] = [
        ("work", "work", [state for state in said if state is not None]),
        ("without_occupation", "occupation", tuple(conventions.without_occupation)),
        ("without_occupation", "work", [w.work for w in conventions.without_occupation.values() if w.work]),
        ("schooling.ladder", "schooling", conventions.schooling.ladder),
        ("schooling.degrees", "schooling", conventions.schooling.degrees),
        ("names.born_here", "birth", conventions.names.born_here),
        ("names.births_elsewhere", "region", conventions.names.births_elsewhere),
        ("names.accented", "origin", conventions.names.accented),
        ("gender", "sex", tuple(conventions.gender)),
        *((f"pronouns.{code}", "sex", tuple(forms)) for code, forms in conventions.pronouns.items()),
        *((f"unsaid.{role}", role, states) for role, states in conventions.unsaid.items()),
    ]
    for kind in ("groups", "family_groups"):
        groups: Mapping[str, tuple[str, ...]] = getattr(conventions.names, kind)
        places += [(f"names.{kind}.{group}", "origin", states) for group, states in groups.items()]
    for column, split in conventions.places.split.items():
        places.append((f"places.split.{column}", "origin", (split.of, split.others)))
    yield from (entry for entry in places if entry[2])
    yield from ((place, role, ()) for place, role in _roles_named(conventions))


def _roles_named(conventions: Conventions) -> Iterator[tuple[str, str]]:
    """Yield each place that names a role."""
    yield from (("background", role) for role in conventions.background)
    for kind in ("public", "full"):
        named: tuple[str, ...] = getattr(conventions.columns, kind) or ()
        yield from ((f"columns.{kind}", role) for role in named if role not in ENGINE_COLUMNS)


def _states(item: AttributeDeclaration | None) -> tuple[str, ...] | None:
    """Return the states listed in a declaration; None if they come from a range, edges or a look-up."""
    if item is None or item.lookup is not None:
        return None
    spelled = item.map if item.map is not None else item.states
    return None if spelled is None else tuple(spelled)
