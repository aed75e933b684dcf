"""The simulated card payments keep the truth they promise, and their features do not look ahead."""

import numpy as np
import pandas as pd
import pytest

from mlcourse.datasets import CardFraud, DataError, card_fraud_features, load_card_fraud
from mlcourse.datasets.card_fraud import (
    AMOUNT_RULE,
    CAUSES,
    CUSTOMER_DAYS,
    DRIFT_AMOUNTS,
    DRIFT_RATE,
    DRIFTS,
    STOLEN_FACTOR,
    TERMINAL_DAYS,
)


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


# Drift

DRIFT_DAY = 70

# Euro cents, frauds, and the sum of the terminals' numbers.
WORLD_OF_SEED_0 = (115_363_034, 133, 1_635_446)


@pytest.fixture(
    scope="module", params=[(), ("inputs",), ("rate",), ("pattern",), DRIFTS], ids=lambda kinds: "+".join(kinds)
)
def drifted(request: pytest.FixtureRequest) -> tuple[tuple[str, ...], CardFraud]:
    return request.param, load_card_fraud(200_000, seed=3, drift=request.param, drift_day=DRIFT_DAY)


def test_nothing_changes_before_the_day_of_the_drift(world: CardFraud, drifted: tuple) -> None:
    kinds, other = drifted
    before = world.payments["day"] < DRIFT_DAY
    same = [column for column in world.payments if column != "incident"]  # incidents are numbered anew
    pd.testing.assert_frame_equal(other.payments.loc[before, same], world.payments.loc[before, same])
    pd.testing.assert_frame_equal(other.customers, world.customers)
    pd.testing.assert_frame_equal(other.terminals, world.terminals)
    early = world.incidents["first"] < DRIFT_DAY
    again = other.incidents[other.incidents["first"] < DRIFT_DAY]
    pd.testing.assert_frame_equal(again.reset_index(drop=True), world.incidents[early].reset_index(drop=True))
    assert other.payments.equals(world.payments) == (not kinds)


def test_a_drift_changes_what_it_says_and_nothing_else(world: CardFraud) -> None:
    table, late = world.payments, (world.payments["day"] >= DRIFT_DAY).to_numpy()

    inputs = load_card_fraud(200_000, seed=3, drift=["inputs"], drift_day=DRIFT_DAY).payments
    pd.testing.assert_frame_equal(inputs.drop(columns="hour"), table.drop(columns="hour"))
    assert (inputs.loc[late, "hour"] > table.loc[late, "hour"]).all()
    assert inputs["hour"].between(0, 24, inclusive="left").all()
    assert (inputs["day"] * 24 + inputs["hour"]).is_monotonic_increasing

    pattern = load_card_fraud(200_000, seed=3, drift=["pattern"], drift_day=DRIFT_DAY).payments
    pd.testing.assert_frame_equal(pattern.drop(columns="amount"), table.drop(columns="amount"))
    stolen = late & (table["cause"] == "customer").to_numpy()
    assert (pattern["amount"] != table["amount"]).to_numpy()[~stolen].sum() == 0
    assert pattern.loc[stolen, "amount"].between(*DRIFT_AMOUNTS).all()
    assert np.allclose(pattern["amount"] * 100, (pattern["amount"] * 100).round())

    rate = load_card_fraud(200_000, seed=3, drift=["rate"], drift_day=DRIFT_DAY).payments
    changes = rate["fraud"] != table["fraud"]
    assert rate.loc[changes, "fraud"].all()  # frauds are added, none goes
    pd.testing.assert_frame_equal(
        rate[["day", "hour", "customer", "terminal"]], table[["day", "hour", "customer", "terminal"]]
    )
    kept = ~changes & (rate["cause"] == table["cause"])
    assert (rate.loc[kept, "amount"] == table.loc[kept, "amount"]).all()


def test_incidents_become_as_frequent_as_promised() -> None:
    counts = np.zeros(2)
    for seed in range(10):
        plain, more = (
            load_card_fraud(100_000, seed=seed, drift=drift, drift_day=DRIFT_DAY).incidents for drift in ((), ("rate",))
        )
        counts += [(table["first"] >= DRIFT_DAY).sum() for table in (plain, more)]
        assert (more["cause"] == "customer").is_monotonic_increasing  # terminals first, as ever
        assert more.groupby("cause")["first"].is_monotonic_increasing.all()
    assert counts[1] / counts[0] == pytest.approx(DRIFT_RATE, rel=4 / np.sqrt(counts[0]))


def test_incidents_name_their_rows_also_after_a_drift() -> None:
    drifting = load_card_fraud(200_000, seed=3, drift=DRIFTS, drift_day=DRIFT_DAY)
    assert open_incident(drifting, "terminal", "terminal").sum() > 0
    hit = drifting.payments[drifting.payments["incident"] >= 0]
    told = drifting.incidents.loc[hit["incident"]].reset_index(drop=True)
    hit = hit.reset_index(drop=True)
    assert (told["cause"] == hit["cause"]).all()
    assert (told["place"] == hit["terminal"].where(hit["cause"] == "terminal", hit["customer"])).all()
    assert hit["day"].between(told["first"], told["last"]).all()


def test_without_a_drift_the_rows_are_those_they_have_always_been() -> None:
    # What the page on rebalancing says was measured on these rows: they may not change by a cent.
    table = load_card_fraud(20_000, seed=0).payments
    found = (round(100 * table["amount"].sum()), int(table["fraud"].sum()), int(table["terminal"].sum()))
    assert found == WORLD_OF_SEED_0


def test_a_drift_on_the_last_day_or_never_is_allowed() -> None:
    plain = load_card_fraud(1_000, seed=1, days=10).payments
    assert load_card_fraud(1_000, seed=1, days=10, drift=DRIFTS, drift_day=10).payments.equals(plain)
    assert len(load_card_fraud(1_000, seed=1, days=10, drift=DRIFTS, drift_day=0).payments) == 1_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"drift": ["season"]}, "drift must be a list of inputs, rate, pattern, not ['season']"),
        ({"drift": "inputs"}, "drift must be a list of inputs, rate, pattern, not 'inputs'"),
        ({"drift_day": -1}, "drift_day must be a whole number from 0 to 120, not -1"),
        ({"drift_day": 121}, "drift_day must be a whole number from 0 to 120, not 121"),
        ({"drift_day": 1.5}, "drift_day must be a whole number from 0 to 120, not 1.5"),
    ],
)
def test_a_wrong_drift_ends_in_one_line(wrong: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        load_card_fraud(10, **wrong)
    assert str(error.value) == message
