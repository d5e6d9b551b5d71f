"""Age words: fits `validators/lexicons/en/age_words.yaml`, weights of words that indicate a person's age.

    python benchmarks/age_words.py ROWS.parquet [--write]

ROWS is a Parquet file of real rows in the Nemotron schema (never part of this repository). A ridge regression of the
age on the words of each text and on three facts; names of people and places, and words that name a heritage, are left
out. Tenfold cross-validation, with the words chosen again in each fold, measures three figures for unseen rows: the
error of the predicted age, the share of real rows that are wrongly suspected, and the share of ages moved by thirty
years that are detected, by this rule alone and by all rules. `--write` then fits all rows and writes the lexicon.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from census_personas.census_priors.places import Places
from census_personas.census_priors.priors import Priors
from census_personas.foundation.arrays import Floats
from census_personas.foundation.record_reader import read_records
from census_personas.generator.population.plausibility import Plausibility
from census_personas.generator.population.population import Population
from census_personas.validators.finding import Finding
from census_personas.validators.records.age_in_text import AgeWords, judged, known_words
from census_personas.validators.rule_context import RuleContext
from census_personas.validators.rules import RecordChecker
from census_personas.validators.text.lexicon import ENGLISH, lexicon
from census_personas.validators.text.prose import plain, words
from census_personas.validators.text.record_view import RecordView

Feature = tuple[str, str]
"""A text, or the role of a fact, and the word or value that it has."""
RULE = "age_in_text"
LEXICON = Path(__file__).parent.parent / "validators" / "lexicons" / "en" / "age_words.yaml"
FACTS = {
    "marital": ("never_married", "married_present", "separated", "divorced", "widowed"),
    "schooling": tuple(lexicon("education", ENGLISH)["levels"]),
    "occupation": tuple(sorted(Priors.load("en_US").conventions.without_occupation)),
}
LEAST, MOST = 6, 0.6  # rows that have a word; share of them
CHOSEN = 1200  # words
PENALTY = 80.0
FOLDS, SEED = 10, 1
YEARS, YOUNGEST, OLDEST = 30, 18, 95
# Words of cities that mean something else more often.
WORDS_TOO = frozenset(
    "new union center grand park spring springs home rock college garden gardens falls beach lake river mountain"
    " village city county valley".split()
)
HEADER = """\
# Words by which the texts about a person tell the age: years that each adds to the start (below 0: takes away), for
# each text and list apart, and of three facts. Written by benchmarks/age_words.py: a ridge regression of the age on the
# words of {rows:,} rows of Nemotron-Personas-USA 1.1 (NVIDIA, CC BY 4.0), the {chosen:,} that go with age most, without
# names of people and places or words for heritage. Tenfold cross-validation: ages are missed by {error:.1f} years
# (standard deviation). The weights hold for that release's narrator: "so" tells its habits rather than anyone's age.
"""


def main() -> None:
    """Print what cross-validation says, and write the lexicon if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    priors = Priors.load("en_US")
    readings = [RecordView.under(priors.roles.columns, row) for row in read_records(options.rows)]
    ages = np.array([float(reading.age or 0) for reading in readings])
    checker = RecordChecker(RuleContext(priors, Plausibility.of(Population.load(priors))), {RULE: "off"})
    names, table = _table(readings, priors)
    error = _cross_validated(readings, ages, names, table, checker)
    if options.write:
        content = _fitted(names, table, ages)
        LEXICON.write_text(
            HEADER.format(rows=len(readings), chosen=CHOSEN, error=error) + _yaml(content), encoding="utf-8"
        )


def _cross_validated(
    readings: Sequence[RecordView],
    ages: Floats,
    names: Sequence[Feature],
    table: npt.NDArray[np.bool],
    others: RecordChecker,
) -> float:
    """Predict each fold from the others, as the rule does; return the standard deviation of the error."""
    fold = np.random.default_rng(SEED).permutation(len(readings)) % FOLDS
    errors: list[float] = []
    suspected = 0
    moved: list[tuple[int, RecordView, float, bool]] = []
    for number in range(FOLDS):
        age_words = AgeWords.of(_fitted(names, table[fold != number], ages[fold != number]))
        for row in map(int, np.flatnonzero(fold == number)):
            reading, age = readings[row], int(ages[row])
            errors.append(age - age_words.expected(reading))
            suspected += any(judged(reading, age_words))
            steps = [step for step in (-YEARS, YEARS) if YOUNGEST <= age + step <= OLDEST]
            for step in steps:
                reading = RecordView({**readings[row].record, "age": age + step}, readings[row].roles)
                moved.append((row, reading, 1 / len(steps), any(judged(reading, age_words))))
    known = list(map(_wrong, others.check_each(readings)))
    found = others.check_each(reading for _, reading, _, _ in moved)
    alone = [told for *_, told in moved]
    every = [
        told or bool(_wrong(new) - known[row]) for (row, *_, told), new in zip(moved, found, strict=True)
    ]
    weights = [weight for _, _, weight, _ in moved]
    error = float(np.std(errors))
    print(f"{len(readings):,} rows; ages are missed by {error:.2f} years (standard deviation)")
    print(f"wrongly suspected: {suspected} ({suspected / len(readings):.2%})")
    found_by_one, found_by_all = (np.average(each, weights=weights) for each in (alone, every))
    print(f"moved ages found: {found_by_one:.1%} by this rule alone, {found_by_all:.1%} by all")
    return error


