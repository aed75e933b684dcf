"""Real pictures of clothes."""

from __future__ import annotations

import numpy as np

from mlcourse.datasets.files import DataError, data_path

FASHION_KINDS = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def load_fashion_mnist(rows: int | None = None, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures of ten kinds of clothes, 600 of each (a part of Fashion-MNIST, Xiao, Rasul and Vollgraf 2017).

    Parameters
    ----------
    rows
        How many pictures, drawn without replacement; ``None`` for all 6,000.
    seed
        Seed of that draw.

    Returns
    -------
    pictures : numpy.ndarray
        uint8 of shape ``(rows, 28, 28)``: 0 is the empty background, 255 the brightest cloth.
    kinds : numpy.ndarray
        uint8 of shape ``(rows,)``: 0 to 9, the position of the kind's name in ``FASHION_KINDS``.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    with np.load(data_path("fashion_mnist_6k.npz")) as stored:
        pictures, kinds = stored["X"], stored["y"]
    if rows is None or rows == len(kinds):
        return pictures, kinds
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= len(kinds):
        raise DataError(f"rows must be a whole number from 1 to {len(kinds):,}, or None for all, not {rows!r}")
    drawn = np.sort(np.random.default_rng(seed).choice(len(kinds), rows, replace=False))
    return pictures[drawn], kinds[drawn]
