"""Locale skeleton: the first files of a new locale, to be filled in."""

from __future__ import annotations

from pathlib import Path

from census_personas.foundation.atomic_file import write_whole
from census_personas.foundation.errors import PersonasError
from census_personas.foundation.user_path import output_folder

_PRIORS = """\
# What there is: attributes, sources, tables and the model graph. docs/how-to/new-locale.md explains each part.
locale: {name}
title: Residents of {country}, 18 and over
country: {country}
language: {language}
vintage: "2024"

attributes:
  age:
    label: Age in years
    range: [18, 94]
  age_band:
    label: Age band
    of: age
    edges: [25, 35, 45, 55, 65, 75]
  sex:
    label: Sex
    states: {{female: female, male: male}}
  marital_status:
    label: Marital status
    states: {{single: never married, married: married, separated: separated or divorced, widowed: widowed}}
  education_level:
    label: Education
    states: {{primary: primary school or less, secondary: secondary school, tertiary: a degree}}
  activity:
    label: Work
    states: {{employed: employed, unemployed: looking for work, inactive: not in the labour force}}
  occupation:
    label: Occupation, major group
    states:
      manager: in management
      professional: in a profession
      clerk: in an office
      service: in services or sales
      trade: in a trade
      none: none

sources:
  census:
    publisher: the statistical office
    title: the publication, with the numbers of its tables
    vintage: "2024"
    universe: residents of {country}, 18 and over
    url: https://example.org
    licence: name it

tables:
  census:
    - [sex, age]
    - [sex, age_band, marital_status]
    - [sex, age_band, education_level]
    - [sex, age_band, activity]
    - [sex, activity, occupation]

model:
  core: [sex, age_band, marital_status, education_level, activity]
  conditionals:
    - child: age
      parents: [age_band, sex]
    - child: occupation
      parents: [activity, sex]
      otherwise:
        activity: {{unemployed: none, inactive: none}}
"""
_LOCALE = """\
# What the country is beyond its tables. census_priors/conventions.py explains each key.
language: {code}
adult: 18

# What each attribute is for. Names and places have roles too, for locales that have look-ups of them.
roles:
  age: age
  sex: sex
  marital: marital_status
  schooling: education_level
  work: activity
  occupation: occupation

gender: {{female: feminine, male: masculine}}
work: {{employed: employed, unemployed: unemployed, inactive: inactive, retirement: 65}}
without_occupation:
  none: {{title: without an occupation}}
schooling:
  ladder: [primary, secondary, tertiary]
  degrees: [tertiary]

columns:
  public: [sex, age, marital, schooling, occupation, country]
  full: [birth_year, work]
"""


class SkeletonError(PersonasError, ValueError):
    """A skeleton cannot be written into a folder; the message names the remedy."""


def write_skeleton(folder: Path, *, country: str, language: str, code: str) -> tuple[Path, ...]:
    """Write `priors.yaml` and `locale.yaml` of a new locale, and an empty folder for its tables.

    Args:
        folder: the folder to create; its name is the locale's.
        country: name of the country, as written into the dataset.
        language: name of the language, for the dataset card.
        code: code of the language of prompts (ISO 639).

    Returns:
        The files written.

    Raises:
        SkeletonError: the folder is not empty.
        DestinationError: the place must not be written to.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise SkeletonError(f"{folder}: is not empty; name a new folder")
    output_folder(folder)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    said = {"name": folder.resolve().name, "country": country, "language": language, "code": code}
    files = {"priors.yaml": _PRIORS, "locale.yaml": _LOCALE}
    for name, text in files.items():
        write_whole(folder / name, text.format(**said))
    return tuple(folder / name for name in files)
