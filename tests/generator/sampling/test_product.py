"""Products of a table and evidence: rows computed alone equal those of the whole table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from census_personas.generator.population.population import Population
from census_personas.generator.sampling.conditioning import condition
from census_personas.generator.sampling.message import Message, scaled
from census_personas.generator.sampling.where_clause import masks

pytestmark = pytest.mark.quick

WHERES: dict[str, dict[str, Any]] = {
    "a child below a refined one": {"transport": ["foot", "cart"], "mood": "glad"},
    "a view of a child": {"voter": "21+", "trade": "*a*"},
    "core and child": {"region": ["north", "west"], "trade": ["mason", "teacher"]},
}


@pytest.mark.parametrize("where", WHERES.values(), ids=WHERES)
def test_single_rows_match_the_whole_table(toy: Population, where: dict[str, Any]) -> None:
    conditioned = condition(toy.network, (), masks(where, toy.priors, ()))
    assert conditioned.products
    for product in conditioned.products.values():
        rows = np.arange(int(np.prod(product.shape)))[::3]
        whole = product.conditional().table.reshape(-1, product.node.table.shape[-1])[rows]
        for first, last in zip(product.bounds[:-1].tolist(), product.bounds[1:].tolist(), strict=True):
            weights = product.weights(product.located(rows), slice(first, last))
            expected = whole[:, product.states[first:last]]
            totals = weights.sum(axis=1, keepdims=True)
            reached = expected.any(axis=1)  # the others are of parents that evidence rules out
            np.testing.assert_allclose(
                (weights / np.where(totals > 0, totals, 1))[reached], expected[reached], rtol=1e-5
            )


def test_tiny_message_weights_keep_their_ratio() -> None:
    tiny = Message(("sex",), np.array([1e-60, 4e-60]))
    messages, scale = scaled([tiny, tiny])
    assert scale == pytest.approx(1.6e-119)
    np.testing.assert_allclose(messages[0].values, [0.25, 1.0])
