"""House sales in Ames, Iowa."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_ames_housing(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Sales of houses in Ames, Iowa, 2006 to 2010: one row a sale.

    Areas are in square feet, ``Sale_Price`` in dollars, ``Longitude`` and ``Latitude`` in degrees. Text columns are
    categories; the word ``None`` in them says that a house lacks the feature.

    Parameters
    ----------
    rows
        How many sales to draw without replacement, or None for all 2,930.
    seed
        Draws them.

    Returns
    -------
    pandas.DataFrame
        ``rows`` x 74, without missing values: whole numbers, two degrees in floating point, and text.

    Raises
    ------
    DataError
        If ``rows`` is not a whole number from 1 to 2,930, or the file is not the one its card describes.
    """
    return take_rows(pd.read_parquet(data_path("ames_housing.parquet")), rows, seed)
