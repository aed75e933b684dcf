"""The simulated purchases: the truth that they promise."""

import numpy as np
import pytest

from mlcourse.datasets import DataError, load_purchases, purchase_cells


def test_neither_age_group_nor_category_alone_tells_anything():
    cells = purchase_cells()
    assert cells["share"].sum() == pytest.approx(1)
    assert cells["probability"].between(0.05, 0.95).all()
    for column in ("age_group", "category", "department"):
        bought = (cells["share"] * cells["probability"]).groupby(cells[column]).sum()
        assert np.allclose(bought / cells["share"].groupby(cells[column]).sum(), 0.40)
    assert cells["probability"].max() - cells["probability"].min() > 0.5


def test_every_pair_is_there_once_and_names_one_department():
    cells = purchase_cells()
    assert cells.shape == (72, 5)
    assert not cells.duplicated(["age_group", "category"]).any()
    assert (cells.groupby("category")["department"].nunique() == 1).all()
    assert cells["department"].nunique() == 4


def test_rows_follow_the_truth():
    offers = load_purchases(200_000, seed=3)
    seen = offers.groupby(["age_group", "category"]).agg(
        rows=("purchase", "size"), rate=("purchase", "mean"), probability=("probability", "first")
    )
    truth = purchase_cells().set_index(["age_group", "category"]).loc[seen.index]
    assert np.allclose(seen["probability"], truth["probability"])
    assert np.abs(seen["rows"] / 200_000 - truth["share"]).max() < 0.003
    errors = (seen["rate"] - truth["probability"]) / np.sqrt(
        truth["probability"] * (1 - truth["probability"]) / seen["rows"]
    )
    assert np.abs(errors).max() < 4.5
    assert 0.7 < errors.std() < 1.3


def test_device_and_weekday_change_nothing():
    offers = load_purchases(200_000, seed=4)
    surplus = offers["purchase"] - offers["probability"]
    for column in ("device", "weekday"):
        assert surplus.groupby(offers[column]).mean().abs().max() < 0.015


def test_a_seed_gives_the_same_rows_again():
    assert load_purchases(500, seed=1).equals(load_purchases(500, seed=1))
    assert not load_purchases(500, seed=1).equals(load_purchases(500, seed=2))
    assert list(load_purchases(1)) == [
        "age_group",
        "category",
        "department",
        "device",
        "weekday",
        "purchase",
        "probability",
    ]


@pytest.mark.parametrize("rows", [0, -5, 2.0, True, "many", 20_000_001])
def test_a_wrong_number_of_rows_is_named(rows):
    with pytest.raises(DataError, match="from 1 to 20,000,000"):
        load_purchases(rows)
