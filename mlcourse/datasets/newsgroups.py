"""Posts to two newsgroups of 1993."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_newsgroup_posts(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Posts of 1993 to the newsgroups on baseball and on hockey; the label is ``hockey`` (0 or 1).

    Parameters
    ----------
    rows
        How many posts, drawn without replacement; ``None`` for all 1,993.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a post: ``text`` (the subject, then the post; lower case, letters only), ``part`` (``early`` or
        ``later``: the corpus's own split, which goes by date) and ``hockey``.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    raw = pd.read_parquet(data_path("newsgroups_baseball_hockey.parquet"))
    posts = pd.DataFrame(
        {
            "text": raw["text"],
            "part": raw["split"].map({"train": "early", "test": "later"}),
            "hockey": (raw["group"] == "rec.sport.hockey").astype(int),
        }
    )
    return take_rows(posts, rows, seed)
