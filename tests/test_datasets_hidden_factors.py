import numpy as np
import pytest

from mlcourse.datasets import DataError, load_seasonal_sales


@pytest.fixture(scope="module")
def world():
    return load_seasonal_sales(200_000, seed=5, products=300, factors=4, noise=0.5)


def test_shapes_and_ranges(world):
    assert world.products.shape == (300, 4)
    assert world.weeks.shape == (52, 4)
    assert list(world.sales.columns) == ["product", "week", "sales", "expected"]
    assert len(world.sales) == 200_000
    assert set(world.sales["product"]) == set(range(300))
    assert set(world.sales["week"]) == set(range(52))


def test_expected_is_products_times_weeks(world):
    cells = world.expected[world.sales["product"], world.sales["week"]]
    np.testing.assert_allclose(world.sales["expected"], cells, atol=1e-12)


def test_weeks_are_orthogonal_waves_of_mean_square_one(world):
    np.testing.assert_allclose(world.weeks.T @ world.weeks / 52, np.eye(4), atol=1e-12)


def test_noise_has_the_promised_size_and_no_pattern(world):
    noise = world.sales["sales"] - world.sales["expected"]
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert np.corrcoef(noise, world.sales["expected"])[0, 1] == pytest.approx(0, abs=0.01)
    # Products vary, so that the variance of what is expected is 1 on average, not in every draw.
    assert world.expected.var() == pytest.approx(1, rel=0.2)


def test_no_product_average_gives_the_season_away(world):
    assert np.abs(world.expected.mean(axis=1)).max() < 1e-12


def test_the_peak_week_is_the_direction_of_the_factors():
    world = load_seasonal_sales(10, seed=1, products=50)
    direction = np.arctan2(world.products[:, 1], world.products[:, 0]) % (2 * np.pi)
    weeks_apart = np.abs(world.expected.argmax(axis=1) - direction / (2 * np.pi) * 52)
    assert (np.minimum(weeks_apart, 52 - weeks_apart) <= 0.5 + 1e-9).all()


def test_the_seed_fixes_everything():
    one, same, other = (load_seasonal_sales(100, seed=seed) for seed in (0, 0, 1))
    assert one.sales.equals(same.sales)
    assert np.array_equal(one.products, same.products)
    assert not one.sales.equals(other.sales)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rows": 0}, "rows must be a whole number from 1"),
        ({"products": -3}, "products must be a whole number from 1"),
        ({"rows": 2.5}, "rows must be a whole number from 1"),
        ({"factors": 3}, "factors must be 2, 4, 6, 8, 10 or 12"),
        ({"factors": True}, "factors must be 2, 4, 6, 8, 10 or 12"),
        ({"noise": -0.1}, "noise must be a number from 0"),
        ({"noise": float("nan")}, "noise must be a number from 0"),
    ],
)
def test_wrong_input_is_refused_in_one_line(wrong, message):
    with pytest.raises(DataError, match=message) as error:
        load_seasonal_sales(**wrong)
    assert "\n" not in str(error.value)
