"""Real census blocks of California with a yes-or-no target."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_california_blocks(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Census block groups of California, 1990, each with its place, six other features and a binary target.

    The target is a class that the package nannyml made: by its documentation, 1 where the median house value lies
    above a threshold. The value itself is not in the file, so the target is not a price. Of the 20,640 block groups
    of the census, nannyml left out the first third; there is none around Oakland, Fresno or Bakersfield. The
    file's ``id``, ``timestamp`` and ``part`` were invented for another purpose; they are dropped here.

    Parameters
    ----------
    rows
        How many block groups, drawn without replacement; ``None`` for all 14,064.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a block group: ``MedInc`` (median income in 10,000 dollars of 1990), ``HouseAge`` (median, years,
        at most 52), ``AveRooms``, ``AveBedrms`` (a household), ``Population``, ``AveOccup`` (people a household),
        ``Latitude``, ``Longitude`` (degrees, two decimals), ``target`` (0 or 1).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    blocks = pd.read_parquet(data_path("california_housing_class.parquet"))
    blocks = blocks.drop(columns=["id", "timestamp", "part"]).rename(columns={"clf_target": "target"})
    return take_rows(blocks, rows, seed)
