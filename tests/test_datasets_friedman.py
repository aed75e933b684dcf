"""Friedman's curve: the truth that it promises."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_friedman1

from mlcourse.datasets import DataError, load_friedman


@pytest.fixture(scope="module")
def curve() -> pd.DataFrame:
    return load_friedman(400_000, seed=3, noise=2.0)


def test_columns_and_ranges(curve):
    names = [f"x{number}" for number in range(1, 11)]
    assert list(curve.columns) == [*names, "y", "expected"]
    assert list(load_friedman(3, inputs=6).columns) == [*names[:6], "y", "expected"]
    assert curve[names].min().min() >= 0
    assert curve[names].max().max() < 1
    np.testing.assert_allclose(curve[names].mean(), 0.5, atol=0.003)
    np.testing.assert_allclose(curve[names].corr(), np.eye(10), atol=0.01)


def test_expected_is_the_published_curve(curve):
    # scikit-learn has the same model, but does not return its truth beside noisy answers.
    inputs, answers = make_friedman1(50, n_features=7, noise=0.0, random_state=1)
    ours = 10 * np.sin(np.pi * inputs[:, 0] * inputs[:, 1]) + 20 * (inputs[:, 2] - 0.5) ** 2
    np.testing.assert_allclose(answers, ours + 10 * inputs[:, 3] + 5 * inputs[:, 4])
    x = curve.filter(regex="^x").to_numpy()
    truth = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    np.testing.assert_allclose(curve["expected"], truth)


def test_noise_has_the_promised_size_and_no_pattern(curve):
    noise = curve["y"] - curve["expected"]
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.std() == pytest.approx(2, rel=0.01)
    assert curve.filter(regex="^x").corrwith(noise).abs().max() < 0.01
    assert np.corrcoef(noise, curve["expected"])[0, 1] == pytest.approx(0, abs=0.01)
    silent = load_friedman(100, noise=0)
    assert silent["y"].equals(silent["expected"].rename("y"))


def test_mean_and_spread_are_those_of_the_docstring(curve):
    assert curve["expected"].mean() == pytest.approx(14.41, abs=0.03)
    assert curve["expected"].std() == pytest.approx(4.88, abs=0.02)


def test_inputs_after_the_fifth_say_nothing(curve):
    correlation = curve.filter(regex="^x").corrwith(curve["expected"]).abs()
    assert correlation[["x1", "x2", "x4", "x5"]].min() > 0.2
    assert curve["expected"].corr((curve["x3"] - 0.5) ** 2) > 0.2
    assert correlation["x6":].max() < 0.01


def test_a_seed_gives_the_same_rows_again():
    assert load_friedman(500, seed=1).equals(load_friedman(500, seed=1))
    assert not load_friedman(500, seed=1).equals(load_friedman(500, seed=2))
    assert len(load_friedman(1)) == 1


def test_a_million_rows_take_seconds_at_most():
    begin = time.process_time()
    load_friedman(1_000_000)
    assert time.process_time() - begin < 5  # a third of a second on an idle machine


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be a whole number from 1 to 20,000,000, not 0"),
        ({"rows": 2.5}, "rows must be a whole number from 1"),
        ({"rows": True}, "rows must be a whole number from 1"),
        ({"inputs": 4}, "inputs must be a whole number from 5 to 100, not 4"),
        ({"inputs": "ten"}, "inputs must be a whole number from 5"),
        ({"noise": -0.1}, "noise must be a number from 0"),
        ({"noise": float("nan")}, "noise must be a number from 0"),
        ({"noise": None}, "noise must be a number from 0"),
    ],
)
def test_wrong_input_is_refused_in_one_line(wrong, message):
    with pytest.raises(DataError, match=message) as error:
        load_friedman(**wrong)
    assert "\n" not in str(error.value)
