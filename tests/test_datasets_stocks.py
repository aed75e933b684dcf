"""The prices of five shares are what their docstring promises."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_stocks


@pytest.fixture(scope="module")
def stocks() -> pd.DataFrame:
    return load_stocks()


def test_rows_and_columns(stocks: pd.DataFrame) -> None:
    assert list(stocks) == ["date", "ticker", "open", "high", "low", "close", "adjusted", "volume"]
    assert len(stocks) == 12_154
    assert not stocks.isna().any().any()
    assert stocks["ticker"].value_counts().to_dict() == {
        "AAPL": 3270,
        "IBM": 3270,
        "MSFT": 3270,
        "GOOG": 2148,
        "FB": 196,
    }


def test_one_row_a_share_and_day_in_order_of_time(stocks: pd.DataFrame) -> None:
    assert not stocks.duplicated(["date", "ticker"]).any()
    assert stocks["date"].is_monotonic_increasing
    assert stocks["date"].dtype == "datetime64[ns]"
    assert stocks["date"].agg(["min", "max"]).tolist() == [pd.Timestamp("2000-03-01"), pd.Timestamp("2013-03-01")]
    assert stocks["date"].dt.dayofweek.max() == 4


def test_prices_lie_between_the_days_low_and_high(stocks: pd.DataFrame) -> None:
    for name in ("open", "close"):
        assert stocks[name].between(stocks["low"], stocks["high"]).all()
    assert (stocks[["low", "adjusted", "volume"]] > 0).all().all()


def test_the_adjusted_close_has_no_jump_at_a_split(stocks: pd.DataFrame) -> None:
    apple = stocks[stocks["ticker"] == "AAPL"].set_index("date")
    change = np.log(apple[["close", "adjusted"]]).diff().loc["2005-02-28"]  # two shares for one
    assert change["close"] < -0.6
    assert abs(change["adjusted"]) < 0.05


def test_the_adjusted_close_knows_a_split_of_the_year_after(stocks: pd.DataFrame) -> None:
    google = stocks[stocks["ticker"] == "GOOG"]
    assert np.allclose(google["close"] / google["adjusted"], 2, atol=0.02)


def test_a_sample_keeps_the_order_and_is_reproducible(stocks: pd.DataFrame) -> None:
    sample = load_stocks(500, seed=2)
    assert len(sample) == 500
    assert sample["date"].is_monotonic_increasing
    pd.testing.assert_frame_equal(sample, load_stocks(500, seed=2))
    assert not sample.equals(load_stocks(500, seed=3))


@pytest.mark.parametrize("rows", [0, -1, 12_155, 2.5, True, "all"])
def test_wrong_number_of_rows_ends_in_one_line(rows: object) -> None:
    with pytest.raises(DataError, match=r"^rows must be a whole number from 1 to 12,154"):
        load_stocks(rows)
