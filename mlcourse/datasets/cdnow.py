"""Orders at a shop for music on the early web."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path


def load_cdnow() -> pd.DataFrame:
    """Every order of the customers who came to CDNOW in the first quarter of 1997, up to 30 June 1998.

    All of them bought for the first time between 1 January and 25 March 1997; nobody who came later is in the data.

    Returns
    -------
    pandas.DataFrame
        69,659 x 4, in the order of ``customer`` and ``date``, without missing values: ``customer`` (1 to 23,570),
        ``date`` (a day), ``cds`` (how many were bought), ``dollars`` (paid for the order, 0 to 1,286).

    Raises
    ------
    DataError
        If the file is not the one its card describes.
    """
    return pd.read_parquet(data_path("cdnow.parquet"))
