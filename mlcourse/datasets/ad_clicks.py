"""Simulated ad clicks: ids by the hundred thousand, and the true probability of every click."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError

DEVICES = ("desktop", "phone", "tablet")
DAYS = 10

# The logit of the click probability of an average ad, and how far ads spread around it (standard deviation).
_BASE, _SPREAD = -3.0, 0.8

# By device: how strongly the hour moves the logit, and the hour at which clicks are most likely. The peaks
# differ, so that neither device nor hour alone tells the effect.
_SWING = np.array([0.6, 0.6, 0.4])
_PEAK = np.array([11.0, 21.0, 16.0])


def device_hour_effect() -> pd.DataFrame:
    """What device and hour add to the logit of the click probability.

    Returns
    -------
    pandas.DataFrame
        24 rows (hour 0 to 23) x 3 columns (one a device), in logits.
    """
    hours = np.arange(24)[:, None]
    effect = _SWING * np.cos(2 * np.pi * (hours - _PEAK) / 24)
    return pd.DataFrame(effect, index=pd.RangeIndex(24, name="hour"), columns=list(DEVICES))


def load_ad_clicks(
    rows: int = 300_000, seed: int = 0, *, ids: int = 200_000, exponent: float = 1.05, churn: float = 0.0
) -> pd.DataFrame:
    """Simulate ad impressions over ten days, with the true probability of a click.

    The ad of a row is drawn from a Zipf law: the ad of rank r is shown in proportion to
    ``r ** -exponent``. The logit of its click probability is -3 plus the ad's own effect, normal with
    standard deviation 0.8 and independent of the rank, plus :func:`device_hour_effect`. Most ads are
    rare, so every day brings ids that no earlier day has seen.

    Parameters
    ----------
    rows
        How many impressions, 1 to 50,000,000.
    seed
        Seed of everything drawn: the same seed gives the same rows.
    ids
        How many ads run at a time, 1 to 1,000,000; not all of them are shown.
    exponent
        Exponent of the Zipf law, 0 to 3; 0 shows every ad equally often.
    churn
        The share of ads, 0 to 1, that end each night. A new ad with an effect of its own takes the place of each, at
        the same popularity.

    Returns
    -------
    pandas.DataFrame
        One row an impression, in order of time: ``day`` (0 to 9), ``hour`` (0 to 23), ``device`` (desktop, phone or
        tablet), ``ad`` (an id such as ``"ad0017bb"``, whose number says nothing about the rank), ``click`` (0 or 1),
        ``probability`` (the true probability of the click, which no model may use as an input).

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows``, ``ids``, ``exponent`` or ``churn`` is out of range.
    """
    _whole("rows", rows, 50_000_000)
    _whole("ids", ids, 1_000_000)
    _number("exponent", exponent, 3)
    _number("churn", churn, 1)
    rng = np.random.default_rng(seed)

    popularity = np.cumsum(np.arange(1, ids + 1, dtype=float) ** -float(exponent))
    rank = np.searchsorted(popularity, rng.random(rows) * popularity[-1], side="right").clip(max=ids - 1)
    device = rng.choice(len(DEVICES), rows, p=[0.35, 0.5, 0.15])
    day, hour = np.divmod(np.sort(rng.integers(0, DAYS * 24, rows)), 24)

    # Which ad holds a rank on a day: ads are counted through in the order in which they begin.
    holder = np.arange(ids, dtype=np.int32)
    ad, ads = np.empty(rows, dtype=np.int32), ids
    for today, (start, end) in enumerate(zip(*_bounds(day), strict=True)):
        if today and churn:
            ends = np.flatnonzero(rng.random(ids) < churn)
            holder[ends] = np.arange(ads, ads + len(ends))
            ads += len(ends)
        ad[start:end] = holder[rank[start:end]]
    effect = rng.normal(0, _SPREAD, ads)
    number = rng.permutation(ads)

    logit = _BASE + effect[ad] + device_hour_effect().to_numpy()[hour, device]
    probability = 1 / (1 + np.exp(-logit))
    click = (rng.random(rows) < probability).astype(np.int8)

    # Names are made once an id and then taken once a row: far fewer strings than rows.
    shown, place = np.unique(ad, return_inverse=True)
    names = np.array([f"ad{n:06x}" for n in number[shown]], dtype=object)
    return pd.DataFrame(
        {
            "day": day,
            "hour": hour,
            "device": np.array(DEVICES, dtype=object)[device],
            "ad": names[place],
            "click": click,
            "probability": probability,
        }
    )


def _bounds(day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the rows of each day start and end; ``day`` is sorted."""
    return np.searchsorted(day, np.arange(DAYS), "left"), np.searchsorted(day, np.arange(DAYS), "right")


def _number(name: str, value: object, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        raise DataError(f"{name} must be a number from 0 to {high}, not {value!r}")


def _whole(name: str, value: object, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= high:
        raise DataError(f"{name} must be a whole number from 1 to {high:,}, not {value!r}")
