"""Bias: shares of groups compared with the census, and words that texts about one group use more."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from census_personas.census_priors.marginal import Marginal
from census_personas.foundation.schema import NARRATIVES
from census_personas.validators.dataset.chance import cell_probabilities
from census_personas.validators.dataset.frame_or_records import People, records_of
from census_personas.validators.dataset.multiple_testing import significant
from census_personas.validators.text.lexicon import ENGLISH, lexicon_if_any
from census_personas.validators.text.record_view import RecordView

if TYPE_CHECKING:
    import pandas as pd

    from census_personas.census_priors.priors import Priors

GUIDED = ("age", "sex", "schooling")
"""Roles that the guide's measures use."""
GROUPS = ("sex", "origin", "schooling", "marital", "region")
"""Roles whose groups are compared with the census."""
SHOWN = 12  # words listed for each group
FEWEST = 50  # fewest texts of a group whose words are listed
PRIOR_WORDS = 500.0  # weight of the prior, in words
_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True, slots=True)
class GuideBias:
    """The three measures that the guide to Nemotron-Personas takes before and after a change.

    Attributes:
        age_distance: absolute difference between the mean age and that of the census, in years.
        sex_balance: absolute difference between the share of women and one half; None if the population has one sex.
        education_gini: Gini coefficient of the shares of the levels of schooling; 0 if all are equally frequent. It is
            not 0 for a census population: `representation` measures distances from the population. None if the
            population has one level.
    """

    age_distance: float | None
    sex_balance: float | None
    education_gini: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gap:
    """One group's share compared with the census.

    Attributes:
        attribute: such as sex.
        group: such as Female.
        share: share in the dataset.
        census: share in the population.
        error: standard error of `share` in a perfect sample.
        p: probability of a count at least as far from the expected one in a perfect sample; corrected for all groups of
            the attribute (Holm 1979, Scandinavian Journal of Statistics 6:65).
        tests: number of tests that share the chance of a mark.
    """

    attribute: str
    group: str
    share: float
    census: float
    error: float
    p: float
    tests: int = 1

    @property
    def ratio(self) -> float | None:
        """Share divided by the census share; None if that is 0."""
        return self.share / self.census if self.census else None

    @property
    def deviates(self) -> bool:
        """Whether the gap is significant."""
        return significant(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "ratio": self.ratio, "deviates": self.deviates}


@dataclass(frozen=True, slots=True)
class WordAssociation:
    """Words that texts about one group use more than texts about the others.

    Attributes:
        attribute: such as sex.
        group: such as Female.
        texts: number of texts about the group.
        words: word -> z score of its log-odds; above 3 is more than chance.
    """

    attribute: str
    group: str
    texts: int
    words: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "words": dict(self.words)}


def guide_bias(
    frame: pd.DataFrame, priors: Priors, expected: Mapping[str, Marginal | None] | None = None
) -> GuideBias:
    """Compute the guide's measures for which the frame has columns; the mean age also needs the expected ages.

    A measure of sex or schooling is None if the expected population has only one state of it, as under `where`.

    Args:
        frame: columns of the dataset.
        priors: the locale, with its roles and the order of the levels of schooling.
        expected: expected distributions of the attributes of `GUIDED`, as far as known.
    """
    expected, conventions = expected or {}, priors.conventions
    age, sex, level = (priors.roles.get(role) or role for role in GUIDED)
    distance = balance = gini = None
    if (ages := expected.get(age)) is not None and age in frame.columns:
        years = np.array(ages.domain[age], dtype=np.float64)
        distance = abs(float(frame[age].mean()) - float(ages.project((age,)).probabilities() @ years))
    women = [state for state, gender in conventions.gender.items() if gender == "feminine"]
    if women and sex in frame.columns and not _one_state(expected.get(sex)):
        balance = abs(float(frame[sex].isin(women).mean()) - 0.5)
    if level in frame.columns and not _one_state(expected.get(level)):
        ladder = conventions.schooling.ladder or tuple(frame[level].unique())
        shares = frame[level].value_counts(normalize=True).reindex(list(ladder), fill_value=0.0)
        gini = gini_of(shares.to_numpy(dtype=np.float64))
    return GuideBias(distance, balance, gini)


