"""Person: one record, with its facts, texts and traits told apart, as every form of export needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from census_personas.census_priors.roles import Roles
from census_personas.foundation.dataset_reader import read_frames
from census_personas.foundation.errors import DatasetError
from census_personas.foundation.schema import LISTS, PROSE
from census_personas.foundation.traits import TRAITS
from census_personas.validators.text.record_view import RecordView

_ROLES = ("age", "sex", "birth", "municipality", "region", "schooling", "occupation")
_NAMES = ("given_name", "family_name", "second_family_name")
_HIDDEN = frozenset({"uuid", "row", "drawn", "key", *(f"{trait}_label" for trait in TRAITS), *TRAITS})


@dataclass(frozen=True, slots=True)
class Person:
    """One person.

    Attributes:
        uuid: of the record.
        name: full name, from columns of names or from the texts; '' if neither has one.
        facts: facts by column, without empty ones.
        roles: some of them by role, whatever the locale calls their columns.
        texts: texts by field, without empty ones.
        lists: lists of skills and hobbies by field.
        traits: T-scores by trait; empty if the dataset has none.
    """

    uuid: str
    name: str
    facts: Mapping[str, Any]
    roles: Mapping[str, Any]
    texts: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    traits: Mapping[str, int]


def read_people(dataset: Path, roles: Roles) -> Iterator[Person]:
    """Read the people of a dataset one by one.

    Raises:
        DatasetError: the dataset cannot be read, or has no column `uuid`.
    """
    for frame in read_frames(dataset):
        if "uuid" not in frame:
            raise DatasetError(f"{dataset}: has no column uuid; export a dataset that `personas` wrote")
        for record in frame.to_dict("records"):
            yield person_of({str(key): value for key, value in record.items()}, roles)


def person_of(record: Mapping[str, Any], roles: Roles) -> Person:
    """Tell facts, texts and traits of a record apart."""
    parts = [
        str(record.get(column) or "")
        for column in roles.named(("given_name", "family_name", "second_family_name"))
    ]
    name = " ".join(part for part in parts if part)
    if not name and (found := RecordView.of(record).name) is not None:
        name = f"{found.first} {found.last}".strip()
    texts = {
        key: str(record[key]) for key in record if (key in PROSE or key.endswith("persona")) and record[key]
    }
    lists = {
        key: tuple(map(str, record[key]))
        for key in LISTS
        if key in record and not isinstance(record[key], str)
    }
    facts = {
        key: _plain(value)
        for key, value in record.items()
        if key not in texts and key not in LISTS and key not in _HIDDEN and not _is_empty(value)
    }
    traits = {
        trait: int(record[trait]) for trait in TRAITS if trait in record and not _is_empty(record[trait])
    }
    by_role = {role: facts[column] for role in _ROLES if (column := roles.get(role)) in facts}
    return Person(str(record["uuid"]), name, facts, by_role, texts, lists, traits)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return [str(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _is_empty(value: Any) -> bool:
    if isinstance(value, str) or value is None:
        return not value
    return bool(pd.isna(value)) if pd.api.types.is_scalar(value) else len(value) == 0
