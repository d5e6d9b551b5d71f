"""Published facts: figures of a statistical office, compared with the locale's tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from census_personas.census_priors.declaration import DeclarationError, validated
from census_personas.census_priors.domain import State, first_of
from census_personas.census_priors.lookup import open_lookup
from census_personas.census_priors.marginal import TableError
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Mask
from census_personas.foundation.yaml_file import YamlError, read_yaml

FILE = "published.yaml"
MINORS = Path("lookups") / "minors.parquet"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Part):
    """A choice of states: all but some, or those that begin at or above a number (`25` includes `25-29`)."""

    apart_from: tuple[str, ...] = ()
    at_least: int | None = None


Filter = Mapping[str, tuple[str, ...] | Choice]


class Fact(_Part):
    """One figure.

    Without `lookup` it is computed from the tables: persons who meet `among` or, with `part`, the share of them who
    also meet `part`. `minors` adds people under 18 from the locale's separate counts: `all`, or `from_16`.
    With `lookup` it is the `sum` or `rows` of a look-up's column where `among` holds, or its `largest` row.
    """

    name: str
    value: Annotated[float, Field(ge=0)]
    margin: Annotated[float, Field(ge=0)]
    source: str
    url: str
    among: Filter = Field(default_factory=dict)
    part: Filter = Field(default_factory=dict)
    minors: Literal["all", "from_16"] | None = None
    lookup: str | None = None
    columns: tuple[str, ...] = ()
    of: Literal["sum", "rows", "largest"] | None = None
    is_: Annotated[str | None, Field(alias="is")] = None

    @model_validator(mode="after")
    def _lookups_say_what_of_them(self) -> Fact:
        if (self.lookup is None) != (self.of is None):
            raise ValueError("`lookup` and `of` go together")
        if self.lookup is None and not (self.part or self.among):
            raise ValueError("name attributes in `part` or `among`; the fact is about nobody")
        return self


class _File(_Part):
    facts: tuple[Fact, ...]


def read_facts(folder: Path) -> tuple[Fact, ...]:
    """Read the facts of a locale; none if it has no `published.yaml`.

    Raises:
        DeclarationError: the file cannot be used; the message names it and the key.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise DeclarationError(str(error)) from error
    if values is None:
        raise DeclarationError(f"{path}: is empty; list `facts`, or delete the file")
    return validated(_File, values, path).facts


def table_value(fact: Fact, priors: Priors) -> float:
    """Compute a fact from the locale; NaN if another row is the largest.

    Raises:
        TableError, DomainError: the locale has no table, look-up, column or state for it.
    """
    if fact.lookup is not None:
        return _in_lookup(fact, priors.folder / "lookups" / f"{fact.lookup}.parquet")
    attributes = tuple(dict.fromkeys((*fact.among, *fact.part)))
    weights = priors.marginal(attributes).weights
    among = _mask(priors, attributes, fact.among)
    part = among & _mask(priors, attributes, fact.part)
    young, young_part = _minors(fact, priors)
    whole, some = float(weights[among].sum()) + young, float(weights[part].sum()) + young_part
    if not fact.part:
        return whole
    if not whole > 0:
        raise TableError(f"nobody is among {dict(fact.among)}")
    return some / whole


def _mask(priors: Priors, attributes: tuple[str, ...], wanted: Filter) -> Mask:
    shape = priors.domain.project(attributes).shape
    mask = np.ones(shape, dtype=bool)
    for axis, name in enumerate(attributes):
        if name in wanted:
            hits = [_meets(state, wanted[name]) for state in priors.domain[name]]
            if not any(hits):
                raise TableError(f"no state of {name} is {wanted[name]}")
            mask &= np.array(hits).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return mask


def _meets(state: State, wanted: tuple[str, ...] | Choice) -> bool:
    if isinstance(wanted, Choice):
        low = wanted.at_least
        return str(state) not in wanted.apart_from and (low is None or first_of(state) >= low)
    return str(state) in wanted


def _minors(fact: Fact, priors: Priors) -> tuple[float, float]:
    """Count the minors that meet `among`, and those that also meet `part`; 0 if there is no column for it."""
    if fact.minors is None:
        return 0.0, 0.0
    work = priors.roles["work"]
    frame = _frame(priors.folder / MINORS, texts=(work,), figures=("weight",))
    if fact.minors == "from_16":
        frame = frame[frame[work] != ""]
    frame = _kept(frame, fact.among)
    return float(frame["weight"].sum()), float(_kept(frame, fact.part)["weight"].sum())


def _frame(path: Path, texts: tuple[str, ...], figures: tuple[str, ...]) -> pd.DataFrame:
    frame: pd.DataFrame = open_lookup(path, texts, figures).to_pandas()
    return frame


def _kept(frame: pd.DataFrame, wanted: Filter) -> pd.DataFrame:
    for name, states in wanted.items():
        if name not in frame:
            return frame.iloc[:0]
        frame = frame[[_meets(str(state), states) for state in frame[name]]]
    return frame


def _in_lookup(fact: Fact, path: Path) -> float:
    kept = _kept(_frame(path, texts=tuple(fact.among), figures=fact.columns), fact.among)
    if fact.of == "rows":
        return float(len(kept))
    totals: Any = kept[list(fact.columns)].sum(axis=1)
    if fact.of == "sum":
        return float(totals.sum())
    if kept.empty:
        raise TableError(f"{path}: no row is among {dict(fact.among)}")
    first = int(np.argmax(totals.to_numpy()))
    return float(totals.iloc[first]) if str(kept.iloc[first, 0]) == fact.is_ else float("nan")
