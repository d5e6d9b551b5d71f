"""Tilt: fits a three-way table from three two-way tables of a state (see `geography.py`)."""

from __future__ import annotations

import logging

import numpy as np

from census_personas.foundation.arrays import Floats

log = logging.getLogger(__name__)


# Pseudo-persons with the state's education, added to each ethnicity so that no pair is impossible.
PRIOR_PERSONS = 50.0
TOLERANCE, ROUNDS = 1e-10, 2000


def fit_tilt(adults: Floats, schooling: Floats, joint: Floats | None) -> tuple[Floats, Floats]:
    """Fit q = adults * u * g * a to the three two-way margins of one state.

    Args:
        adults: persons by ethnicity and county, shape (e, c); the (e, c) margin.
        schooling: persons by education and county, shape (k, c); gives the shares within a county.
        joint: persons by ethnicity and education, shape (e, k); None where no microdata exist, which
            makes education and ethnicity independent in the state.

    Returns:
        u of shape (e, c) and g of shape (k, c), g scaled so that each county's mean over education is 1.
    """
    total = adults.sum(axis=0)
    state = schooling.sum(axis=1) / schooling.sum()
    shares = (schooling + 1e-3 * state[:, None]) / (schooling + 1e-3 * state[:, None]).sum(axis=0)
    if joint is None:
        joint = np.broadcast_to(state, (len(adults), len(state))).copy()
    overall = joint.sum(axis=0) / joint.sum()
    joint = joint + PRIOR_PERSONS * overall
    by_education = joint / joint.sum(axis=1, keepdims=True) * adults.sum(axis=1, keepdims=True)
    by_county = shares * total
    target = by_education.sum(axis=0)
    for _ in range(ROUNDS):
        by_county *= (target / by_county.sum(axis=1))[:, None]
        column = by_county.sum(axis=0)
        scale = _ratio(total, column)
        by_county *= scale
        if np.abs(scale - 1).max() < TOLERANCE:
            break
    return _fit_three_way(adults, by_county, by_education)


def _fit_three_way(adults: Floats, by_county: Floats, by_education: Floats) -> tuple[Floats, Floats]:
    u, a = np.ones_like(adults), np.ones_like(by_education)
    g = np.ones_like(by_county)

    for _ in range(ROUNDS):
        step_u = _ratio(adults, adults * u * np.einsum("kc,ek->ec", g, a))
        u *= step_u
        a *= _ratio(by_education, a * np.einsum("ec,kc->ek", adults * u, g))
        step_g = _ratio(by_county, g * np.einsum("ec,ek->kc", adults * u, a))
        g *= step_g
        if max(np.abs(step_u - 1).max(), np.abs(step_g - 1).max()) < TOLERANCE:
            break
    else:
        log.warning("the margins of a state contradict each other; the last of %d rounds is kept", ROUNDS)
    scale = g.mean(axis=0)
    return u * scale, g / scale


def _ratio(wanted: Floats, found: Floats) -> Floats:
    """Divide `wanted` by `found`; 1 where `found` is 0."""
    return np.divide(wanted, found, out=np.ones_like(wanted), where=found > 0)
