"""The arbitrary zone has the width and the coin flips that it promises."""

import time

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_arbitrary_zone


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    return load_arbitrary_zone(200_000, share=0.3, features=5, seed=1)


def test_the_zone_has_its_share_and_lies_in_the_middle(cases):
    assert cases["zone"].mean() == pytest.approx(0.3, abs=0.005)
    assert cases.loc[cases["zone"], "score"].abs().max() < cases.loc[~cases["zone"], "score"].abs().min()


def test_labels_are_coin_flips_inside_and_sides_outside(cases):
    inside, outside = cases[cases["zone"]], cases[~cases["zone"]]
    assert (outside["label"] == outside["side"]).all()
    assert (inside["label"] == inside["side"]).mean() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(inside["label"], inside["score"])[0, 1]) < 0.02


def test_the_score_is_standard_normal_and_the_features_make_it(cases):
    assert cases["score"].mean() == pytest.approx(0, abs=0.01)
    assert cases["score"].std() == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(cases.filter(regex=r"^x\d").sum(axis=1) / np.sqrt(5), cases["score"])
    assert ((cases["score"] > 0) == (cases["side"] == 1)).all()


@pytest.mark.parametrize(("share", "inside"), [(0, 0), (1, 1_000)])
def test_no_zone_and_nothing_but_zone(share, inside):
    assert load_arbitrary_zone(1_000, share=share)["zone"].sum() == inside


def test_the_seed_draws_the_cases_and_a_million_take_about_a_second():
    started = time.process_time()
    million = load_arbitrary_zone(1_000_000, features=4, seed=3)
    assert time.process_time() - started < 3
    few = load_arbitrary_zone(50, features=4, seed=3)
    pd.testing.assert_frame_equal(few, load_arbitrary_zone(50, features=4, seed=3))
    assert len(million) == 1_000_000
    assert not few.equals(load_arbitrary_zone(50, features=4, seed=4))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"rows": 0}, "rows must be a whole number from 1 to 5,000,000, not 0"),
        ({"rows": 1.5}, "rows must be"),
        ({"features": 0}, "features must be a whole number from 1 to 1,000, not 0"),
        ({"share": -0.1}, "share must be a number from 0 to 1, not -0.1"),
        ({"share": 2}, "share must be"),
        ({"share": "half"}, "share must be"),
    ],
)
def test_bad_input_is_one_clear_line(wrong, said):
    with pytest.raises(DataError, match=said):
        load_arbitrary_zone(**wrong)
