"""The orders are what their card says."""

import pandas as pd
import pytest

from mlcourse.datasets import load_cdnow


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return load_cdnow()


def test_orders_have_the_size_of_their_card_and_no_gaps(orders):
    assert orders.shape == (69_659, 4)
    assert not orders.isna().any(axis=None)
    assert orders["customer"].nunique() == 23_570
    assert orders.duplicated().sum() == 255
    assert (orders["dollars"] == 0).sum() == 80


def test_orders_are_sorted_and_of_the_eighteen_months(orders):
    assert orders[["customer", "date"]].apply(tuple, axis=1).is_monotonic_increasing
    assert orders["date"].agg(["min", "max"]).tolist() == [pd.Timestamp("1997-01-01"), pd.Timestamp("1998-06-30")]


def test_everybody_came_in_the_first_quarter(orders):
    assert orders.groupby("customer")["date"].min().max() == pd.Timestamp("1997-03-25")


def test_a_cd_costs_what_a_cd_cost(orders):
    paid = orders[orders["dollars"] > 0]
    assert 12 < (paid["dollars"] / paid["cds"]).median() < 16
