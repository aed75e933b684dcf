"""Real flights from New York, with the tail number of the plane, and the weather they left in."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import DataError, data_path, take_rows

LATE_MINUTES = 15

# What a flight spends between gate and runway, at both ends together: minutes, about.
_ON_THE_GROUND = 35

# How old an observation may be, in hours, and still stand for the weather of a moment.
_STALE_AFTER = 6

# What an observation says, beside where and when.
_WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def load_nyc_flights(
    rows: int | None = None, seed: int = 0, *, weather: int | None = None, cancelled: bool = False
) -> pd.DataFrame:
    """Flights that left New York's airports in 2013 and arrived; the label is ``late`` (0 or 1).

    The file is a sample of 60,000 of the year's 336,776 flights. Flights without an arrival delay (cancelled or
    diverted) are left out: 58,310 remain.

    Parameters
    ----------
    rows
        How many flights, drawn without replacement; ``None`` for all.
    seed
        Seed of that draw.
    weather
        Joins the weather at the airport of departure, observed this many hours (0 to 48) before the hour of the
        scheduled departure: the last observation of :func:`load_nyc_weather` until then, at most six hours old. At 0
        it is the weather itself, which was not known before; it can stand in for a forecast. Flights without such
        an observation are left out: there is none before the first morning of the year, nor after the evening of
        30 December. ``None`` joins nothing.
    cancelled
        Keeps the flights that never arrived. Their ``arr_delay`` is missing and their ``late`` is 1, as the US Bureau
        of Transportation Statistics counts them.

    Returns
    -------
    pandas.DataFrame
        One row a flight, in order of departure day: ``month`` (1 to 12), ``day`` (1 to 31), ``hour`` (0 to 23, of the
        scheduled departure), ``carrier`` (2 letters), ``flight`` (number), ``tailnum`` (the plane's id, such as
        ``"N657JB"``, missing for some cancelled flights), ``origin`` and ``dest`` (airport codes), ``distance``
        (miles), ``arr_delay`` (minutes, negative if early), ``late`` (1 if the flight arrived more than 15 minutes
        late). With ``weather``, the nine columns ``temp`` to ``visib`` of :func:`load_nyc_weather` follow.

    Raises
    ------
    mlcourse.datasets.DataError
        If a file is not the one its card describes, or ``rows`` or ``weather`` is out of range.
    """
    if weather is not None and (isinstance(weather, bool) or not isinstance(weather, int) or not 0 <= weather <= 48):
        raise DataError(f"weather must be a whole number of hours from 0 to 48, or None, not {weather!r}")
    columns = ["month", "day", "hour", "carrier", "flight", "tailnum", "origin", "dest", "distance", "arr_delay"]
    flights = pd.read_parquet(data_path("nyc_flights_60k.parquet"), columns=columns)
    if not cancelled:
        flights = flights.dropna(subset=["arr_delay"])
    flights = flights.sort_values(["month", "day"], kind="stable", ignore_index=True)
    flights["late"] = (~(flights["arr_delay"] <= LATE_MINUTES)).astype("int8")
    if weather is not None:
        flights = _with_weather(flights, weather)
    return take_rows(flights, rows, seed)


def load_nyc_arrivals(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """The flights of :func:`load_nyc_flights` as events: when each was due, when it landed, all in New York's clock.

    The file has the clocks of the airports of arrival, and does not say how far they are from New York's. So each
    airport's distance, in whole hours, is taken from its flights: by month, the median of what lies between departure
    and arrival beyond the time in the air and on the ground. In March and November, when clocks change, a flight to a
    place that does not change its own can be an hour off.

    Parameters
    ----------
    rows
        How many flights, drawn without replacement; ``None`` for all 58,310.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a flight, in order of landing: ``origin`` and ``dest`` (airport codes), ``carrier`` (2 letters),
        ``departs`` and ``due`` (scheduled departure and arrival), ``landed`` (arrival), ``delay`` (of the arrival,
        minutes, negative if early), ``late`` (1 if more than 15 minutes late).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    flights = pd.read_parquet(data_path("nyc_flights_60k.parquet")).dropna(subset=["arr_delay"])
    clock = ["dep_time", "arr_time", "sched_dep_time", "sched_arr_time"]
    left, landed, departs, due = ((flights[name] // 100 * 60 + flights[name] % 100).to_numpy() for name in clock)
    beyond = (landed - left - flights["air_time"] - _ON_THE_GROUND + 720) % 1440 - 720
    hours = (beyond.groupby([flights["dest"], flights["month"]]).transform("median") / 60).round().to_numpy()
    day = pd.to_datetime(flights[["month", "day"]].assign(year=2013)).reset_index(drop=True)
    events = flights[["origin", "dest", "carrier"]].reset_index(drop=True)
    events["departs"] = (day + pd.to_timedelta(departs, unit="min")).dt.tz_localize("America/New_York")
    events["due"] = events["departs"] + pd.to_timedelta((due - departs - 60 * hours) % 1440, unit="min")
    events["delay"] = flights["arr_delay"].to_numpy()
    events["landed"] = events["due"] + pd.to_timedelta(events["delay"], unit="min")
    events["late"] = (events["delay"] > LATE_MINUTES).astype("int8")
    columns = ["origin", "dest", "carrier", "departs", "due", "landed", "delay", "late"]
    return take_rows(events[columns].sort_values("landed", kind="stable", ignore_index=True), rows, seed)


def load_nyc_weather(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Hourly weather at New York's three airports in 2013, until the evening of 30 December.

    Some hours are missing. A wind of 1,048 miles an hour is dropped, as a mistake. Gaps in ``temp``, ``dewp``,
    ``humid``, ``wind_speed`` and ``pressure`` (a tenth of the pressures) are filled with the airport's last value
    before, never with a later one. Where no gust was reported, ``wind_gust`` is the wind's speed.

    Parameters
    ----------
    rows
        How many observations, drawn without replacement; ``None`` for all 26,115.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row an airport and hour, in order of time: ``origin`` (airport code), ``time`` (start of the hour, New
        York's clock with its zone), ``temp`` and ``dewp`` (temperature and dew point, degrees Fahrenheit), ``humid``
        (relative humidity, %), ``wind_dir`` (degrees, where the wind comes from; missing where it varies),
        ``wind_speed`` and ``wind_gust`` (miles an hour), ``precip`` (inches in that hour), ``pressure`` (at sea
        level, millibars), ``visib`` (miles, at most 10).

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    weather = pd.read_parquet(data_path("nyc_weather_hourly.parquet"), columns=["origin", "time_hour", *_WEATHER])
    weather = weather.sort_values(["time_hour", "origin"], ignore_index=True)
    weather.insert(1, "time", weather.pop("time_hour").dt.tz_convert("America/New_York"))
    weather["wind_speed"] = weather["wind_speed"].where(weather["wind_speed"] < 200)
    gaps = ["temp", "dewp", "humid", "wind_speed", "pressure"]
    weather[gaps] = weather.groupby("origin")[gaps].ffill()
    weather["wind_gust"] = weather["wind_gust"].fillna(weather["wind_speed"])
    return take_rows(weather, rows, seed)


def _with_weather(flights: pd.DataFrame, hours: int) -> pd.DataFrame:
    """The flights with the last observation of their airport until ``hours`` before; those without one are dropped."""
    weather = load_nyc_weather()
    asked = pd.to_datetime(flights[["month", "day", "hour"]].assign(year=2013)).dt.tz_localize("America/New_York")
    asked = (asked - pd.Timedelta(hours=hours)).astype(weather["time"].dtype)
    joined = pd.merge_asof(
        flights.assign(time=asked, place=range(len(flights))).sort_values("time", kind="stable"),
        weather,
        on="time",
        by="origin",
        tolerance=pd.Timedelta(hours=_STALE_AFTER),
    )
    joined = joined.dropna(subset=["temp"]).sort_values("place", ignore_index=True)
    return joined.drop(columns=["time", "place"])
