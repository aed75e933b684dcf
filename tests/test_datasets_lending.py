"""The loans are what their card says."""

import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_lending_club


@pytest.fixture(scope="module")
def loans() -> pd.DataFrame:
    return load_lending_club()


def test_loans_have_the_size_of_their_card_and_no_gaps(loans):
    assert loans.shape == (9_857, 23)
    assert not loans.isna().any(axis=None)
    assert loans["bad"].sum() == 517


def test_rates_are_per_cent_and_grades_are_ordered_by_them(loans):
    assert loans["int_rate"].between(5, 31).all()
    rate = loans.groupby(loans["sub_grade"].str[0])["int_rate"].mean()
    assert rate.is_monotonic_increasing
    assert list(rate.index) == list("ABCDEFG")


def test_rows_are_drawn_by_the_seed(loans):
    few = load_lending_club(rows=100, seed=1)
    assert few.shape == (100, 23)
    pd.testing.assert_frame_equal(few, load_lending_club(rows=100, seed=1))
    assert not few.equals(load_lending_club(rows=100, seed=2))


@pytest.mark.parametrize("rows", [0, 9_858, 1.5, True])
def test_a_wrong_number_of_rows_ends_in_one_clear_line(rows):
    with pytest.raises(DataError, match="from 1 to 9,857"):
        load_lending_club(rows=rows)
