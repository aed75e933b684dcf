"""Daily prices of five shares."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_stocks(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Daily prices of Apple, Facebook, Google, IBM and Microsoft, 1 March 2000 to 1 March 2013.

    Google begins in August 2004 and Facebook in May 2012. ``close`` is what was paid on that day, so it jumps where a
    share was split. ``adjusted`` has no such jumps, but was computed later: it divides each day's close by the splits
    and dividends that came after it, even after 2013. Ratios of adjusted closes are returns; their level is not a
    price that anybody saw.

    Parameters
    ----------
    rows
        How many rows, drawn without replacement; ``None`` for all 12,154.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a share and trading day, in order of ``date`` and ``ticker`` (``"AAPL"``, ``"FB"``, ``"GOOG"``,
        ``"IBM"`` or ``"MSFT"``): ``open``, ``high``, ``low``, ``close`` and ``adjusted`` (dollars), ``volume``
        (shares traded).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    stocks = pd.read_parquet(data_path("stocks_wiki.parquet")).rename(columns=str.lower)
    stocks["date"] = stocks["date"].astype("datetime64[ns]")  # in every version of pandas
    stocks = stocks.rename(columns={"adj close": "adjusted"}).sort_values(["date", "ticker"], ignore_index=True)
    columns = ["date", "ticker", "open", "high", "low", "close", "adjusted", "volume"]
    return take_rows(stocks[columns], rows, seed)
