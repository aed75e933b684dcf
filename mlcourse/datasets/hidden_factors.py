"""Sales of products whose season is hidden: categories with a known likeness, to compare embeddings with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError

WEEKS = 52


class SeasonalSales(NamedTuple):
    """Simulated sales and the truth behind them.

    Attributes
    ----------
    sales
        One row a sale record: ``product`` and ``week`` (whole numbers from 0), ``sales`` (the logarithm of the sales
        against an average week, with noise) and ``expected`` (the same without noise, hidden in real life).
    products
        The hidden factors of the products, shape ``(products, factors)``, standard deviation ``1 / sqrt(factors)``.
    weeks
        The hidden factors of the weeks, shape ``(52, factors)``: cosine and sine waves of mean square 1.
    """

    sales: pd.DataFrame
    products: np.ndarray
    weeks: np.ndarray

    @property
    def expected(self) -> np.ndarray:
        """What is expected of each product in each week: shape ``(products, 52)``, variance about 1."""
        return self.products @ self.weeks.T


def load_seasonal_sales(
    rows: int = 8_000, seed: int = 0, *, products: int = 256, factors: int = 2, noise: float = 0.5
) -> SeasonalSales:
    """Simulate sales of products that have a hidden season each.

    A product's sales rise and fall over the year in a wave of its own: with two factors it has a peak
    week (the direction of its two hidden numbers) and a strength (their length), so that ice cream lies near sun cream
    and far from skis. Each further pair of factors adds a wave of twice, three times ... the frequency. The
    sales of product p in week w are ``products[p] @ weeks[w]`` plus normal noise; products and weeks are drawn
    evenly. The model is this course's own, a low-rank matrix with noise.

    Parameters
    ----------
    rows
        How many records.
    seed
        Seed of the products and of the records.
    products
        How many products.
    factors
        How many hidden factors: even, from 2 to 12.
    noise
        Standard deviation of the noise.

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows`` or ``products`` is not a whole number from 1 to 10,000,000, ``factors`` is not even and from
        2 to 12, or ``noise`` is negative.
    """
    for name, value in (("rows", rows), ("products", products)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000_000:
            raise DataError(f"{name} must be a whole number from 1 to 10,000,000, not {value!r}")
    if isinstance(factors, bool) or factors not in range(2, 13, 2):
        raise DataError(f"factors must be 2, 4, 6, 8, 10 or 12, not {factors!r}")
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise < np.inf:
        raise DataError(f"noise must be a number from 0 upwards, not {noise!r}")
    rng = np.random.default_rng(seed)
    hidden = rng.normal(0, 1 / np.sqrt(factors), (products, factors))
    angle = 2 * np.pi * np.outer(np.arange(WEEKS), np.arange(1, factors // 2 + 1)) / WEEKS
    waves = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=2).reshape(WEEKS, factors)
    product, week = rng.integers(0, products, rows), rng.integers(0, WEEKS, rows)
    expected = np.einsum("rf,rf->r", hidden[product], waves[week])
    sales = pd.DataFrame(
        {"product": product, "week": week, "sales": expected + rng.normal(0, noise, rows), "expected": expected}
    )
    return SeasonalSales(sales, hidden, waves)
