"""Friedman's curve: a regression whose true answer is known, to take a model's error apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError


def load_friedman(rows: int = 1_000, seed: int = 0, *, noise: float = 1.0, inputs: int = 10) -> pd.DataFrame:
    """Simulate a regression with a known truth: five inputs matter, the others do not, and normal noise is added.

    The inputs are drawn independently and evenly from 0 to 1, and ::

        expected = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5
        y        = expected + normal noise

    so the truth has an interaction, a curve and two straight lines. Its mean is 14.41 and its standard deviation 4.88;
    no model can have a mean squared error below ``noise**2`` but by luck. All values are plain numbers
    without a unit. The model is the first one of Friedman (1991), Multivariate Adaptive Regression Splines, The Annals
    of Statistics 19 (1); Breiman (1996) tried bagging on it.

    Parameters
    ----------
    rows
        How many cases, 1 to 20,000,000.
    seed
        Seed of inputs and noise: the same seed gives the same rows.
    noise
        Standard deviation of the noise, 0 or more; Friedman took 1.
    inputs
        How many inputs, 5 to 100; those after the fifth have no effect.

    Returns
    -------
    pandas.DataFrame
        One row a case, ``rows`` x (``inputs`` + 2): ``x1``, ``x2`` ... (0 to 1), ``y`` (what is observed), ``expected``
        (the truth, which no model may use).

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows``, ``noise`` or ``inputs`` is out of range.
    """
    for name, value, low, high in (("rows", rows, 1, 20_000_000), ("inputs", inputs, 5, 100)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
            raise DataError(f"{name} must be a whole number from {low} to {high:,}, not {value!r}")
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise < np.inf:
        raise DataError(f"noise must be a number from 0 upwards, not {noise!r}")
    rng = np.random.default_rng(seed)
    x = rng.random((inputs, rows))  # one input a row here: columns of a DataFrame lie together
    expected = 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
    columns = {f"x{i + 1}": column for i, column in enumerate(x)}
    return pd.DataFrame(columns | {"y": expected + rng.normal(0, noise, rows), "expected": expected})
