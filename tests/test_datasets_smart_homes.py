"""The simulated homes obey the physics that their docstring states."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import DataError, load_nyc_weather, load_smart_homes


@pytest.fixture(scope="module")
def homes() -> pd.DataFrame:
    return load_smart_homes(12)


def test_rows_and_columns(homes: pd.DataFrame) -> None:
    columns = "home time outdoor humidity wind indoor use heating appliances car"
    assert list(homes) == columns.split()
    assert not homes.isna().any().any()
    assert (homes.groupby("home").size() == len(homes) // 12).all()
    assert (homes.groupby("home")["time"].diff().dropna() == pd.Timedelta("1h")).all()


def test_each_home_has_its_airports_weather(homes: pd.DataFrame) -> None:
    weather = load_nyc_weather()
    for home, airport in enumerate(["EWR", "JFK", "LGA"]):
        real = weather[weather["origin"] == airport].drop_duplicates("time").set_index("time")["temp"]
        mine = homes[homes["home"] == home].set_index("time")["outdoor"]
        np.testing.assert_allclose(mine.loc[real.index] * 1.8 + 32, real, atol=1e-9)


def test_use_is_the_sum_of_its_parts(homes: pd.DataFrame) -> None:
    parts = homes[["heating", "appliances", "car"]]
    assert (parts >= 0).all().all()
    np.testing.assert_allclose(parts.sum(axis=1), homes["use"])
    assert homes["use"].between(0.05, 30).all()


def test_homes_stay_habitable_and_heat_when_it_is_cold(homes: pd.DataFrame) -> None:
    assert homes["indoor"].between(12, 30).all()
    heating = homes.groupby(homes["time"].dt.month)["heating"].mean()
    assert heating[1] > 3 * heating[5]  # winter against spring
    assert heating[7] > 1.5 * heating[10]  # the same pump cools in summer


def test_a_car_is_charged_for_hours_and_not_every_day(homes: pd.DataFrame) -> None:
    by_home = homes.groupby("home")["car"]
    has = by_home.sum() > 0
    assert 0 < has.sum() < 12
    days = homes[homes["car"] > 0].groupby("home")["time"].agg(lambda t: t.dt.dayofyear.nunique())
    assert (days < 300).all()
    assert homes["car"].max() <= 3.7


def test_the_seed_decides_all(homes: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(homes, load_smart_homes(12))
    assert not homes["use"].equals(load_smart_homes(12, seed=1)["use"])


@pytest.mark.parametrize("count", [0, -1, 1_001, 2.5, True, "all"])
def test_wrong_number_of_homes_ends_in_one_line(count: object) -> None:
    with pytest.raises(DataError, match=r"^homes must be a whole number from 1 to 1000"):
        load_smart_homes(count)
