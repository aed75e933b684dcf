"""Simulated cases of which some have no true side: their labels are coin flips."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from mlcourse.datasets.files import DataError


def load_arbitrary_zone(rows: int = 1_000, share: float = 0.4, features: int = 20, seed: int = 0) -> pd.DataFrame:
    """Simulate cases with two sides and an arbitrary zone between them.

    The features are independent standard normal numbers. Their sum, divided by the square root of their number, is
    the score, standard normal as well; its sign is the case's side. The cases whose score is nearest to zero form the
    arbitrary zone: whoever labels them flips a coin. Outside the zone every label is the side.

    Parameters
    ----------
    rows
        How many cases, 1 to 5,000,000.
    share
        The expected share of the cases that lie in the zone, 0 to 1: those with a score between the quantiles
        ``0.5 - share / 2`` and ``0.5 + share / 2`` of the standard normal distribution.
    features
        How many features, 1 to 1,000.
    seed
        Seed of everything drawn: the same seed gives the same rows.

    Returns
    -------
    pandas.DataFrame
        One row a case: ``x0``, ``x1``, ... (the features), ``score``, ``zone`` (true inside the arbitrary zone),
        ``side`` (-1 or 1, the sign of the score) and ``label`` (-1 or 1: the side, or a coin flip in the zone). No
        model may use ``score``, ``zone`` or ``side`` as an input.

    Raises
    ------
    mlcourse.datasets.DataError
        If an argument is out of range.
    """
    for name, value, low, high in (("rows", rows, 1, 5_000_000), ("features", features, 1, 1_000)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
            raise DataError(f"{name} must be a whole number from {low:,} to {high:,}, not {value!r}")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise DataError(f"share must be a number from 0 to 1, not {share!r}")
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, features))
    score = values.sum(axis=1) / np.sqrt(features)
    side = np.where(score < 0, -1, 1).astype(np.int8)
    zone = np.abs(score) < norm.ppf(0.5 + share / 2)
    cases = pd.DataFrame(values, columns=[f"x{number}" for number in range(features)])
    coin = rng.choice(np.array([-1, 1], np.int8), rows)
    return cases.assign(score=score, zone=zone, side=side, label=np.where(zone, coin, side))
