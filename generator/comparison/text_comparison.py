"""Text comparison: lengths, vocabulary, diversity and near-duplicates of one text field of two datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from scipy.special import gammainccinv, ndtri  # type: ignore[import-untyped]

from census_personas.foundation.arrays import Floats
from census_personas.generator.comparison.similar_texts import NEAR, nearest, pairwise, shingled
from census_personas.validators.dataset.bias import log_odds
from census_personas.validators.dataset.diversity import text_diversity
from census_personas.validators.dataset.multiple_testing import FAMILY
from census_personas.validators.measure import Values
from census_personas.validators.text.prose import plain, words

TESTS = 2  # of a field: its lengths and its vocabulary
SHUFFLES = 99
_BINS = 16
_SHOWN = 8  # words listed for each side
_SURE = 3.0  # z score from which a word is listed


class Lengths(Values):
    """Words per text.

    Attributes:
        mean, deviation: of each dataset.
        difference: second mean minus first.
        low, high: ends of its interval, at the level that all tests of the comparison share.
        edges: edges of the bins of both histograms.
        counts: texts of each dataset by bin.
    """

    mean: tuple[float, float]
    deviation: tuple[float, float]
    difference: float
    low: float
    high: float
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], tuple[int, ...]]


class Vocabulary(Values):
    """Words and their frequencies.

    Attributes:
        words: different words of each dataset.
        distance: Jensen-Shannon divergence of the two word distributions, in bits: 0 equal, 1 disjoint.
        floor: its mean after shuffling texts between the datasets (within pairs, if they are paired).
        limit: what shuffles exceed with the test's share of the probability of a false mark, by a gamma distribution
            with their mean and variance (the divergence is asymptotically a multiple of chi-squared).
        more_in_one, more_in_other: words that more texts of one have than chance explains -> z of their log-odds.
    """

    words: tuple[int, int]
    distance: float
    floor: float
    limit: float
    more_in_one: dict[str, float]
    more_in_other: dict[str, float]


class TextDiversities(Values):
    """Measures of equally many texts of one dataset; `validators/dataset/diversity.py` defines them."""

    distinct: dict[str, float]
    openings: float
    commonest_opening: tuple[str, float]
    compression: float


class NearDuplicates(Values):
    """Shares of texts with a near-duplicate: a Jaccard similarity of runs of four words of `NEAR` or more.

    Attributes:
        within: of each dataset's texts, among its own.
        across: of the second dataset's texts, among the first's.
        same: share of pairs with exactly the same text; None without pairs.
        similarity: mean similarity of the texts of a pair; None without pairs.
    """

    within: tuple[float, float]
    across: float
    same: float | None
    similarity: float | None


class TextComparison(Values):
    """One text field of two datasets.

    Attributes:
        texts: number of texts that were compared, the same of both datasets.
        differs: whether lengths or vocabulary differ by more than chance.
    """

    field: str
    texts: int
    lengths: Lengths
    vocabulary: Vocabulary
    diversity: tuple[TextDiversities, TextDiversities]
    near_duplicates: NearDuplicates
    differs: bool


def compare_field(
    field: str,
    one: Sequence[str],
    other: Sequence[str],
    rng: np.random.Generator,
    *,
    paired: bool,
    tests: int,
) -> TextComparison:
    """Compare equally many texts of a field, without names.

    Args:
        field: its name.
        one: texts of the first dataset.
        other: as many of the second; those at the same place are of the same person if `paired`.
        rng: shuffles.
        paired: whether to compare person by person.
        tests: number of tests that share the chance of a false mark (`FAMILY`).
    """
    z = float(ndtri(1 - FAMILY / tests / 2))
    tokens = [[words(text) for text in texts] for texts in (one, other)]
    lengths = _lengths(*([len(text) for text in texts] for texts in tokens), paired=paired, z=z)
    vocabulary = _vocabulary(tokens[0], tokens[1], rng, paired=paired, level=FAMILY / tests)
    differs = vocabulary.distance > vocabulary.limit or not lengths.low <= 0 <= lengths.high
    return TextComparison(
        field=field,
        texts=len(one),
        lengths=lengths,
        vocabulary=vocabulary,
        diversity=(_diversities(field, one), _diversities(field, other)),
        near_duplicates=_near(one, other, paired=paired),
        differs=differs,
    )


def _lengths(one: Sequence[int], other: Sequence[int], *, paired: bool, z: float) -> Lengths:
    first, second = np.array(one, dtype=np.float64), np.array(other, dtype=np.float64)
    difference = float(second.mean() - first.mean())
    spread = 1 if len(first) > 1 else 0
    if paired:
        error = float((second - first).std(ddof=spread) / np.sqrt(len(first)))
    else:
        error = float(np.sqrt(first.var(ddof=spread) / len(first) + second.var(ddof=spread) / len(second)))
    edges = np.histogram_bin_edges(np.concatenate([first, second]), bins=_BINS)
    counts = [tuple(int(n) for n in np.histogram(values, edges)[0]) for values in (first, second)]
    return Lengths(
        mean=(float(first.mean()), float(second.mean())),
        deviation=(float(first.std(ddof=spread)), float(second.std(ddof=spread))),
        difference=difference,
        low=difference - z * error,
        high=difference + z * error,
        edges=tuple(map(float, edges)),
        counts=(counts[0], counts[1]),
    )


def _vocabulary(
    one: Sequence[Sequence[str]],
    other: Sequence[Sequence[str]],
    rng: np.random.Generator,
    *,
    paired: bool,
    level: float,
) -> Vocabulary:
    numbers: dict[str, int] = {}
    matrices = []
    for texts in (one, other):
        columns = [numbers.setdefault(word, len(numbers)) for text in texts for word in text]
        ends = np.cumsum([0, *map(len, texts)])
        matrices.append((np.array(columns, dtype=np.int64), ends))
    first, second = (
        csr_matrix((np.ones(len(at)), at, ends), shape=(len(ends) - 1, max(len(numbers), 1)))
        for at, ends in matrices
    )
    counts = [np.asarray(matrix.sum(axis=0)).ravel() for matrix in (first, second)]
    shuffled = _shuffled(first, second, rng, paired=paired)
    floor, variance = float(shuffled.mean()), float(shuffled.var(ddof=1))
    in_one, in_other = (Counter(word for text in texts for word in set(text)) for texts in (one, other))
    total = in_one + in_other
    return Vocabulary(
        words=(int((counts[0] > 0).sum()), int((counts[1] > 0).sum())),
        distance=float(_divergence(counts[0][:, None], counts[1][:, None])[0]),
        floor=floor,
        limit=variance / floor * float(gammainccinv(floor**2 / variance, level)) if variance else floor,
        more_in_one=_sure(log_odds(in_one, total, shown=_SHOWN)),
        more_in_other=_sure(log_odds(in_other, total, shown=_SHOWN)),
    )


def _shuffled(first: csr_matrix, second: csr_matrix, rng: np.random.Generator, *, paired: bool) -> Floats:
    """Return the divergence after each shuffle of texts between the datasets."""
    n = first.shape[0]
    if paired:
        stays = rng.random((n, SHUFFLES)) < 0.5
        own, lent = stays.astype(np.float64), 1.0 - stays
    else:
        places = np.argsort(rng.random((n + second.shape[0], SHUFFLES)), axis=0) < n
        own, lent = places[:n].astype(np.float64), places[n:].astype(np.float64)
    mine = first.T @ own + second.T @ lent
    everything = np.asarray(first.sum(axis=0) + second.sum(axis=0)).reshape(-1, 1)
    return _divergence(mine, everything - mine)


def _divergence(one: Floats, other: Floats) -> Floats:
    """Compute the Jensen-Shannon divergence in bits of columns of counts (Lin 1991, IEEE Trans. Inf. Theory 37:145)."""
    first, second = (counts / np.maximum(counts.sum(axis=0), 1) for counts in (one, other))
    middle = (first + second) / 2

    def entropy(shares: Floats) -> Floats:
        logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
        return np.asarray(-(shares * logs).sum(axis=0))

    return np.asarray(np.maximum(entropy(middle) - (entropy(first) + entropy(second)) / 2, 0.0))


def _sure(scores: Mapping[str, float]) -> dict[str, float]:
    return {word: score for word, score in scores.items() if score >= _SURE}


def _diversities(field: str, texts: Sequence[str]) -> TextDiversities:
    (found,) = text_diversity([{field: text} for text in texts], (field,))
    return TextDiversities(
        distinct={str(n): share for n, share in found.distinct.items()},
        openings=found.openings,
        commonest_opening=found.commonest_opening,
        compression=found.compression,
    )


def _near(one: Sequence[str], other: Sequence[str], *, paired: bool) -> NearDuplicates:
    first, second = shingled(one, other)
    same = (
        [plain(a).casefold() == plain(b).casefold() for a, b in zip(one, other, strict=True)]
        if paired
        else []
    )
    return NearDuplicates(
        within=(_share(nearest(first, first, within=True)), _share(nearest(second, second, within=True))),
        across=_share(nearest(second, first)),
        same=float(np.mean(same)) if paired else None,
        similarity=float(pairwise(first, second).mean()) if paired else None,
    )


def _share(similarity: Floats) -> float:
    return float((similarity >= NEAR).mean()) if len(similarity) else 0.0
