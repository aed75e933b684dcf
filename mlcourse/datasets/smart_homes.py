"""Simulated homes with a heat pump in New York's real weather: what a thermostat sees and what the home uses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlcourse.datasets.files import DataError
from mlcourse.datasets.flights import load_nyc_weather

_AIR = 2.0  # K above its target at which a home is cooled


def load_smart_homes(homes: int = 30, seed: int = 0) -> pd.DataFrame:
    """Simulate homes with a heat pump through 2013, hour by hour, in the weather of New York's three airports.

    A home is one thermal resistance and one capacity (an RC model, ISO 13790 has the idea): with the outdoor
    temperature :math:`T_o`, the heat :math:`Q` of sun, people, appliances and heat pump, the conductance :math:`U` and
    the capacity :math:`C`, the indoor temperature follows :math:`C\\,dT/dt = U (T_o - T) + Q`, solved exactly for each
    hour. The heat pump supplies what the target of the coming hour needs, as far as its power allows; it needs less
    current when it is mild outdoors. The target is lower at night and while nobody is at home. Each home has habits
    (when its people rise, leave, return, sleep), which vary from day to day; some days people stay at home. Half of
    the homes charge a car in some evenings.

    Parameters
    ----------
    homes
        How many homes. Home 0, 3, 6 ... have the weather of the first airport, and so on.
    seed
        Draws homes, habits, days and clouds.

    Returns
    -------
    pandas.DataFrame
        One row a home and hour, in order of home and time, without missing values: ``home`` (number), ``time`` (start
        of the hour, New York's clock with its zone), ``outdoor`` and ``indoor`` (°C, at the end of the hour),
        ``humidity`` (%), ``wind`` (m/s), ``use`` (kWh of electricity in that hour), and what no device knows:
        ``heating``, ``appliances`` and ``car`` (kWh, the parts of ``use``).

    Raises
    ------
    DataError
        If ``homes`` is not a whole number from 1 to 1,000.
    """
    if isinstance(homes, bool) or not isinstance(homes, int | np.integer) or not 1 <= homes <= 1_000:
        raise DataError(f"homes must be a whole number from 1 to 1000, not {homes!r}")
    rng = np.random.default_rng([seed, 2013])
    weather = load_nyc_weather()
    hours = pd.date_range(weather["time"].min(), weather["time"].max(), freq="h")

    def by_hour(column: str) -> np.ndarray:
        """Hours x homes, each home with its airport's weather; hours that are missing are drawn as a straight line."""
        table = weather.pivot_table(index="time", columns="origin", values=column, aggfunc="first")
        table = table.reindex(hours).interpolate().bfill()
        return table.to_numpy()[:, np.arange(homes) % table.shape[1]]

    outdoor = (by_hour("temp") - 32) / 1.8
    humidity, wind = by_hour("humid"), by_hour("wind_speed") * 0.44704
    sun = _sun(hours, by_hour("visib"), humidity, rng)
    home, target, people = _habits(hours, homes, rng)
    appliances = home["idle"] + people * home["busy"] * rng.gamma(6, 1 / 6, outdoor.shape)
    car = _car(people, home["car"], rng)

    conductance = home["conductance"] * (1 + 0.03 * wind)  # kW/K; wind blows through the gaps
    keeps = np.exp(-conductance / home["capacity"])  # of a difference to the outdoors, after an hour
    gains = 0.9 * appliances + 0.1 * people + home["windows"] * sun
    indoor = np.empty_like(outdoor)
    thermal = np.empty_like(outdoor)
    now = target[0].copy()
    for t in range(len(hours)):
        free = outdoor[t] + gains[t] / conductance[t]
        drifts = free + (now - free) * keeps[t]  # where the temperature goes without the heat pump
        wanted = np.maximum(target[t] - drifts, 0) - np.maximum(drifts - np.maximum(target[t], 22) - _AIR, 0)
        per_kw = (1 - keeps[t]) / conductance[t]
        thermal[t] = np.clip(wanted / per_kw, -home["power"], home["power"])
        now = indoor[t] = drifts + thermal[t] * per_kw
    lift = np.where(thermal > 0, 35 - outdoor, outdoor - 10).clip(8)
    heating = np.abs(thermal) / (0.4 * 300 / lift).clip(1.5, 5.5)  # 0.4 of what Carnot allows

    columns = {
        "outdoor": outdoor,
        "humidity": humidity,
        "wind": wind,
        "indoor": indoor,
        "use": heating + appliances + car,
        "heating": heating,
        "appliances": appliances,
        "car": car,
    }
    table = pd.DataFrame({name: values.T.ravel() for name, values in columns.items()})
    table.insert(0, "time", np.tile(hours, homes))
    table.insert(0, "home", np.repeat(np.arange(homes), len(hours)))
    return table


def _sun(hours: pd.DatetimeIndex, visibility: np.ndarray, humidity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """kW on a square metre of window, hours x homes: the sun's height over New York, less the clouds."""
    day, clock = hours.dayofyear.to_numpy(), hours.hour.to_numpy() + 0.5
    declination = np.radians(23.44) * np.sin(2 * np.pi * (day - 81) / 365)
    angle, latitude = np.radians(15 * (clock - 12)), np.radians(40.7)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    walk = np.empty(len(hours))
    walk[0], steps = 0, rng.normal(0, 1, len(hours))
    for t in range(1, len(hours)):
        walk[t] = 0.85 * walk[t - 1] + 0.53 * steps[t]
    clear = 1 / (1 + np.exp(-(1.5 * walk[:, None] + 0.06 * (65 - humidity) + 0.2 * (visibility - 8))))
    return 0.7 * height.clip(0)[:, None] * (0.15 + 0.85 * clear)


def _habits(
    hours: pd.DatetimeIndex, homes: int, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The homes' constants; the targets (°C) and whether people are there and awake (0 to 1), hours x homes."""
    size = rng.lognormal(0, 0.3, homes)
    home = {
        "conductance": 0.18 * size * rng.lognormal(0, 0.25, homes),  # kW/K
        "capacity": 7 * size * rng.lognormal(0, 0.3, homes),  # kWh/K
        "windows": 8 * size * rng.lognormal(0, 0.3, homes),  # m2 that count
        "power": 10 * size,  # kW of heat
        "idle": rng.uniform(0.1, 0.3, homes),  # kW of appliances that never rest
        "busy": rng.uniform(0.3, 0.9, homes),  # kW more while people are there
        "car": rng.random(homes) < 0.5,
    }
    days = (hours.tz_localize(None).normalize() - hours[0].tz_localize(None).normalize()).days.to_numpy()
    weekend = (hours.dayofweek >= 5)[:, None]

    def moment(mean: float, spread: float, daily: float) -> np.ndarray:
        """A time of day, hours x homes: each home has its own, and each day shifts it a little."""
        usual = rng.normal(mean, spread, homes)
        return (usual + rng.normal(0, daily, (days.max() + 1, homes)))[days]

    rises = moment(6.5, 1, 0.2) + 1.5 * weekend
    leaves, returns, sleeps = moment(8.5, 0.7, 0.2), moment(17.5, 1.2, 0.4), moment(22.5, 0.7, 0.3)
    stays = (rng.random((days.max() + 1, homes)) < rng.beta(1, 4, homes))[days] | weekend
    clock = hours.hour.to_numpy()[:, None]

    def share(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Which part of the hour lies between two moments."""
        return (np.minimum(clock + 1, end) - np.maximum(clock, start)).clip(0, 1)

    awake = share(rises, sleeps)
    people = awake - ~stays * share(np.maximum(leaves, rises), np.minimum(returns, sleeps))
    comfort, setback = rng.uniform(19.5, 22, homes), rng.uniform(1.5, 4, homes)
    return home, comfort - setback * (people < 0.5), people


def _car(people: np.ndarray, has: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """kWh into the car, hours x homes. Whoever comes home with less than half of a battery of 40 kWh charges it."""
    plug, full, car = 3.7, 40.0, np.zeros_like(people)
    comes = np.zeros_like(people, dtype=bool)
    comes[1:] = (people[1:] >= 0.5) & (people[:-1] < 0.5)
    daily = rng.uniform(3, 12, has.shape)
    driven = daily * rng.gamma(4, 1 / 4, people.shape)
    battery, charging = np.where(has, rng.uniform(0.5, 1, has.shape) * full, full), np.zeros_like(has)
    for t in range(len(people)):
        battery -= np.where(comes[t] & has, driven[t], 0)
        charging = (charging | (comes[t] & (battery < full / 2))) & (battery < full)
        car[t] = np.where(charging, np.minimum(plug, full - battery), 0)
        battery += car[t]
    return car
