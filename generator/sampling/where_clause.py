"""Where clause: turns `where` conditions into allowed states of the model's attributes."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import AnyIntegers, Mask, Objects
from census_personas.foundation.traits import LEVELS, TRAITS, level_of
from census_personas.generator.config.selection import EvidenceError
from census_personas.generator.model.leaves import Leaf
from census_personas.generator.sampling.decode import PLACE

LABEL = "_label"
# Characters of an unknown value that are compared with known ones.
_SHORTEST, _LONGEST = 4, 100
RANGE = re.compile(r"(\d{1,9})?\s*-\s*(\d{1,9})?")


def masks(where: Mapping[str, Any], priors: Priors, leaves: Sequence[Leaf]) -> dict[str, Mask]:
    """Return the allowed states by attribute of the model.

    Args:
        where: attribute -> wanted: a value, a list of values, a range (`"30-45"`, `"65-"`, `{"min": 30, "max":
            45}`) or a pattern (`"*engineer*"`); lists may mix them. Every attribute must be met.
        priors: the locale.
        leaves: attributes outside the network.

    Raises:
        EvidenceError: unknown attribute or state, or a part that matches nothing.
    """
    masks_by_root: dict[str, Mask] = {}
    for attribute, wanted in where.items():
        root, values, codes = states_of(attribute, priors, leaves)
        matched = match(attribute, wanted, values, words=priors.words(attribute))
        mask = matched if codes is None else matched[codes]
        masks_by_root[root] = masks_by_root.get(root, np.ones(len(mask), dtype=bool)) & mask
        if not masks_by_root[root].any():
            raise EvidenceError(
                f"where.{attribute}: nothing meets it together with the other conditions on {root}"
            )
    return masks_by_root


def attributes(priors: Priors, leaves: Sequence[Leaf]) -> tuple[str, ...]:
    """Return every attribute that `where` accepts."""
    own = list(priors.domain)
    beside = [leaf.child for leaf in leaves]
    places = _places(priors) if priors.roles.get("postcode") in beside else {}
    derived = ["birth_year", "occupation_code"] if priors.roles.get("occupation") in own else ["birth_year"]
    labels = [f"{name}{LABEL}" for name in beside if name in TRAITS]
    return (*own, *beside, *places, *derived, *labels)


def states_of(
    attribute: str, priors: Priors, leaves: Sequence[Leaf], place: str | None = None
) -> tuple[str, Sequence[Any], AnyIntegers | None]:
    """Return the model attribute that decides `attribute`, its values, and the value number of each state.

    Messages name `place`, or `where.<attribute>` by default.

    Raises:
        EvidenceError: unknown attribute.
    """
    by_child = {leaf.child: leaf for leaf in leaves}
    if attribute in priors.domain:
        return _rooted(attribute, priors)
    if attribute in by_child:
        return attribute, by_child[attribute].table.states.tolist(), None
    trait = attribute.removesuffix(LABEL)
    if trait != attribute and trait in TRAITS and trait in by_child:
        return trait, LEVELS, np.array([level_of(int(score)) for score in by_child[trait].table.states])
    roles = priors.roles
    postcode, age, occupation = roles.get("postcode"), roles.get("age"), roles.get("occupation")
    if postcode in by_child and attribute in (places := _places(priors)):
        return str(postcode), *_distinct(priors.places.column(places[attribute]))
    if attribute == "birth_year" and age in priors.domain:
        vintage = int(priors.declaration.vintage)
        return str(age), [vintage - int(years) for years in priors.domain[str(age)]], None
    if attribute == "occupation_code" and occupation in priors.domain:
        codes = [priors.occupations.get(str(name)).code for name in priors.domain[str(occupation)]]
        return str(occupation), *_distinct(np.array(codes, dtype=object))
    known = attributes(priors, leaves)
    near = _near(attribute, known)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise EvidenceError(
        f"{place or f'where.{attribute}'}: unknown attribute {attribute!r}; {hint}known: {', '.join(sorted(known))}"
    )


def _places(priors: Priors) -> dict[str, str]:
    """Map columns that follow from the postcode to their roles."""
    return {priors.roles[role]: role for role in PLACE if role in priors.roles}


def _rooted(attribute: str, priors: Priors) -> tuple[str, Sequence[Any], AnyIntegers | None]:
    hierarchy, model = priors.hierarchy, priors.declaration.model
    given = {*model.core, *(node.child for node in model.conditionals)}
    root = next((name for name in hierarchy.chain(attribute) if name in given), None)
    if root is None:
        raise EvidenceError(f"where.{attribute}: declared in priors.yaml but not part of the model")
    return root, priors.domain[attribute], hierarchy.codes(root, attribute)


def _distinct(column: Objects) -> tuple[Sequence[Any], AnyIntegers]:
    values, codes = np.unique(column.astype(str), return_inverse=True)
    return values.tolist(), codes


def match(
    attribute: str,
    wanted: Any,
    values: Sequence[Any],
    within: str = "where",
    words: Mapping[str, str] | None = None,
    *,
    patterns: bool = True,
) -> Mask:
    """Return which values meet a condition.

    Args:
        attribute: the attribute of the values.
        wanted: value, list, range or pattern.
        values: all values, integers or strings.
        within: `where`, `target` or `quota`, for messages.
        words: labels of values, for hints.
        patterns: whether a text with `*`, `?` or `[` is a pattern.

    Raises:
        EvidenceError: no value meets the condition, or it cannot be read.
    """
    place = f"{within}.{attribute}"
    if isinstance(wanted, Mapping):
        return _between(place, wanted.get("min"), wanted.get("max"), values, set(wanted) - {"min", "max"})
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        parts = [match(attribute, part, values, within, words, patterns=patterns) for part in wanted]
        if not parts:
            raise EvidenceError(
                f"{place}: an empty list matches nobody; remove the condition or name a value"
            )
        return np.asarray(np.any(parts, axis=0), dtype=np.bool_)
    numeric = isinstance(values[0], int | np.integer)
    if numeric:
        return _number(place, wanted, values)
    text = str(wanted)
    if patterns and is_pattern(text):
        pattern = re.compile(fnmatch.translate(text.casefold()))
        matched = np.fromiter(
            (bool(pattern.match(str(v).casefold())) for v in values), dtype=bool, count=len(values)
        )
        if not matched.any():
            raise EvidenceError(f"{place}: no state matches the pattern {text!r}")
        return matched
    matched = np.fromiter((str(v) == text for v in values), dtype=bool, count=len(values))
    if not matched.any():
        raise EvidenceError(_unknown(place, text, values, words or {}))
    return matched


def is_pattern(text: str) -> bool:
    """Return whether a condition is a pattern rather than a state's name."""
    return any(sign in text for sign in "*?[")


