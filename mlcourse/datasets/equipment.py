"""Simulated milling machines that fail in five ways, with the cause of each failure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from mlcourse.datasets.files import DataError

# The five ways to fail, by their names in the source: TWF, HDF, PWF, OSF, RNF.
FAILURE_CAUSES = ("tool wear", "heat", "power", "overstrain", "random")

# The qualities of the product: their shares, the wear that making one adds to the tool (min), and the wear times torque
# from which on the tool is overstrained (min Nm).
_QUALITIES = np.array(["low", "medium", "high"], dtype=object)
_SHARES, _WEAR, _STRAIN = (0.5, 0.3, 0.2), np.array([2, 3, 5]), np.array([11_000, 12_000, 13_000])

# A tool's end is drawn between these (min); it is replaced there in 69 cases of 120, and fails in the others.
_TOOL_ENDS, _TOOL_FAILS = (200.0, 240.0), 51 / 120

# Heat is not carried off where process and air differ by less (K) and the spindle turns slower (rpm).
_LEAST_DIFFERENCE, _LEAST_SPEED = 8.6, 1_380.0

# The power that the process needs (W).
_LEAST_POWER, _MOST_POWER = 3_500.0, 9_000.0

# Of all rows, this share fails for no reason that is measured.
_RANDOM = 0.001

# How slowly the temperatures wander: their correlation from one product to the next.
_MEMORY = 0.99


def load_equipment_failures(rows: int = 20_000, seed: int = 0) -> pd.DataFrame:
    """Simulate the sensors of a milling machine and its failures, about 3.8 % of the rows, with the cause of each.

    The model is that of S. Matzka, *Explainable Artificial Intelligence for Predictive Maintenance Applications*
    (2020), whose data set is known as AI4I 2020; it is written anew from the description there. One row is one product:

    - ``quality``: low, medium or high, half, three tenths and two tenths of the products.
    - ``air`` and ``process``: temperatures in kelvin. Air wanders around 300 K with a standard deviation of 2 K;
      process is air plus 10 K plus what wanders with 1 K.
    - ``torque``: in newton metres, normal around 40 with standard deviation 10, drawn again if below 3.
    - ``speed``: of the spindle, in revolutions a minute: ``1500 (40 / torque)^0.4`` plus normal noise of 40.
    - ``wear``: of the tool, in minutes; each product adds 2, 3 or 5 by its quality, and a new tool begins with 0.

    A row fails in any of five ways, whose 0-or-1 columns are named as in ``FAILURE_CAUSES``:

    - *tool wear*: the tool is used up, after 200 to 240 minutes, and was not replaced in time (51 of 120 tools);
    - *heat*: process and air differ by less than 8.6 K, and the speed is below 1,380 rpm;
    - *power*: torque times angular speed is below 3,500 W or above 9,000 W;
    - *overstrain*: wear times torque is above 11,000, 12,000 or 13,000 min Nm, for low, medium and high quality;
    - *random*: one row in a thousand, whatever its sensors say.

    Three things differ from the source. The speed: there it comes from a power of 2,860 W, far below the limit of 3,500
    W under which it says that a row fails; the formula here is a stand-in, under which about as many rows fail by heat
    and by power as are published. The temperatures: there they
    are random walks, scaled to their deviation at the end; here they are drawn back to their mean (first-order
    autoregressions with a correlation of 0.99 from row to row), so that the share of failures hardly depends on
    ``rows``. The label: here ``failure`` is 1 for each way to fail; in the published rows random failures mostly count
    for none.

    Parameters
    ----------
    rows
        How many products, 1 to 5,000,000.
    seed
        Seed of everything drawn: the same seed gives the same rows.

    Returns
    -------
    pandas.DataFrame
        In order of time: the six columns above; ``failure`` (0 or 1); and the truth that no model may use: ``cause``
        (none, or the first in the list above that applies) and a 0-or-1 column for each way to fail.

    Raises
    ------
    mlcourse.datasets.DataError
        If ``rows`` is out of range.
    """
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or not 1 <= rows <= 5_000_000:
        raise DataError(f"rows must be a whole number from 1 to 5,000,000, not {rows!r}")
    rng = np.random.default_rng(seed)
    quality = rng.choice(3, rows, p=_SHARES)
    air = 300 + 2 * _wandering(rng, rows)
    process = air + 10 + _wandering(rng, rows)
    torque = rng.normal(40, 10, rows)
    while (low := torque < 3).any():
        torque[low] = rng.normal(40, 10, low.sum())
    speed = 1_500 * (40 / torque) ** 0.4 + rng.normal(0, 40, rows)
    wear, used_up = _wear(rng, _WEAR[quality])

    # What is shown is rounded, and the rules are those of what is shown.
    air, process, torque, speed = air.round(1), process.round(1), torque.round(1), speed.round()
    power = torque * speed * (2 * np.pi / 60)
    modes = np.column_stack(
        [
            used_up & (rng.random(rows) < _TOOL_FAILS),
            ((process - air).round(1) < _LEAST_DIFFERENCE) & (speed < _LEAST_SPEED),
            (power < _LEAST_POWER) | (power > _MOST_POWER),
            (wear * torque).round(1) > _STRAIN[quality],
            rng.random(rows) < _RANDOM,
        ]
    )
    failed = modes.any(axis=1)
    table = pd.DataFrame(
        {
            "quality": _QUALITIES[quality],
            "air": air,
            "process": process,
            "torque": torque,
            "speed": speed.astype(int),
            "wear": wear,
            "failure": failed.astype(np.int8),
            "cause": np.array(["none", *FAILURE_CAUSES], dtype=object)[np.where(failed, modes.argmax(axis=1) + 1, 0)],
        }
    )
    table[list(FAILURE_CAUSES)] = modes.astype(np.int8)
    return table


def _wandering(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Numbers of mean 0 and deviation 1, each near the one before it."""
    steps = rng.normal(0, np.sqrt(1 - _MEMORY**2), rows)
    steps[0] = rng.normal()
    return lfilter([1.0], [1.0, -_MEMORY], steps)


def _wear(rng: np.random.Generator, minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minutes that the tool has been used before each product, and whether the product is its last."""
    total = np.append(0.0, np.cumsum(minutes))  # float, as what is searched in it: else each search copies it
    begins, lasts, begin = [], [], 0
    while begin < len(minutes):  # a tool at a time: one in about seventy rows
        begins.append(begin)
        last = int(np.searchsorted(total, total[begin] + rng.uniform(*_TOOL_ENDS)))
        lasts.append(last)
        begin = last + 1
    tool = np.repeat(np.arange(len(begins)), np.diff([*begins, len(minutes)]))
    used_up = np.zeros(len(minutes), dtype=bool)
    used_up[[last for last in lasts if last < len(minutes)]] = True
    return (total[:-1] - total[np.array(begins)][tool]).astype(int), used_up
