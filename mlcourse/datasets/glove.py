"""Word vectors learned from general text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_glove(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """GloVe vectors (50 dimensions) of the 20,000 most frequent words, one row a word, indexed by the word.

    The rows are in order of the words' frequency; words are in lower case, punctuation marks are words too.

    Parameters
    ----------
    rows
        How many words, drawn without replacement; ``None`` for all.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        float32, shape ``(words, 50)``, the words as index.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    with np.load(data_path("glove50_top20k.npz")) as stored:
        words, vectors = str(stored["w"]).split("\n"), stored["v"].astype(np.float32)
    table = pd.DataFrame(vectors).assign(word=words)
    return take_rows(table, rows, seed).set_index("word")
