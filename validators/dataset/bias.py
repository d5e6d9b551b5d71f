"""Bias: who is missing, and what texts say of one group and not of another."""

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
"""Roles that the guide's measures are about."""
GROUPS = ("sex", "origin", "schooling", "marital", "region")
"""Roles whose groups are held against the census."""
SHOWN = 12  # words named for each group
FEWEST = 50  # texts of a group of which words are named
PRIOR_WORDS = 500.0  # weight of the background, in words
_WORD = re.compile(r"[a-z]{3,}")


@dataclass(frozen=True, slots=True)
class GuideBias:
    """The three measures that the guide to Nemotron-Personas takes before and after a change.

    Attributes:
        age_distance: absolute difference of the mean age from the census, in years.
        sex_balance: absolute difference of the share of women from one half; None where the population has one sex.
        education_gini: Gini coefficient of the shares of the levels of schooling; 0 if all are equally frequent. A
            census population is not at 0: see `representation` for distances from the population instead. None where
            the population has one level.
    """

    age_distance: float | None
    sex_balance: float | None
    education_gini: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Gap:
    """One group's share beside the census.

    Attributes:
        attribute: such as sex.
        group: such as Female.
        share: in the dataset.
        census: in the population.
        error: standard error of `share` in a perfect sample.
        p: probability of a count so far from the census, or further, in a perfect sample; corrected for all groups of
            the attribute (Holm 1979, Scandinavian Journal of Statistics 6:65).
        tests: tests that are counted together with that of the attribute.
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
        """Share divided by the census share; None where the census has none."""
        return self.share / self.census if self.census else None

    @property
    def deviates(self) -> bool:
        """Whether the gap is more than chance makes."""
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
        texts: texts about the group.
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
    """The guide's measures on the columns that the frame has; the mean age needs the expected ages.

    Sexes are not held against one half, nor education levels against each other, where the population that was asked
    for has only one of them, as under `where`.

    Args:
        frame: columns of the dataset.
        priors: the locale, which says what plays the roles, and in which order schooling goes.
        expected: what the attributes of `GUIDED` should be, as far as it is known.
    """
    expected, said = expected or {}, priors.conventions
    age, sex, level = (priors.roles.get(role) or role for role in GUIDED)
    distance = balance = gini = None
    if (ages := expected.get(age)) is not None and age in frame.columns:
        years = np.array(ages.domain[age], dtype=np.float64)
        distance = abs(float(frame[age].mean()) - float(ages.project((age,)).probabilities() @ years))
    women = [state for state, gender in said.gender.items() if gender == "feminine"]
    if women and sex in frame.columns and not _one_state(expected.get(sex)):
        balance = abs(float(frame[sex].isin(women).mean()) - 0.5)
    if level in frame.columns and not _one_state(expected.get(level)):
        ladder = said.schooling.ladder or tuple(frame[level].unique())
        shares = frame[level].value_counts(normalize=True).reindex(list(ladder), fill_value=0.0)
        gini = _gini(shares.to_numpy(dtype=np.float64))
    return GuideBias(distance, balance, gini)


def _one_state(expected: Marginal | None) -> bool:
    return expected is not None and int(np.count_nonzero(expected.weights)) == 1


def representation(frame: pd.DataFrame, census: Marginal) -> tuple[Gap, ...]:
    """Each group of a one-attribute census table beside the dataset, largest gap first.

    The exact binomial test, the smaller tail doubled, shows which gaps are more than chance.
    """
    (attribute,) = census.domain.attributes
    counts = frame[attribute].value_counts()
    rows, found = int(counts.sum()), census.probabilities()
    people = np.array([counts.get(group, 0) for group in census.domain[attribute]])
    alone = cell_probabilities(people, rows, found)
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
            census.domain[attribute], people, found, _corrected(alone), strict=True
        )
    ]
    return tuple(sorted(gaps, key=lambda gap: -abs(gap.share - gap.census)))


def word_associations(
    people: People, fields: Sequence[str] = NARRATIVES, *, attribute: str, language: str = ENGLISH
) -> tuple[WordAssociation, ...]:
    """Words that tell the groups of an attribute apart, names and grammar left out.

    Groups of fewer than `FEWEST` texts have none named: what is told of one of them would pass for all. Log-odds with
    an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin' Words", Political
    Analysis 16:372, equations 16 and 22), on texts counted once a word, so that one text cannot make a word.
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
        found = set(_WORD.findall(" ".join(reading.prose.get(field, "") for field in fields).lower()))
        counts[group].update(found - name - grammar)
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
    """Pronouns and nouns that tell a group by grammar, not by stereotype; none for a language without a lexicon."""
    return frozenset(lexicon_if_any("group_grammar", language).get("words", "").split())


def log_odds(group: Counter[str], total: Counter[str], *, shown: int = SHOWN) -> dict[str, float]:
    """Words of a group with the z score of their log-odds against all other groups, largest first (see above)."""
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
    """Holm's correction within an attribute."""
    order = np.argsort(alone, kind="stable")
    steps = alone[order] * np.arange(len(alone), 0, -1)
    found = np.empty(len(alone))
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found


def _gini(values: np.ndarray) -> float:
    ordered = np.sort(values)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum())) if ordered.sum() else 0.0
