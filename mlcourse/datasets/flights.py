"""Real flights from New York, with the tail number of the plane."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows

LATE_MINUTES = 15


def load_nyc_flights(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Flights that left New York's airports in 2013 and arrived; the label is ``late`` (0 or 1).

    The file is a sample of 60,000 of the year's 336,776 flights. Flights without an arrival delay (cancelled or
    diverted) are left out: 58,310 remain.

    Parameters
    ----------
    rows
        How many flights, drawn without replacement; ``None`` for all.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a flight, in order of departure day: ``month`` (1 to 12), ``day`` (1 to 31), ``hour`` (0 to 23, of the
        scheduled departure), ``carrier`` (2 letters), ``flight`` (number), ``tailnum`` (the plane's id, such as
        ``"N657JB"``), ``origin`` and ``dest`` (airport codes), ``distance`` (miles), ``arr_delay`` (minutes, negative
        if early), ``late`` (1 if the flight arrived more than 15 minutes late).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    columns = ["month", "day", "hour", "carrier", "flight", "tailnum", "origin", "dest", "distance", "arr_delay"]
    flights = pd.read_parquet(data_path("nyc_flights_60k.parquet"), columns=columns)
    flights = flights.dropna(subset=["arr_delay"]).sort_values(["month", "day"], kind="stable", ignore_index=True)
    flights["late"] = (flights["arr_delay"] > LATE_MINUTES).astype("int8")
    return take_rows(flights, rows, seed)
