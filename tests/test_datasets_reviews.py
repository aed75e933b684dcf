import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_reviews


@pytest.fixture(scope="module")
def reviews():
    return load_reviews()


def test_every_sentence_was_scored_by_twenty_people(reviews):
    assert len(reviews) == 3_708
    assert (reviews[["negative", "neutral", "positive"]].sum(axis=1) == 20).all()
    assert reviews["rating"].between(-4, 4).all()
    assert (reviews["spread"] >= 0).all()
    assert not reviews.isna().any().any()


def test_signs_of_scores_agree_with_the_rating(reviews):
    assert (reviews.loc[reviews["negative"] == 20, "rating"] <= -1).all()
    assert (reviews.loc[reviews["positive"] == 20, "rating"] >= 1).all()
    assert (reviews.loc[reviews["neutral"] == 20, "rating"] == 0).all()


def test_review_is_the_id_before_the_underscore(reviews):
    assert reviews["review"].nunique() == 300
    assert not reviews["review"].str.contains("_").any()
    # The sentences of one review stand together in the file.
    assert (reviews["review"] != reviews["review"].shift()).sum() == 300


def test_rows_are_drawn_by_the_seed():
    few = load_reviews(50, seed=1)
    assert len(few) == 50
    pd.testing.assert_frame_equal(few, load_reviews(50, seed=1))
    assert not few["text"].equals(load_reviews(50, seed=2)["text"])


@pytest.mark.parametrize("rows", [0, -5, 3_709, 2.5, True])
def test_wrong_rows_are_refused(rows):
    with pytest.raises(DataError, match="rows must be a whole number from 1 to 3,708"):
        load_reviews(rows)
