"""The simulated ad clicks keep what their docstring promises."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_ad_clicks
from mlcourse.datasets.ad_clicks import DEVICES, device_hour_effect


@pytest.fixture(scope="module")
def clicks() -> pd.DataFrame:
    return load_ad_clicks(120_000, seed=3)


def logit(probability: pd.Series) -> pd.Series:
    return np.log(probability / (1 - probability))


def ad_effect(clicks: pd.DataFrame) -> pd.Series:
    """The logit that is left when base, device and hour are taken away: the ad's own effect."""
    context = device_hour_effect().to_numpy()[clicks["hour"], clicks["device"].map(DEVICES.index)]
    return logit(clicks["probability"]) + 3 - context


def test_columns_order_and_range(clicks: pd.DataFrame) -> None:
    assert list(clicks) == ["day", "hour", "device", "ad", "click", "probability"]
    assert len(clicks) == 120_000
    assert (clicks["day"] * 24 + clicks["hour"]).is_monotonic_increasing
    assert set(clicks["day"]) == set(range(10))
    assert set(clicks["device"]) == set(DEVICES)
    assert clicks["ad"].str.fullmatch(r"ad[0-9a-f]{6}").all()
    assert clicks["probability"].between(0, 1, inclusive="neither").all()


def test_same_seed_same_rows_other_seed_other_rows(clicks: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(clicks, load_ad_clicks(120_000, seed=3))
    assert not clicks.equals(load_ad_clicks(120_000, seed=4))


def test_an_ad_has_one_effect_beside_device_and_hour(clicks: pd.DataFrame) -> None:
    spread = ad_effect(clicks).groupby(clicks["ad"]).agg(["min", "max"])
    assert (spread["max"] - spread["min"]).max() < 1e-9


def test_effects_of_ads_are_normal_with_the_promised_spread(clicks: pd.DataFrame) -> None:
    effect = ad_effect(clicks).groupby(clicks["ad"]).first()
    assert abs(effect.mean()) < 0.03
    assert effect.std() == pytest.approx(0.8, abs=0.03)


def test_clicks_follow_the_probability(clicks: pd.DataFrame) -> None:
    tenth = pd.qcut(clicks["probability"], 10)
    told = clicks.groupby(tenth, observed=True).agg(click=("click", "mean"), truth=("probability", "mean"))
    error = 4.5 * np.sqrt(told["truth"] / (len(clicks) / 10))
    assert ((told["click"] - told["truth"]).abs() < error).all()


def test_popularity_follows_zipf() -> None:
    shown = load_ad_clicks(200_000, seed=0, ids=1_000, exponent=1.05)["ad"].value_counts().to_numpy()
    assert shown[0] / shown[9] == pytest.approx(10**1.05, rel=0.1)
    assert shown[0] / shown[99] == pytest.approx(100**1.05, rel=0.2)
    equal = load_ad_clicks(200_000, seed=0, ids=1_000, exponent=0)["ad"].value_counts()
    assert len(equal) == 1_000
    assert equal.max() < 2 * equal.min()


def test_the_numbers_of_the_data_notes() -> None:
    shown = load_ad_clicks(300_000, seed=0)["ad"].value_counts()
    assert 49_000 < len(shown) < 53_000
    assert 32_000 < (shown == 1).sum() < 35_000


def test_churn_replaces_ads_at_the_promised_rate() -> None:
    steady = load_ad_clicks(50_000, seed=1, ids=200, exponent=0)
    assert steady["ad"].nunique() == 200
    moving = load_ad_clicks(50_000, seed=1, ids=200, exponent=0, churn=0.1)
    by_day = [set(ads) for _, ads in moving.groupby("day")["ad"]]
    kept = [len(today & tomorrow) / 200 for today, tomorrow in pairwise(by_day)]
    assert np.mean(kept) == pytest.approx(0.9, abs=0.03)
    assert all(len(ads) == 200 for ads in by_day)
    everything = load_ad_clicks(5_000, seed=1, ids=50, churn=1.0)
    assert len(everything[["ad", "day"]].drop_duplicates()) == everything["ad"].nunique()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0},
        {"rows": 1.5},
        {"rows": True},
        {"ids": 0},
        {"ids": 1_000_001},
        {"exponent": -0.1},
        {"exponent": "1"},
        {"churn": 1.1},
        {"churn": False},
    ],
)
def test_wrong_arguments_end_in_one_line(wrong: dict) -> None:
    with pytest.raises(DataError, match=f"^{next(iter(wrong))} must be a") as error:
        load_ad_clicks(**{"rows": 10, **wrong})
    assert "\n" not in str(error.value)


def test_one_row_and_one_ad_are_enough() -> None:
    assert len(load_ad_clicks(1, seed=0, ids=1)) == 1
