"""The pictures of clothes are those that their card describes."""

import numpy as np
import pytest

from mlcourse.datasets import FASHION_KINDS, DataError, load_fashion_mnist


def test_all_pictures_have_their_shape_and_every_kind_is_as_frequent():
    pictures, kinds = load_fashion_mnist()
    assert pictures.shape == (6_000, 28, 28)
    assert pictures.dtype == np.uint8
    assert np.bincount(kinds).tolist() == [600] * len(FASHION_KINDS)
    assert pictures.reshape(6_000, -1).std(axis=1).min() > 0, "an empty picture"


def test_names_and_pictures_belong_together():
    pictures, kinds = load_fashion_mnist()
    lit_rows = (pictures.max(axis=2) > 50).sum(axis=1)
    of = {name: lit_rows[kinds == number].mean() for number, name in enumerate(FASHION_KINDS)}
    assert of["sneaker"] < 15 < 25 < of["dress"], "sneakers are flat, dresses are tall"


def test_a_draw_is_repeatable_and_without_replacement():
    pictures, kinds = load_fashion_mnist(500, seed=3)
    again, same_kinds = load_fashion_mnist(500, seed=3)
    other, _ = load_fashion_mnist(500, seed=4)
    assert np.array_equal(pictures, again)
    assert np.array_equal(kinds, same_kinds)
    assert not np.array_equal(pictures, other)
    assert len(np.unique(pictures.reshape(500, -1), axis=0)) == 500


@pytest.mark.parametrize("rows", [0, -5, 6_001, 2.5, True, "all"])
def test_a_wrong_number_of_rows_is_named(rows):
    with pytest.raises(DataError, match="from 1 to 6,000"):
        load_fashion_mnist(rows)
