"""Sentences from product reviews, each scored by twenty people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_reviews(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Sentences from 300 product reviews with how positive twenty people found them, from -4 to 4.

    Parameters
    ----------
    rows
        How many sentences, drawn without replacement; ``None`` for all 3,708.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a sentence: ``review`` (which review it comes from: split by it), ``text`` (lower case), ``rating`` (the
        mean of the twenty scores), ``spread`` (their standard deviation), ``negative``, ``neutral`` and ``positive``
        (how many of the twenty scored below, at and above zero).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    raw = pd.read_parquet(data_path("reviews_20raters.parquet"))
    scores = np.array(raw["ratings"].str.split().tolist(), dtype=np.int8)
    reviews = pd.DataFrame(
        {
            "review": raw["id"].str.split("_").str[0],
            "text": raw["text"].str.strip(),
            "rating": raw["mean"],
            "spread": scores.std(axis=1, ddof=1),
            "negative": (scores < 0).sum(axis=1),
            "neutral": (scores == 0).sum(axis=1),
            "positive": (scores > 0).sum(axis=1),
        }
    )
    return take_rows(reviews, rows, seed)
