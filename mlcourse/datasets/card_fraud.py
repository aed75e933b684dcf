"""Simulated card payments with three kinds of fraud, each with a known cause, and the features a practitioner makes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.special import ndtr, ndtri

from mlcourse.datasets.files import DataError

CAUSES = ("none", "amount", "terminal", "customer")

# Above this amount, in euros, every payment is a fraud: the rule of the first kind.
AMOUNT_RULE = 220.0

# How long a terminal and a customer stay compromised, in days.
TERMINAL_DAYS, CUSTOMER_DAYS = 28, 14

# Of a compromised customer's payments, this share are the thief's, and they are this many times as large.
STOLEN_SHARE, STOLEN_FACTOR = 1 / 3, 5.0

# What may change on the day of the drift, and how much: the day runs later (the power of its share that has passed),
# incidents become this many times as frequent, thieves pay an amount between these, in euros.
DRIFTS = ("inputs", "rate", "pattern")
DRIFT_LATER, DRIFT_RATE, DRIFT_AMOUNTS = 0.6, 2.0, (1.0, 2.0)

# A customer makes 0 to 4 payments a day, on average 2, at terminals within this many kilometres of home.
_MOST_A_DAY, _REACH = 4.0, 5.0

# There are two terminals a customer, one a square kilometre.
_TERMINALS_A_CUSTOMER = 2

# Payments fall around noon (hours).
_NOON, _HOURS_SPREAD = 12.0, 20_000 / 3_600


class CardFraud(NamedTuple):
    """Simulated card payments and the truth behind them.

    Attributes
    ----------
    payments
        One row a payment, in order of time: ``day`` (whole, from 0), ``hour`` (0 to 24, with fraction), ``customer``
        and ``terminal`` (whole numbers, the row in their table), ``amount`` (euros), ``fraud`` (0 or 1), and the
        truth that no model may use: ``cause`` (none, amount, terminal or customer) and ``incident`` (the row in
        ``incidents`` that caused the fraud, -1 for other rows).
    customers
        One row a customer: ``x``, ``y`` (home, km), ``mean_amount`` (euros), ``payments_a_day``.
    terminals
        One row a terminal: ``x``, ``y`` (km).
    incidents
        One row a time that a terminal or a customer is compromised: ``cause`` (terminal or customer), ``place`` (which
        one), ``first`` and ``last`` (days, both included; the first may lie before day 0, the last after the end).
    """

    payments: pd.DataFrame
    customers: pd.DataFrame
    terminals: pd.DataFrame
    incidents: pd.DataFrame


def load_card_fraud(
    rows: int = 300_000,
    seed: int = 0,
    *,
    days: int = 120,
    terminal_rate: float = 0.00015,
    customer_rate: float = 0.0005,
    drift: Collection[str] = (),
    drift_day: int = 0,
) -> CardFraud:
    """Simulate card payments of customers at terminals on a map, under 1 % of them fraud, with the cause of each.

    The model is that of Le Borgne, Siblini, Lebichot and Bontempi, *Reproducible Machine Learning for Credit Card
    Fraud Detection* (2022), written anew. A customer has a home, a mean amount (5 to 100 euros) and a mean number of
    payments a day (0 to 4), all uniform, and pays at terminals within 5 km of home. Amounts are normal with half the
    mean as standard deviation; a negative one is drawn again between 0 and twice the mean. Frauds are of three kinds:

    - *amount*: every payment above 220 euros;
    - *terminal*: a compromised terminal: all payments there, for 28 days;
    - *customer*: a compromised customer: for 14 days, a third of the payments, which are five times as large.

    Where two kinds meet, the later one in this list is the cause. Three things differ from the source, so that the
    share of fraud does not depend on ``rows`` or ``days``: the map grows with the number of terminals (one a square
    kilometre), terminals and customers are compromised at a rate rather than so many a day, and this has been going
    on before day 0. With the default rates about 0.7 % of the payments are fraud.

    Parameters
    ----------
    rows
        How many payments, 1 to 20,000,000. There is a customer for each ``2 * days`` of them, and two terminals a
        customer.
    seed
        Seed of everything drawn: the same seed gives the same rows.
    days
        How many days they take, 1 to 3,650.
    terminal_rate, customer_rate
        The share of terminals, and of customers, that are newly compromised each day, 0 to 0.02.
    drift, drift_day
        What changes, any of ``DRIFTS``, and from which day on, 0 to ``days``.

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows``, ``days``, a rate or the day of the drift is out of range, or a drift is unknown.
    """
    _whole("rows", rows, 20_000_000)
    _whole("days", days, 3_650)
    _share("terminal_rate", terminal_rate)
    _share("customer_rate", customer_rate)
    _whole("drift_day", drift_day, days, low=0)
    if isinstance(drift, str) or not set(drift) <= set(DRIFTS):
        raise DataError(f"drift must be a list of {', '.join(DRIFTS)}, not {drift!r}")
    rng = np.random.default_rng(seed)
    # Draws of its own, so that a drift changes nothing but what it says.
    drift_rng = np.random.default_rng([seed, 1])

    n = max(1, round(2 * rows / (_MOST_A_DAY * days)))
    side = np.sqrt(_TERMINALS_A_CUSTOMER * n)
    home = rng.uniform(0, side, (n, 2))
    mean_amount = rng.uniform(5, 100, n)
    a_day = rng.uniform(0, _MOST_A_DAY, n)
    place = rng.uniform(0, side, (_TERMINALS_A_CUSTOMER * n, 2))

    # Poisson streams whose total is given: each payment picks its customer in proportion to the customer's rate.
    shares = np.cumsum(a_day)
    customer = np.searchsorted(shares, rng.random(rows) * shares[-1], side="right").clip(max=n - 1)
    day = np.sort(rng.integers(0, days, rows))
    within = ndtr((np.array([0, 24]) - _NOON) / _HOURS_SPREAD)
    hour = _NOON + _HOURS_SPREAD * ndtri(rng.uniform(*within, rows))
    hour = hour.clip(0, np.nextafter(24, 0))[np.lexsort((hour, day))]
    changed = day >= drift_day
    if "inputs" in drift:  # the order of the payments stays
        hour = np.where(changed, 24 * (hour / 24) ** DRIFT_LATER, hour)
    terminal = _near_home(rng, home, place, customer)

    usual = mean_amount[customer]
    amount = rng.normal(usual, usual / 2)
    amount = np.where(amount < 0, rng.uniform(0, 2 * usual), amount)

    cause = np.where(amount > AMOUNT_RULE, 1, 0)
    incident = np.full(rows, -1)
    broken = _incidents(rng, len(place), days, TERMINAL_DAYS, terminal_rate)
    stolen = _incidents(rng, n, days, CUSTOMER_DAYS, customer_rate)
    if "rate" in drift:
        broken = _more(drift_rng, broken, len(place), days, TERMINAL_DAYS, terminal_rate, drift_day)
        stolen = _more(drift_rng, stolen, n, days, CUSTOMER_DAYS, customer_rate, drift_day)
    hit = _open(broken, TERMINAL_DAYS, len(place), days)[terminal, day]
    cause[hit >= 0], incident[hit >= 0] = 2, hit[hit >= 0]
    hit = _open(stolen, CUSTOMER_DAYS, n, days)[customer, day]
    thief = (hit >= 0) & (rng.random(rows) < STOLEN_SHARE)
    cause[thief], incident[thief] = 3, hit[thief] + len(broken)
    amount[thief] *= STOLEN_FACTOR
    if "pattern" in drift:
        amount = np.where(thief & changed, drift_rng.uniform(*DRIFT_AMOUNTS, rows), amount)

    payments = pd.DataFrame(
        {
            "day": day,
            "hour": hour,
            "customer": customer,
            "terminal": terminal,
            # Rounded away from the rule's edge, so that the amount that is shown obeys it too.
            "amount": np.where(amount > AMOUNT_RULE, np.ceil(100 * amount), np.floor(100 * amount)).clip(1) / 100,
            "fraud": (cause > 0).astype(np.int8),
            "cause": np.array(CAUSES, dtype=object)[cause],
            "incident": incident,
        }
    )
    customers = pd.DataFrame({"x": home[:, 0], "y": home[:, 1], "mean_amount": mean_amount, "payments_a_day": a_day})
    terminals = pd.DataFrame({"x": place[:, 0], "y": place[:, 1]})
    incidents = pd.concat(
        [
            pd.DataFrame({"cause": "terminal", "place": broken[:, 0], "first": broken[:, 1]}),
            pd.DataFrame({"cause": "customer", "place": stolen[:, 0], "first": stolen[:, 1]}),
        ],
        ignore_index=True,
    )
    incidents["last"] = incidents["first"] + incidents["cause"].map(
        {"terminal": TERMINAL_DAYS - 1, "customer": CUSTOMER_DAYS - 1}
    ).astype(int)
    return CardFraud(payments, customers, terminals, incidents)


def card_fraud_features(payments: pd.DataFrame, *, windows: Sequence[int] = (1, 7, 30), delay: int = 7) -> pd.DataFrame:
    """Features of each payment, from what is known when it is made.

    Parameters
    ----------
    payments
        Rows in order of time with ``day``, ``hour``, ``customer``, ``terminal``, ``amount``, ``fraud``, as
        :func:`load_card_fraud` gives them.
    windows
        Lengths of the looks back, in days.
    delay
        After how many days it is known whether a payment was a fraud. A terminal's risk uses older payments only.

    Returns
    -------
    pandas.DataFrame
        One row a payment, in the same order, without gaps: ``amount`` (euros), ``hour``, ``weekend`` (0 or 1; day 0
        is a Monday); for each window of d days ``customer_count_d``, ``customer_mean_d`` and ``customer_ratio_d``
        (the customer's payments of the last d days, this one included, their mean amount in euros, and this amount as
        a multiple of it), ``terminal_count_d`` and ``terminal_risk_d`` (the terminal's payments from ``delay + d`` to
        ``delay`` days ago, and the share of them that were frauds, 0 where there were none).

    Raises
    ------
    mlcourse.datasets.DataError
        If a window or the delay is not a whole number of days, or the rows are not in order of time.
    """
    for window in windows:
        _whole("windows", window, 3_650)
    _whole("delay", delay, 3_650, low=0)
    time = payments["day"].to_numpy() + payments["hour"].to_numpy() / 24
    if (np.diff(time) < 0).any():
        raise DataError("payments must be in order of time")
    amount, fraud = payments["amount"].to_numpy(float), payments["fraud"].to_numpy(float)
    cents = np.rint(100 * amount)  # whole numbers add up exactly, in any order
    found = {
        "amount": amount,
        "hour": payments["hour"].to_numpy(),
        "weekend": (payments["day"].to_numpy() % 7 >= 5).astype(float),
    }
    of_customer = _LookBack(payments["customer"].to_numpy(), time, cents)
    of_terminal = _LookBack(payments["terminal"].to_numpy(), time, fraud)
    for window in windows:
        count, total = of_customer(0, window)
        # The payment itself is in: there is always one, and its amount is known.
        found[f"customer_count_{window}"], found[f"customer_mean_{window}"] = count, total / count / 100
        found[f"customer_ratio_{window}"] = cents * count / total
    for window in windows:
        count, total = of_terminal(delay, delay + window)
        found[f"terminal_count_{window}"], found[f"terminal_risk_{window}"] = count, total / np.maximum(count, 1)
    return pd.DataFrame(found, index=payments.index)


class _LookBack:
    """Counts and sums over the earlier rows of the same group, by how long ago they were.

    Rows are sorted by group, then time. A look back is then a stretch of neighbours, and its sum is a difference of
    two running sums.
    """

    def __init__(self, group: np.ndarray, time: np.ndarray, value: np.ndarray) -> None:
        self.order = np.argsort(group, kind="stable")
        # One number that grows with the group and, within it, with time: groups lie further apart than any look back.
        self.time, self.reach = time[self.order], time[-1] - time[0] + 1 if len(time) else 1.0
        self.group = group[self.order].astype(float)
        self.sums = np.concatenate([[0.0], np.cumsum(value[self.order])])

    def __call__(self, start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Count and sum of the rows from ``start`` (included) to ``end`` (excluded) days ago, this row's own with 0."""
        step = self.reach + end
        key = self.group * step + self.time
        first = np.searchsorted(key, key - end, side="right")
        after = np.searchsorted(key, key - start, side="right")
        # Of rows at the very same moment, those that come later are not known yet.
        if start == 0:
            after = np.arange(1, len(key) + 1)
        count, total = np.empty(len(key)), np.empty(len(key))
        count[self.order] = after - first
        total[self.order] = self.sums[after] - self.sums[first]
        return count, total


