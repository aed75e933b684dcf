"""The posts to two newsgroups are what their card says."""

import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_newsgroup_posts


@pytest.fixture(scope="module")
def posts():
    return load_newsgroup_posts()


def test_posts_have_the_size_of_their_card_and_no_gaps(posts):
    assert list(posts) == ["text", "part", "hockey"]
    assert len(posts) == 1_993
    assert not posts.isna().any(axis=None)
    assert not posts["text"].duplicated().any()


def test_both_groups_are_about_equal_in_both_parts(posts):
    assert posts["part"].value_counts().to_dict() == {"early": 1_197, "later": 796}
    assert posts.groupby("part")["hockey"].mean().between(0.49, 0.51).all()


def test_texts_are_lower_case_letters_and_name_their_sport_more_often(posts):
    assert posts["text"].str.fullmatch(r"[a-z ]+").all()
    named = posts["text"].str.contains("hockey").groupby(posts["hockey"]).mean()
    assert named[1] > 10 * named[0]


def test_rows_are_drawn_by_the_seed():
    few = load_newsgroup_posts(50, seed=1)
    assert len(few) == 50
    pd.testing.assert_frame_equal(few, load_newsgroup_posts(50, seed=1))
    assert not few["text"].equals(load_newsgroup_posts(50, seed=2)["text"])


@pytest.mark.parametrize("rows", [0, 1_994, 2.5, True])
def test_wrong_rows_are_refused(rows):
    with pytest.raises(DataError, match="rows must be a whole number from 1 to 1,993"):
        load_newsgroup_posts(rows)