def _number(place: str, wanted: Any, values: Sequence[Any]) -> Mask:
    whole = isinstance(wanted, float) and wanted.is_integer()
    text = str(int(wanted) if whole else wanted).strip()
    if re.fullmatch(r"\d{1,9}", text):
        return _between(place, int(text), int(text), values, set())
    span = RANGE.fullmatch(text) if isinstance(wanted, str) else None  # the number -30 is not the range "-30"
    if span is None or not any(span.groups()):
        raise EvidenceError(
            f'{place}: {text[:_LONGEST]!r} is neither a whole number nor a range; write 30, "30-45", "65-" or "-25"'
        )
    low, high = (None if part is None else int(part) for part in span.groups())
    return _between(place, low, high, values, set())


def _between(place: str, low: Any, high: Any, values: Sequence[Any], unknown: set[Any]) -> Mask:
    if unknown:
        raise EvidenceError(f"{place}: unknown key {min(map(str, unknown))!r}; a range has min and max")
    if not isinstance(values[0], int | np.integer):
        raise EvidenceError(f"{place}: ranges are for numbers; name values, a list or a pattern")
    if low is None and high is None:
        raise EvidenceError(f"{place}: a range without bounds matches everybody; give min, max or both")
    numbers = np.array([int(v) for v in values])
    first, last = _bound(place, low, numbers.min()), _bound(place, high, numbers.max())
    if low is not None and high is not None and first > last:
        raise EvidenceError(f"{place}: the range {low} to {high} is reversed; write {high}-{low}")
    matched: Mask = (numbers >= first) & (numbers <= last)
    if not matched.any():
        shown = f"{numbers.min()} to {numbers.max()}"
        asked = " to ".join("" if bound is None else str(bound) for bound in (low, high)).strip()
        raise EvidenceError(f"{place}: {asked} is outside the values {shown}")
    return matched


def _bound(place: str, given: Any, otherwise: int) -> float:
    if given is None:
        return otherwise
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError) as error:
        shown = str(given)[:_LONGEST]
        raise EvidenceError(
            f"{place}: {shown!r} is not a number; min and max of a range are numbers"
        ) from error


def _unknown(place: str, text: str, values: Sequence[Any], words: Mapping[str, str]) -> str:
    text, states = text[:_LONGEST], list(dict.fromkeys(shown for v in values if (shown := str(v))))
    called = [state for state in states if words.get(state, "").casefold() == text.casefold()]
    near = called or _near(text, states)
    shown = (
        f"did you mean {', '.join(near)}?"
        if near
        else f"known: {', '.join(states[:12])}" + (", …" if len(states) > 12 else "")
    )
    return f"{place}: unknown value {text!r}; {shown}"


def _near(text: str, known: Sequence[str]) -> list[str]:
    """Return at most three similar names, ignoring case and how words are joined."""
    plain = {"_".join(re.findall(r"[^\W_]+", name.casefold())): name for name in known}
    asked = "_".join(re.findall(r"[^\W_]+", text.casefold()))
    if asked in plain:
        return [plain[asked]]
    holding = [plain[name] for name in plain if len(asked) >= _SHORTEST and asked in name]
    return (holding or [plain[name] for name in difflib.get_close_matches(asked, plain, n=3)])[:3]
