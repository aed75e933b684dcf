"""The simulated card payments keep the truth they promise, and their features do not look ahead."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import CardFraud, DataError, card_fraud_features, load_card_fraud
from mlcourse.datasets.card_fraud import AMOUNT_RULE, CAUSES, CUSTOMER_DAYS, STOLEN_FACTOR, TERMINAL_DAYS


@pytest.fixture(scope="module")
def world() -> CardFraud:
    return load_card_fraud(200_000, seed=3)


@pytest.fixture(scope="module")
def payments(world: CardFraud) -> pd.DataFrame:
    return world.payments


def open_incident(world: CardFraud, cause: str, column: str) -> np.ndarray:
    """For each payment, whether its terminal or customer was compromised on its day: a plain loop over incidents."""
    table = world.payments
    inside = np.zeros(len(table), bool)
    for incident in world.incidents[world.incidents["cause"] == cause].itertuples():
        inside |= (
            (table[column] == incident.place) & (table["day"] >= incident.first) & (table["day"] <= incident.last)
        ).to_numpy()
    return inside


def test_columns_order_and_range(payments: pd.DataFrame) -> None:
    assert list(payments) == ["day", "hour", "customer", "terminal", "amount", "fraud", "cause", "incident"]
    assert len(payments) == 200_000
    assert (payments["day"] * 24 + payments["hour"]).is_monotonic_increasing
    assert set(payments["day"]) == set(range(120))
    assert payments["hour"].between(0, 24, inclusive="left").all()
    assert payments["amount"].min() >= 0.01
    assert np.allclose(payments["amount"] * 100, (payments["amount"] * 100).round())
    assert set(payments["cause"]) == set(CAUSES)
    assert not payments.isna().any(axis=None)


def test_same_seed_same_rows_other_seed_other_rows(world: CardFraud) -> None:
    for table, again in zip(world, load_card_fraud(200_000, seed=3), strict=True):
        pd.testing.assert_frame_equal(table, again)
    assert not world.payments.equals(load_card_fraud(200_000, seed=4).payments)


def test_fraud_and_cause_say_the_same(payments: pd.DataFrame) -> None:
    assert ((payments["cause"] != "none") == (payments["fraud"] == 1)).all()
    assert (payments["cause"].isin(["terminal", "customer"]) == (payments["incident"] >= 0)).all()


def test_fraud_is_under_one_per_cent_whatever_the_size() -> None:
    # Twenty worlds of 100,000: the mean is known well, although each has few incidents.
    small = [load_card_fraud(100_000, seed=seed).payments for seed in range(20)]
    assert 0.0060 < np.mean([table["fraud"].mean() for table in small]) < 0.0080
    large = load_card_fraud(1_000_000, seed=0).payments
    assert 0.0060 < large["fraud"].mean() < 0.0080
    shares = large["cause"].value_counts(normalize=True)
    assert shares["terminal"] == pytest.approx(28 * 0.00015, rel=0.2)
    assert shares["customer"] == pytest.approx(14 * 0.0005 / 3, rel=0.2)
    # Stationary: the first ten days, which have no past in the table, have their share too.
    assert large.loc[large["day"] < 10, "fraud"].mean() > 0.004


def test_every_payment_above_the_rule_is_a_fraud(payments: pd.DataFrame) -> None:
    above = payments["amount"] > AMOUNT_RULE
    assert payments.loc[above, "fraud"].all()
    by_rule = payments[payments["cause"] == "amount"]
    assert (by_rule["amount"] > AMOUNT_RULE).all()
    assert 0 < len(by_rule) < above.sum()


def test_a_compromised_terminal_has_frauds_only_and_only_in_its_window(world: CardFraud) -> None:
    inside = open_incident(world, "terminal", "terminal")
    assert (inside == world.payments["cause"].isin(["terminal"]).to_numpy() | (
        inside & (world.payments["cause"] == "customer").to_numpy()
    )).all()  # fmt: skip
    assert world.payments.loc[inside, "fraud"].all()


def test_a_compromised_customer_loses_a_third_of_the_payments_in_the_window(world: CardFraud) -> None:
    inside = open_incident(world, "customer", "customer")
    stolen = (world.payments["cause"] == "customer").to_numpy()
    assert not (stolen & ~inside).any()
    error = 4.5 * np.sqrt(1 / 3 * 2 / 3 / inside.sum())
    assert stolen[inside].mean() == pytest.approx(1 / 3, abs=error)


def test_the_thief_pays_five_times_as_much(world: CardFraud) -> None:
    usual = world.customers["mean_amount"].to_numpy()[world.payments["customer"]]
    times = world.payments["amount"] / usual
    cause = world.payments["cause"]
    assert times[cause == "customer"].mean() == pytest.approx(STOLEN_FACTOR, rel=0.1)
    # A little above 1, because negative amounts are drawn again: Phi(2) + phi(2) / 2 + (1 - Phi(2)).
    assert times[cause == "none"].mean() == pytest.approx(1.027, rel=0.01)


def test_windows_have_the_promised_length_and_incidents_name_their_rows(world: CardFraud) -> None:
    lasting = world.incidents["last"] - world.incidents["first"] + 1
    assert set(lasting[world.incidents["cause"] == "terminal"]) == {TERMINAL_DAYS}
    assert set(lasting[world.incidents["cause"] == "customer"]) == {CUSTOMER_DAYS}
    hit = world.payments[world.payments["incident"] >= 0]
    told = world.incidents.loc[hit["incident"]].reset_index(drop=True)
    hit = hit.reset_index(drop=True)
    assert (told["cause"] == hit["cause"]).all()
    assert (told["place"] == hit["terminal"].where(hit["cause"] == "terminal", hit["customer"])).all()
    assert hit["day"].between(told["first"], told["last"]).all()


def test_customers_pay_near_home_at_their_own_rate(world: CardFraud) -> None:
    table, customers, terminals = world.payments, world.customers, world.terminals
    home = customers[["x", "y"]].to_numpy()[table["customer"]]
    place = terminals[["x", "y"]].to_numpy()[table["terminal"]]
    assert np.hypot(*(home - place).T).max() <= 5
    assert len(terminals) == 2 * len(customers)
    assert len(customers) == pytest.approx(200_000 / 240, abs=1)
    made = table["customer"].value_counts().reindex(range(len(customers)), fill_value=0) / 120
    assert made.corr(customers["payments_a_day"]) > 0.99


def test_no_fraud_without_causes() -> None:
    table = load_card_fraud(20_000, seed=0, terminal_rate=0, customer_rate=0).payments
    assert set(table["cause"]) <= {"none", "amount"}


@pytest.mark.parametrize("rows", [1, 2, 37])
def test_few_rows_are_enough(rows: int) -> None:
    table = load_card_fraud(rows, seed=1, days=3).payments
    assert len(table) == rows
    assert len(card_fraud_features(table)) == rows


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 0},
        {"rows": -5},
        {"rows": 1.5},
        {"rows": True},
        {"days": 0},
        {"days": "120"},
        {"terminal_rate": -0.1},
        {"terminal_rate": 1.5},
        {"terminal_rate": float("nan")},
        {"customer_rate": 0.5},
        {"customer_rate": False},
    ],
)
def test_wrong_arguments_end_in_one_line(wrong: dict) -> None:
    name, value = next(iter(wrong.items()))
    with pytest.raises(DataError, match=f"^{name} must be a .+ from [01] to .+, not ") as error:
        load_card_fraud(**{"rows": 10, **wrong})
    assert "\n" not in str(error.value)
    assert repr(value) in str(error.value)


# Features


@pytest.fixture(scope="module")
def features(payments: pd.DataFrame) -> pd.DataFrame:
    return card_fraud_features(payments)


def test_features_have_a_row_a_payment_and_no_gaps(payments: pd.DataFrame, features: pd.DataFrame) -> None:
    assert features.index.equals(payments.index)
    assert np.isfinite(features.to_numpy()).all()
    risk = features.filter(like="risk").to_numpy()
    assert risk.min() == 0
    assert risk.max() == 1
    assert not {"fraud", "cause", "incident"} & set(features)


def test_features_are_what_a_plain_loop_finds(payments: pd.DataFrame, features: pd.DataFrame) -> None:
    time = (payments["day"] + payments["hour"] / 24).to_numpy()
    for row in np.random.default_rng(0).integers(0, len(payments), 60):
        now = payments.iloc[row]
        earlier = np.arange(len(payments)) <= row
        ago = time[row] - time
        for window in (1, 7, 30):
            own = payments[earlier & (payments["customer"] == now["customer"]).to_numpy() & (ago < window)]
            there = payments[
                earlier
                & (payments["terminal"] == now["terminal"]).to_numpy()
                & (ago >= 7)
                & (ago < 7 + window)
            ]  # fmt: skip
            told = features.iloc[row]
            assert told[f"customer_count_{window}"] == len(own)
            assert told[f"customer_mean_{window}"] == pytest.approx(own["amount"].mean())
            assert told[f"customer_ratio_{window}"] == pytest.approx(now["amount"] / own["amount"].mean())
            assert told[f"terminal_count_{window}"] == len(there)
            assert told[f"terminal_risk_{window}"] == pytest.approx(there["fraud"].mean() if len(there) else 0)


def test_features_do_not_see_the_future(payments: pd.DataFrame, features: pd.DataFrame) -> None:
    day = 60
    until = payments["day"] < day
    pd.testing.assert_frame_equal(card_fraud_features(payments[until]), features[until])


def test_features_do_not_see_labels_that_are_not_known_yet(payments: pd.DataFrame, features: pd.DataFrame) -> None:
    day, delay = 60, 7
    changed = payments.copy()
    changed.loc[changed["day"] >= day - delay, "fraud"] = 1 - changed["fraud"]
    until = payments["day"] < day
    pd.testing.assert_frame_equal(card_fraud_features(changed)[until], features[until])
    later = payments["day"] >= day + 1
    assert not card_fraud_features(changed)[later].equals(features[later])


def test_features_do_not_use_the_truth(payments: pd.DataFrame, features: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(card_fraud_features(payments.drop(columns=["cause", "incident"])), features)


def test_risk_shows_a_compromised_terminal_once_labels_are_in(world: CardFraud, features: pd.DataFrame) -> None:
    lasted = world.incidents.loc[world.payments["incident"].clip(0), "first"].to_numpy()
    terminal = (world.payments["cause"] == "terminal").to_numpy()
    old = terminal & (world.payments["day"].to_numpy() - lasted >= 21) & (lasted >= 0)
    fresh = terminal & (world.payments["day"].to_numpy() - lasted < 7) & (lasted >= 0)
    assert features.loc[old, "terminal_risk_7"].mean() > 0.9
    assert features.loc[fresh, "terminal_risk_7"].mean() < 0.1


def test_payments_out_of_order_are_refused(payments: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"^payments must be in order of time$"):
        card_fraud_features(payments[:100][::-1])


@pytest.mark.parametrize("wrong", [{"windows": [0]}, {"windows": [1.5]}, {"delay": -1}, {"delay": True}])
def test_wrong_windows_end_in_one_line(payments: pd.DataFrame, wrong: dict) -> None:
    with pytest.raises(DataError, match=f"^{next(iter(wrong))} must be a whole number from [01] to 3,650, not "):
        card_fraud_features(payments[:10], **wrong)
