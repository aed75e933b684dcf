"""The flights from New York are what their docstring promises."""

import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_nyc_flights


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
