import numpy as np
import pytest

from mlcourse.datasets import DataError, load_glove


@pytest.fixture(scope="module")
def glove():
    return load_glove()


def cosine(glove, one, other):
    one, other = glove.loc[one].to_numpy(), glove.loc[other].to_numpy()
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


def test_one_row_a_word_in_order_of_frequency(glove):
    assert glove.shape == (20_000, 50)
    assert (glove.dtypes == np.float32).all()
    assert glove.index.is_unique
    assert list(glove.index[:3]) == ["the", ",", "."]
    assert np.isfinite(glove.to_numpy()).all()


def test_words_of_like_use_are_near(glove):
    assert cosine(glove, "camera", "cameras") > 0.8
    assert cosine(glove, "camera", "cameras") > cosine(glove, "camera", "monday") + 0.4


def test_rows_are_drawn_by_the_seed():
    assert load_glove(100, seed=3).equals(load_glove(100, seed=3))
    assert list(load_glove(100, seed=3).index) != list(load_glove(100, seed=4).index)


@pytest.mark.parametrize("rows", [0, 20_001, "all"])
def test_wrong_rows_are_refused(rows):
    with pytest.raises(DataError, match="rows must be a whole number from 1 to 20,000"):
        load_glove(rows)
