"""The flights from New York are what their docstring promises."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_nyc_arrivals, load_nyc_flights, load_nyc_weather
from mlcourse.datasets.files import data_path

WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return load_nyc_flights()


def test_rows_and_columns(flights: pd.DataFrame) -> None:
    columns = "month day hour carrier flight tailnum origin dest distance arr_delay late"
    assert list(flights) == columns.split()
    assert len(flights) == 58_310
    assert not flights.isna().any().any()


def test_in_order_of_time(flights: pd.DataFrame) -> None:
    assert (flights["month"] * 100 + flights["day"]).is_monotonic_increasing


def test_late_means_more_than_fifteen_minutes(flights: pd.DataFrame) -> None:
    assert flights["late"].isin([0, 1]).all()
    assert flights.loc[flights["late"] == 1, "arr_delay"].min() == 16
    assert flights.loc[flights["late"] == 0, "arr_delay"].max() == 15
    assert 0.22 < flights["late"].mean() < 0.26


def test_later_months_bring_planes_that_earlier_ones_have_not_seen(flights: pd.DataFrame) -> None:
    known = set(flights.loc[flights["month"] < 10, "tailnum"])
    later = set(flights.loc[flights["month"] >= 10, "tailnum"])
    assert len(known) > 3_000
    assert 50 < len(later - known) < 300


def test_a_sample_keeps_the_order_and_is_reproducible(flights: pd.DataFrame) -> None:
    sample = load_nyc_flights(500, seed=2)
    assert len(sample) == 500
    assert sample.index.tolist() == list(range(500))
    assert (sample["month"] * 100 + sample["day"]).is_monotonic_increasing
    pd.testing.assert_frame_equal(sample, load_nyc_flights(500, seed=2))
    assert not sample.equals(load_nyc_flights(500, seed=3))


@pytest.mark.parametrize("rows", [0, -1, 58_311, 2.5, True, "all"])
def test_wrong_number_of_rows_ends_in_one_line(rows: object) -> None:
    with pytest.raises(DataError, match=r"^rows must be a whole number from 1 to 58,310"):
        load_nyc_flights(rows)


def test_flights_that_never_arrived_come_on_request_and_count_as_late(flights: pd.DataFrame) -> None:
    everyone = load_nyc_flights(cancelled=True)
    lost = everyone["arr_delay"].isna()
    assert len(everyone) == 60_000
    assert (everyone.loc[lost, "late"] == 1).all()
    pd.testing.assert_frame_equal(everyone[~lost].reset_index(drop=True), flights)


@pytest.fixture(scope="module")
def weather() -> pd.DataFrame:
    return load_nyc_weather()


def test_weather_is_hourly_and_without_gaps_but_in_the_wind_direction(weather: pd.DataFrame) -> None:
    assert list(weather) == ["origin", "time", *WEATHER]
    assert len(weather) == 26_115
    assert weather["time"].is_monotonic_increasing
    assert not weather.duplicated(["origin", "time"]).any()
    assert not weather.drop(columns="wind_dir").isna().any(axis=None)
    assert 0 < weather["wind_dir"].isna().mean() < 0.05


def test_weather_has_its_units(weather: pd.DataFrame) -> None:
    assert weather["temp"].between(5, 105).all()  # degrees Fahrenheit
    assert (weather["dewp"] <= weather["temp"] + 0.1).mean() > 0.99
    assert weather["humid"].between(0, 100).all()
    assert weather["wind_dir"].dropna().between(0, 360).all()
    assert weather["wind_speed"].between(0, 60).all()  # miles an hour, without the impossible one
    assert (weather["wind_gust"] >= weather["wind_speed"]).mean() > 0.99
    assert weather["precip"].between(0, 2).all()  # inches
    assert weather["pressure"].between(950, 1_060).all()
    assert weather["visib"].between(0, 10).all()


def test_gaps_are_filled_from_the_past(weather: pd.DataFrame) -> None:
    stored = pd.read_parquet(data_path("nyc_weather_hourly.parquet"))
    for airport in ("EWR", "JFK", "LGA"):
        raw = stored[stored["origin"] == airport].sort_values("time_hour")["pressure"].to_numpy()
        filled = weather.loc[weather["origin"] == airport, "pressure"].to_numpy()
        gaps = np.flatnonzero(np.isnan(raw))
        assert len(gaps) > 500
        assert (filled[gaps] == filled[gaps - 1]).all()
        assert (filled == raw)[~np.isnan(raw)].all()


@pytest.mark.parametrize("hours", [0, 3])
def test_a_flight_gets_the_weather_of_its_airport_and_hour(weather: pd.DataFrame, hours: int) -> None:
    joined = load_nyc_flights(weather=hours)
    assert list(joined)[-len(WEATHER) :] == WEATHER
    assert not joined.drop(columns="wind_dir").isna().any(axis=None)
    assert 58_000 < len(joined) < 58_310
    flight = joined.iloc[31_234]
    when = pd.Timestamp(2013, flight["month"], flight["day"], flight["hour"], tz="America/New_York")
    seen = weather[(weather["origin"] == flight["origin"]) & (weather["time"] == when - pd.Timedelta(hours=hours))]
    assert len(seen) == 1
    assert seen[WEATHER].iloc[0].to_dict() == flight[WEATHER].to_dict()


def test_the_weather_changes_no_flight(flights: pd.DataFrame) -> None:
    joined = load_nyc_flights(weather=0)
    covered = (flights["month"] < 12) | (flights["day"] < 30)
    assert (joined["month"] * 100 + joined["day"]).is_monotonic_increasing
    pd.testing.assert_frame_equal(joined[list(flights)].iloc[: covered.sum()], flights[covered])


@pytest.mark.parametrize("hours", [-1, 49, 1.5, True, "now"])
def test_wrong_hours_end_in_one_line(hours: object) -> None:
    with pytest.raises(DataError, match=r"^weather must be a whole number of hours from 0 to 48, or None, not"):
        load_nyc_flights(weather=hours)


@pytest.fixture(scope="module")
def arrivals() -> pd.DataFrame:
    return load_nyc_arrivals()


def test_arrivals_are_the_flights_in_order_of_landing(arrivals: pd.DataFrame, flights: pd.DataFrame) -> None:
    assert list(arrivals) == ["origin", "dest", "carrier", "departs", "due", "landed", "delay", "late"]
    assert arrivals["landed"].is_monotonic_increasing
    assert not arrivals["due"].is_monotonic_increasing
    assert not arrivals.isna().any().any()
    assert sorted(arrivals["delay"]) == sorted(flights["arr_delay"])
    assert arrivals["late"].sum() == flights["late"].sum()
    assert (arrivals["landed"] - arrivals["due"] == pd.to_timedelta(arrivals["delay"], unit="min")).all()


def test_an_arrival_is_in_new_yorks_clock(arrivals: pd.DataFrame) -> None:
    assert {str(arrivals[name].dt.tz) for name in ("departs", "due", "landed")} == {"America/New_York"}
    planned = (arrivals["due"] - arrivals["departs"]).dt.total_seconds() / 60
    assert planned.between(45, 780).all()
    summer = arrivals["departs"].dt.month.between(4, 10)
    for dest, least, most in (("BOS", 45, 120), ("ORD", 120, 210), ("LAX", 300, 420), ("HNL", 540, 700)):
        assert planned[summer & (arrivals["dest"] == dest)].between(least, most).all(), dest


def test_a_sample_of_arrivals_keeps_the_order(arrivals: pd.DataFrame) -> None:
    sample = load_nyc_arrivals(500, seed=2)
    assert len(sample) == 500
    assert sample["landed"].is_monotonic_increasing
    pd.testing.assert_frame_equal(sample, load_nyc_arrivals(500, seed=2))
    with pytest.raises(DataError, match=r"^rows must be a whole number from 1 to 58,310"):
        load_nyc_arrivals(0)
