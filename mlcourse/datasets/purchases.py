"""Simulated purchases: age group and category decide together, neither of them alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError

# Each age group's share of the visitors.
AGE_SHARES = {"18-24": 0.14, "25-34": 0.22, "35-44": 0.20, "45-54": 0.18, "55-64": 0.15, "65+": 0.11}

# Each category: its department, its share of the offers, and the age that wants it most (0 = youngest group).
CATEGORIES = {
    "games": ("electronics", 0.11, 0.0),
    "phones": ("electronics", 0.13, 1.0),
    "cameras": ("electronics", 0.05, 3.5),
    "sneakers": ("clothing", 0.12, 0.5),
    "suits": ("clothing", 0.06, 2.5),
    "cardigans": ("clothing", 0.07, 4.5),
    "furniture": ("home", 0.09, 1.5),
    "kitchen": ("home", 0.10, 3.0),
    "garden": ("home", 0.08, 5.0),
    "toys": ("leisure", 0.07, 2.0),
    "books": ("leisure", 0.08, 4.0),
    "concerts": ("leisure", 0.04, 0.8),
}

# Neither of them moves the probability: they are there to be crossed in vain.
DEVICES = ("desktop", "phone", "tablet")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# The purchase rate of every age group and of every category, the largest departure from it in one cell, and
# how many age groups an interest spans.
_RATE, _SWING, _WIDTH = 0.40, 0.37, 1.2


def purchase_cells() -> pd.DataFrame:
    """The truth behind :func:`load_purchases`: every pair of age group and category with its probability.

    Interest in a category falls off with the distance from the age that wants it most. Then the share-weighted
    mean of every age group and of every category is taken out, so that what is left is a pure interaction: over
    all offers, each age group and each category has the same purchase rate, 0.40.

    Returns
    -------
    pandas.DataFrame
        72 rows, one a pair, age groups in order: ``age_group`` (6 values), ``category`` (12), ``department``
        (4, follows from the category), ``share`` (of all offers, sums to 1), ``probability`` (of a purchase, 0 to 1).
    """
    age, offer = np.array(list(AGE_SHARES.values())), np.array([share for _, share, _ in CATEGORIES.values()])
    peak = np.array([peak for _, _, peak in CATEGORIES.values()])
    interest = np.exp(-(((np.arange(len(age))[:, None] - peak) / _WIDTH) ** 2) / 2)
    interest = interest - (interest @ offer)[:, None] - age @ interest + age @ interest @ offer
    return pd.DataFrame(
        {
            "age_group": np.repeat(np.array(list(AGE_SHARES), dtype=object), len(offer)),
            "category": np.tile(np.array(list(CATEGORIES), dtype=object), len(age)),
            "department": np.tile(
                np.array([department for department, _, _ in CATEGORIES.values()], dtype=object), len(age)
            ),
            "share": np.outer(age, offer).ravel(),
            "probability": (_RATE + _SWING * interest / np.abs(interest).max()).ravel(),
        }
    )


def load_purchases(rows: int = 100_000, seed: int = 0) -> pd.DataFrame:
    """Simulate offers that a shop shows, and whether the visitor buys, with the true probability.

    Age group and category are drawn independently of each other; which of the 72 pairs an offer belongs to decides
    the probability of a purchase, see :func:`purchase_cells`. Device and weekday have no effect.

    Parameters
    ----------
    rows
        How many offers, 1 to 20,000,000.
    seed
        Seed of everything drawn: the same seed gives the same rows.

    Returns
    -------
    pandas.DataFrame
        One row an offer: ``age_group`` (6 values), ``category`` (12), ``department`` (4, follows from the category),
        ``device`` (3), ``weekday`` (7), ``purchase`` (0 or 1), ``probability`` (the true probability of the purchase,
        which no model may use as an input).

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows`` is out of range.
    """
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or not 1 <= rows <= 20_000_000:
        raise DataError(f"rows must be a whole number from 1 to 20,000,000, not {rows!r}")
    rng = np.random.default_rng(seed)
    cells = purchase_cells()
    offers = cells.take(rng.choice(len(cells), rows, p=cells["share"])).reset_index(drop=True)
    offers["device"] = rng.choice(np.array(DEVICES, dtype=object), rows, p=[0.35, 0.5, 0.15])
    offers["weekday"] = rng.choice(np.array(WEEKDAYS, dtype=object), rows)
    offers["purchase"] = (rng.random(rows) < offers["probability"]).astype(np.int8)
    return offers[["age_group", "category", "department", "device", "weekday", "purchase", "probability"]]
