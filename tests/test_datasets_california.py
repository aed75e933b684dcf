"""The Californian census blocks: what the loader promises."""

import pytest

from mlcourse.datasets import DataError, load_california_blocks


def test_place_features_and_target_are_there_and_the_invented_columns_are_not():
    blocks = load_california_blocks()
    assert blocks.shape == (14_064, 9)
    assert not blocks.isna().any().any()
    assert not {"id", "timestamp", "part", "clf_target"} & set(blocks)
    assert set(blocks["target"]) == {0, 1}
    assert blocks["Latitude"].between(32.5, 42).all()
    assert blocks["Longitude"].between(-124.4, -114.1).all()


def test_latitude_and_longitude_are_strongly_correlated():
    # The page shows that this does not make their cross useless.
    blocks = load_california_blocks()
    assert blocks["Latitude"].corr(blocks["Longitude"]) < -0.9


def test_rows_are_drawn_by_seed():
    assert load_california_blocks(100, seed=1).equals(load_california_blocks(100, seed=1))
    assert not load_california_blocks(100, seed=1).equals(load_california_blocks(100, seed=2))
    with pytest.raises(DataError, match="from 1 to 14,064"):
        load_california_blocks(14_065)