def _one_state(expected: Marginal | None) -> bool:
    return expected is not None and int(np.count_nonzero(expected.weights)) == 1


def representation(frame: pd.DataFrame, census: Marginal) -> tuple[Gap, ...]:
    """Compare each group of a one-attribute census table with the dataset, largest gap first.

    The test is the exact binomial test with the smaller tail doubled.
    """
    (attribute,) = census.domain.attributes
    counts = frame[attribute].value_counts()
    rows, shares = int(counts.sum()), census.probabilities()
    people = np.array([counts.get(group, 0) for group in census.domain[attribute]])
    alone = cell_probabilities(people, rows, shares)
    gaps = [
        Gap(
            attribute=attribute,
            group=str(group),
            share=float(number / max(rows, 1)),
            census=float(share),
            error=float(np.sqrt(share * (1 - share) / max(rows, 1))),
            p=float(p),
        )
        for group, number, share, p in zip(
            census.domain[attribute], people, shares, _corrected(alone), strict=True
        )
    ]
    return tuple(sorted(gaps, key=lambda gap: -abs(gap.share - gap.census)))


def word_associations(
    people: People, fields: Sequence[str] = NARRATIVES, *, attribute: str, language: str = ENGLISH
) -> tuple[WordAssociation, ...]:
    """Find the words that distinguish the groups of an attribute, without names and grammar.

    The score is the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin'
    Words", Political Analysis 16:372, equations 16 and 22). A word counts once per text, so that a single text has
    little weight. Groups of fewer than `FEWEST` texts get no words, because single texts would dominate.
    """
    grammar = group_grammar(language)
    texts: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records_of(people):
        reading = RecordView.of(record)
        group = reading.fact(attribute)
        if group is None:
            continue
        name = set(reading.name.full.casefold().split()) if reading.name else set()
        texts[group] += 1
        tokens = set(_WORD.findall(" ".join(reading.prose.get(field, "") for field in fields).lower()))
        counts[group].update(tokens - name - grammar)
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    return tuple(
        WordAssociation(
            attribute, group, texts[group], log_odds(counts[group], total) if texts[group] >= FEWEST else {}
        )
        for group in sorted(counts)
    )


def group_grammar(language: str) -> frozenset[str]:
    """Return pronouns and nouns that mark a group by grammar, not by stereotype; empty without a lexicon."""
    return frozenset(lexicon_if_any("group_grammar", language).get("words", "").split())


def log_odds(group: Counter[str], total: Counter[str], *, shown: int = SHOWN) -> dict[str, float]:
    """Return word -> z score of its log-odds against all other groups, largest first (see `word_associations`)."""
    size, everything = sum(group.values()), sum(total.values())
    rest = everything - size
    if not size or not rest:
        return {}
    scores = {}
    for word, count in group.items():
        prior = PRIOR_WORDS * total[word] / everything
        other = total[word] - count
        mine = np.log((count + prior) / (size + PRIOR_WORDS - count - prior))
        theirs = np.log((other + prior) / (rest + PRIOR_WORDS - other - prior))
        scores[word] = float((mine - theirs) / np.sqrt(1 / (count + prior) + 1 / (other + prior)))
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:shown])


def _corrected(alone: np.ndarray) -> np.ndarray:
    """Apply Holm's correction to the p values of an attribute."""
    order = np.argsort(alone, kind="stable")
    steps = alone[order] * np.arange(len(alone), 0, -1)
    found = np.empty(len(alone))
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found


def gini_of(values: np.ndarray) -> float:
    """Compute the Gini coefficient of non-negative values; 0 if all are equal, or all are 0."""
    ordered = np.sort(values)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum())) if ordered.sum() else 0.0
