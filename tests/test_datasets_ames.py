"""The Ames houses are what their card says."""

import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_ames_housing


@pytest.fixture(scope="module")
def houses() -> pd.DataFrame:
    return load_ames_housing()


def test_houses_have_the_size_of_their_card_and_no_gaps(houses):
    assert houses.shape == (2_930, 74)
    assert not houses.isna().any(axis=None)


def test_units_are_dollars_square_feet_years_and_degrees(houses):
    assert houses["Sale_Price"].between(10_000, 800_000).all()
    assert houses["Lot_Area"].between(1_000, 250_000).all()
    assert houses["Year_Built"].between(1870, 2010).all()
    assert (houses["Year_Sold"] >= houses["Year_Built"] - 1).all()
    assert houses["Latitude"].between(41.9, 42.1).all()
    assert houses["Longitude"].between(-93.8, -93.5).all()


def test_neighbourhoods_are_names_without_an_order(houses):
    assert houses["Neighborhood"].nunique() == 28
    assert houses["Neighborhood"].map(type).eq(str).all()


def test_rows_are_drawn_by_the_seed(houses):
    few = load_ames_housing(rows=100, seed=1)
    assert few.shape == (100, 74)
    pd.testing.assert_frame_equal(few, load_ames_housing(rows=100, seed=1))
    assert not few.equals(load_ames_housing(rows=100, seed=2))
    assert set(few["Sale_Price"]) <= set(houses["Sale_Price"])


@pytest.mark.parametrize("rows", [0, 2_931, 1.5, True])
def test_a_wrong_number_of_rows_ends_in_one_clear_line(rows):
    with pytest.raises(DataError, match="from 1 to 2,930"):
        load_ames_housing(rows=rows)
