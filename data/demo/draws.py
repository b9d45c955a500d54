"""Draws shared by every part of the demo: the calendar, the people, and one random stream a part.

Times are int64 microseconds since 1970 (UTC). Each part has its own stream, so that adding an initiative
never changes the data of another.
"""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.demo.specs import AGE_BANDS, AGE_SHARES, REGION_SHARES, REGIONS, Delay

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECOND = 1_000_000
DAY = 86_400 * SECOND
_EPOCH = dt.date(1970, 1, 1)
_LATE_SHARE = 0.005  # rows the warehouse hears of days later


@dataclass(frozen=True)
class World:
    """Calendar and people of one demo. `until` is its last day; nothing happens at or after `end`."""

    until: dt.date
    days: int
    persons: int
    seed: int
    age_band: NDArray[np.int8]
    region: NDArray[np.int8]

    @property
    def first_day(self) -> int:
        """Days since 1970 of the first day of the demo, from which its days are counted."""
        return (self.until - _EPOCH).days + 1 - self.days

    @property
    def end(self) -> int:
        """The first microsecond after the demo: midnight at the end of `until`."""
        return ((self.until - _EPOCH).days + 1) * DAY

    def stream(self, part: str) -> np.random.Generator:
        """The random stream of one part: the same for the same seed and name."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])

    def weekday(self) -> Ints:
        """Day of the week of each day of the demo, Monday 0: shape (days,)."""
        return (self.first_day + np.arange(self.days) + 3) % 7


def make_world(until: dt.date, days: int, persons: int, seed: int) -> World:
    """The calendar and the people; ValueError where there would be none."""
    if days < 1 or persons < 1 or seed < 0:
        raise ValueError(f"demo needs days >= 1, persons >= 1, seed >= 0; got {days}, {persons}, {seed}")
    draw = np.random.default_rng([seed, zlib.crc32(b"people")])
    age_band = draw.choice(len(AGE_BANDS), persons, p=AGE_SHARES).astype(np.int8)
    region = draw.choice(len(REGIONS), persons, p=REGION_SHARES).astype(np.int8)
    return World(until, days, persons, seed, age_band, region)


def hour_of_day(draw: np.random.Generator, n: int, batch_hour: int | None) -> Ints:
    """Microseconds after midnight: one nightly batch of 20 minutes, or a working day that peaks at 13:00."""
    if batch_hour is not None:
        return batch_hour * 3600 * SECOND + draw.integers(0, 1200 * SECOND, n)
    return (draw.triangular(6.5, 13.0, 22.5, n) * 3600 * SECOND).astype(np.int64)


def delay_of(draw: np.random.Generator, n: int, delay: Delay) -> Ints:
    """Microseconds until a label is known: shape (n,)."""
    days = delay.median_days * np.exp(delay.sigma * draw.standard_normal(n))
    return (np.minimum(days, delay.longest_days) * DAY).astype(np.int64)


def load_time(draw: np.random.Generator, happened: Ints, within_minutes: float) -> Ints:
    """When the warehouse knew: minutes after the event, and for a few rows up to three days after."""
    lag = draw.uniform(1.0, within_minutes, happened.size) * 60 * SECOND
    late = draw.random(happened.size) < _LATE_SHARE
    lag = np.where(late, draw.uniform(0.5, 3.0, happened.size) * DAY, lag)
    return happened + lag.astype(np.int64)
