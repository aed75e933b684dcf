"""How well a model ranks, for all bootstrap samples at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auc_of_samples(label: ArrayLike, score: ArrayLike, counts: ArrayLike) -> np.ndarray:
    """ROC AUC where a row counts as often as a bootstrap sample holds it.

    It is the share of pairs of a positive and a negative row in which the positive one has the higher score; ties
    count half (Hanley and McNeil, 1982).

    Parameters
    ----------
    label
        Whether each row is positive: 1 or 0, shape ``(rows,)``.
    score
        Higher for rows that are rather positive, shape ``(rows,)``.
    counts
        How often each sample holds each row, shape ``(samples, rows)``; ones give the plain AUC.

    Returns
    -------
    array of shape ``(samples,)``, from 0 to 1

    Raises
    ------
    ValueError
        If a sample holds no positive or no negative row: it has no AUC.
    """
    positive = np.asarray(label).astype(bool)
    _, level = np.unique(score, return_inverse=True)
    values = []
    for number, weight in enumerate(np.asarray(counts)):
        won, lost = (np.bincount(level, weight * side) for side in (positive, ~positive))
        if not won.any() or not lost.any():
            kind = "positive" if lost.any() else "negative"
            raise ValueError(f"sample {number} holds no {kind} row, so that it has no AUC")
        values.append(won @ (lost.cumsum() - lost / 2) / (won.sum() * lost.sum()))
    return np.array(values)
