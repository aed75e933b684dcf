"""The simulated milling machine obeys the rules that its docstring states."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import FAILURE_CAUSES, DataError, load_equipment_failures


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return load_equipment_failures(200_000, seed=3)


def test_rows_and_columns(table: pd.DataFrame) -> None:
    measured = ["quality", "air", "process", "torque", "speed", "wear"]
    assert list(table) == [*measured, "failure", "cause", *FAILURE_CAUSES]
    assert len(table) == 200_000
    assert not table.isna().any().any()


def test_sensors_are_spread_as_promised(table: pd.DataFrame) -> None:
    shares = table["quality"].value_counts(normalize=True)
    assert shares[["low", "medium", "high"]].to_list() == pytest.approx([0.5, 0.3, 0.2], abs=0.01)
    for column, mean, deviation in [("air", 300, 2), ("torque", 40, 10)]:
        assert table[column].mean() == pytest.approx(mean, abs=0.1)
        assert table[column].std() == pytest.approx(deviation, rel=0.05)
    difference = table["process"] - table["air"]
    assert difference.mean() == pytest.approx(10, abs=0.05)
    assert difference.std() == pytest.approx(1, rel=0.05)
    assert table["torque"].min() >= 3
    noise = table["speed"] - 1_500 * (40 / table["torque"]) ** 0.4
    assert noise.mean() == pytest.approx(0, abs=1)
    assert noise.std() == pytest.approx(40, rel=0.05)
    assert table["air"].autocorr() == pytest.approx(0.99, abs=0.005)


def test_a_tool_wears_with_each_product_until_it_is_replaced(table: pd.DataFrame) -> None:
    wear = table["wear"].to_numpy()
    adds = table["quality"].map({"low": 2, "medium": 3, "high": 5}).to_numpy()
    new = wear == 0
    assert new[0]
    assert (np.diff(wear)[~new[1:]] == adds[:-1][~new[1:]]).all()
    ends = wear[np.flatnonzero(new[1:])]
    assert ends.min() >= 200
    assert ends.max() < 245  # the last product may outlast the tool's end
    used_up = np.r_[new[1:], False]
    assert not table["tool wear"].to_numpy()[~used_up].any()
    assert table["tool wear"].to_numpy()[used_up].mean() == pytest.approx(51 / 120, abs=0.03)


def test_each_way_to_fail_has_its_rule(table: pd.DataFrame) -> None:
    heat = ((table["process"] - table["air"]).round(1) < 8.6) & (table["speed"] < 1_380)
    assert (table["heat"] == heat).all()
    power = table["torque"] * table["speed"] * 2 * np.pi / 60
    assert (table["power"] == (power < 3_500) | (power > 9_000)).all()
    limit = table["quality"].map({"low": 11_000, "medium": 12_000, "high": 13_000})
    assert (table["overstrain"] == ((table["wear"] * table["torque"]).round(1) > limit)).all()
    assert table["random"].mean() == pytest.approx(0.001, abs=0.0004)


def test_failure_and_cause_agree_with_the_ways_to_fail(table: pd.DataFrame) -> None:
    modes = table[list(FAILURE_CAUSES)]
    assert (table["failure"] == modes.max(axis=1)).all()
    assert (table["cause"] == modes.idxmax(axis=1).where(table["failure"] == 1, "none")).all()
    assert set(table["cause"]) == {"none", *FAILURE_CAUSES}


def test_the_share_of_failures_does_not_depend_on_the_number_of_rows() -> None:
    for rows in (20_000, 400_000):
        shares = [load_equipment_failures(rows, seed=seed)["failure"].mean() for seed in range(3)]
        assert np.mean(shares) == pytest.approx(0.038, abs=0.004)


def test_the_seed_decides_all() -> None:
    one = load_equipment_failures(1_000, seed=5)
    pd.testing.assert_frame_equal(one, load_equipment_failures(1_000, seed=5))
    assert not one.equals(load_equipment_failures(1_000, seed=6))
    assert len(load_equipment_failures(1)) == 1


@pytest.mark.parametrize("wrong", [0, -1, 5_000_001, 2.5, True, "all"])
def test_a_wrong_number_of_rows_ends_in_one_line(wrong: object) -> None:
    with pytest.raises(DataError, match=r"^rows must be a whole number from 1 to 5,000,000, not "):
        load_equipment_failures(wrong)