def _near_home(rng: np.random.Generator, home: np.ndarray, place: np.ndarray, customer: np.ndarray) -> np.ndarray:
    """A terminal for each payment: any within reach of the customer's home alike, or else the nearest."""
    tree = cKDTree(place)
    near = tree.query_ball_point(home, _REACH, return_sorted=True)
    nearest = tree.query(home)[1]
    near = [found if found else [lone] for found, lone in zip(near, nearest, strict=True)]
    counts = np.array([len(found) for found in near])
    flat, start = np.concatenate(near), np.cumsum(counts) - counts
    return flat[start[customer] + (rng.random(len(customer)) * counts[customer]).astype(int)]


def _incidents(rng: np.random.Generator, places: int, days: int, lasting: int, rate: float) -> np.ndarray:
    """Who is compromised from which day on: one row an incident, ``(place, first day)``, in order of time."""
    begins = days + lasting - 1  # the earliest has its last day on day 0
    chosen = rng.choice(places * begins, rng.binomial(places * begins, rate), replace=False)
    first, place = np.divmod(np.sort(chosen), places)
    return np.column_stack([place, first - (lasting - 1)])


def _more(
    rng: np.random.Generator, incidents: np.ndarray, places: int, days: int, lasting: int, rate: float, since: int
) -> np.ndarray:
    """The incidents, from a day on ``DRIFT_RATE`` times as many, in order of time."""
    others = _incidents(rng, places, days, lasting, (DRIFT_RATE - 1) * rate)
    both = np.concatenate([incidents, others[others[:, 1] >= since]])
    return both[np.argsort(both[:, 1], kind="stable")]


def _open(incidents: np.ndarray, lasting: int, places: int, days: int) -> np.ndarray:
    """The incident that is open at each place on each day, the latest if there are several, -1 for none."""
    state = np.full((places, days), -1, dtype=np.int32)
    when = incidents[:, 1, None] + np.arange(lasting)
    number = np.broadcast_to(np.arange(len(incidents))[:, None], when.shape)
    place = np.broadcast_to(incidents[:, 0, None], when.shape)
    inside = (when >= 0) & (when < days)
    state[place[inside], when[inside]] = number[inside]
    return state


def _whole(name: str, value: object, high: int, low: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise DataError(f"{name} must be a whole number from {low} to {high:,}, not {value!r}")


def _share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.02:
        raise DataError(f"{name} must be a share from 0 to 0.02, not {value!r}")