def _wrong(findings: Sequence[Finding]) -> frozenset[tuple[str, str]]:
    return frozenset((finding.code, finding.field) for finding in findings if finding.severity == "error")


def _table(readings: Sequence[RecordView], priors: Priors) -> tuple[list[Feature], npt.NDArray[np.bool]]:
    """The features, facts first, and row by feature whether the row has it."""
    places = _places(priors.places)
    facts = [(field, value) for field, values in FACTS.items() for value in values]
    told = []
    count: dict[Feature, int] = defaultdict(int)
    for reading in readings:
        name = frozenset(reading.name.full.lower().split()) if reading.name else frozenset()
        told.append(
            [(field, word) for field, known in known_words(reading).items() for word in known - name - places]
        )
        for feature in told[-1]:
            count[feature] += 1
    kept = sorted(feature for feature, n in count.items() if LEAST <= n < MOST * len(readings))
    position = {feature: i for i, feature in enumerate(chain(facts, kept))}
    table = np.zeros((len(readings), len(position)), dtype=np.bool)
    for row, (reading, features) in enumerate(zip(readings, told, strict=True)):
        own = [(role, reading.fact_of(role) or "") for role in FACTS]
        table[row, [position[feature] for feature in (*own, *features) if feature in position]] = True
    return list(position), table


def _places(places: Places) -> frozenset[str]:
    """Words of the names of states and larger cities, and words that name a heritage."""
    large = places.column("adults") > np.median(places.column("adults"))
    named = {
        *map(places.region_name, places.regions),
        *places.column("municipality")[large],
        *lexicon("heritage", ENGLISH)["terms"],
    }
    return frozenset(words(plain(" ".join(named)))) - WORDS_TOO


def _fitted(names: Sequence[Feature], table: npt.NDArray[np.bool], ages: Floats) -> dict[str, Any]:
    """Return the lexicon's content: weights of all facts and of the words most correlated with age."""
    facts = sum(map(len, FACTS.values()))
    count = table.sum(axis=0)
    apart = np.abs(table.T @ (ages - ages.mean())) / np.sqrt(np.maximum(count, 1)) * (count >= LEAST - 2)
    apart[:facts] = np.inf
    chosen = np.sort(np.argsort(-apart, kind="stable")[: facts + CHOSEN])
    here = table[:, chosen].astype(np.float64)
    mean = here.mean(axis=0)
    square = (here - mean).T @ (here - mean) + PENALTY * np.eye(len(chosen))
    weights = np.linalg.solve(square, (here - mean).T @ (ages - ages.mean())).round(1)
    content: dict[str, Any] = {
        "start": round(float(ages.mean() - mean @ weights), 1),
        "facts": {field: {} for field in FACTS},
        "words": {},
    }
    groups: dict[str, dict[float, list[str]]] = {}
    for (field, word), weight in zip((names[i] for i in chosen), weights.tolist(), strict=True):
        if field in FACTS:
            content["facts"][field][word] = weight
        elif weight:
            groups.setdefault(field, {}).setdefault(weight, []).append(word)
    content["words"] = {
        field: {weight: " ".join(told) for weight, told in sorted(found.items())}
        for field, found in groups.items()
    }
    return content


def _yaml(content: Mapping[str, Any]) -> str:
    lines = [f"start: {content['start']}", "facts:"]
    for field, years in content["facts"].items():
        lines.append(f"  {field}: {{{', '.join(f'{value}: {weight}' for value, weight in years.items())}}}")
    lines.append("words:")
    for field, groups in content["words"].items():
        lines.append(f"  {field}:")
        lines += [f"    {weight}: '{told}'" for weight, told in groups.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
