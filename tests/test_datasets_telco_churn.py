"""The customers are what their card says."""

import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_telco_churn


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return load_telco_churn()


def test_customers_have_the_size_of_their_card_and_no_gaps(customers):
    assert customers.shape == (7_043, 20)
    assert not customers.isna().any(axis=None)
    assert customers["churn"].sum() == 1_869


def test_months_are_counted_and_charges_are_dollars(customers):
    assert customers["tenure"].between(0, 72).all()
    assert customers["monthly_charges"].between(18, 119).all()
    new = customers["tenure"] == 0
    assert new.sum() == 11
    assert (customers["total_charges"][new] == 0).all()
    # What was charged in all is about months times the present bill.
    share = customers["total_charges"][~new] / (customers["tenure"] * customers["monthly_charges"])[~new]
    assert share.between(0.5, 2).all()


def test_a_longer_contract_keeps_customers(customers):
    left = customers.groupby("contract")["churn"].mean()
    assert left["Month-to-month"] > 3 * left["One year"] > 9 * left["Two year"]


def test_rows_are_drawn_by_the_seed(customers):
    few = load_telco_churn(rows=100, seed=1)
    assert few.shape == (100, 20)
    pd.testing.assert_frame_equal(few, load_telco_churn(rows=100, seed=1))
    assert not few.equals(load_telco_churn(rows=100, seed=2))


@pytest.mark.parametrize("rows", [0, 7_044, 1.5, True])
def test_a_wrong_number_of_rows_ends_in_one_clear_line(rows):
    with pytest.raises(DataError, match="from 1 to 7,043"):
        load_telco_churn(rows=rows)
