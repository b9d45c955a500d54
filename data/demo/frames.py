"""Rows kept as arrays of one length, and the arithmetic of clocks and chances that the demo shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from data.demo.draws import DAY, SECOND, Bools, Floats, Ints, World
from data.demo.routes import Incident

FAR = np.int64(4_000_000_000_000_000_000)  # a time that never comes
_HOUR = 3600 * SECOND
_OPENS, _CLOSES = 9 * _HOUR, 17 * _HOUR  # office hours, Monday to Friday


@dataclass(frozen=True)
class Frame:
    """A table as arrays; every field has shape (n,)."""

    def rows(self, index: Ints | Bools) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)})

    def __len__(self) -> int:
        return int(getattr(self, fields(self)[0].name).size)


def seconds(values: Floats | float) -> Ints:
    """Seconds as whole microseconds."""
    return np.asarray(np.asarray(values, np.float64) * SECOND).astype(np.int64)


def waits(draw: np.random.Generator, n: int, mean: float) -> Ints:
    """Exponential waiting times, microseconds: shape (n,)."""
    return seconds(draw.exponential(mean, n))


def spread(draw: np.random.Generator, n: int, median: float, sigma: float) -> Ints:
    """Log-normal times around a median in seconds, as microseconds: shape (n,)."""
    return seconds(median * np.exp(sigma * draw.standard_normal(n)))


def planted(draw: np.random.Generator, n: int, share: float, least: int = 1) -> Bools:
    """A share of n rows, at least `least` where there are as many: rare cases exist in small demos too."""
    chosen = np.zeros(n, np.bool_)
    if n and share > 0:
        chosen[draw.choice(n, min(n, max(least, round(share * n))), replace=False)] = True
    return chosen


def next_run(at: Ints, period: float, offset: float) -> Ints:
    """Start of the first run at or after a time; runs are `period` seconds apart from `offset` after midnight."""
    step, phase = int(period * SECOND), int(offset * SECOND)
    return -((phase - at) // step) * step + phase


def office_hours(at: Ints) -> Ints:
    """The moment itself in office hours, else the next opening."""
    day, clock = at // DAY, at % DAY
    day = day + (clock >= _CLOSES)
    weekday = (day + 3) % 7
    closed = weekday >= 5
    day = day + np.where(weekday == 5, 2, np.where(weekday == 6, 1, 0))
    opens = closed | (clock >= _CLOSES) | (clock < _OPENS)
    return np.where(opens, day * DAY + _OPENS, at)


def after_work(at: Ints, work: Ints) -> Ints:
    """When work that begins in office hours is done: what does not fit into the day goes on at the next opening."""
    began = office_hours(at)
    left = began // DAY * DAY + _CLOSES - began
    work = np.minimum(work, _CLOSES - _OPENS - SECOND)
    over = work > left
    return np.where(over, office_hours(began // DAY * DAY + _CLOSES) + work - left, began + work)


def daylight(at: Ints) -> Ints:
    """The moment itself between 08:00 and 20:00 UTC, else as many minutes after the next 08:00 as past the hour."""
    clock = at % DAY
    day = at // DAY + (clock >= 20 * _HOUR)
    dark = (clock < 8 * _HOUR) | (clock >= 20 * _HOUR)
    return np.where(dark, day * DAY + 8 * _HOUR + clock % _HOUR, at)


def span_of(world: World, incident: Incident) -> tuple[int, int]:
    """First microsecond of an incident and the first after it."""
    day = (world.first_day + min(round(incident.at_share * world.days), world.days - 1)) * DAY
    return day + int(incident.from_hour * _HOUR), day + int(incident.to_hour * _HOUR)


def pairs_of(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows with the same key: positions in left and in right, in order of left."""
    order = np.argsort(right, kind="stable")
    ordered = right[order]
    first = np.searchsorted(ordered, left, "left")
    count = np.searchsorted(ordered, left, "right") - first
    of_left = np.repeat(np.arange(left.size), count)
    ends = np.cumsum(count)
    within = np.arange(of_left.size) - np.repeat(ends - count, count)
    return of_left, order[np.repeat(first, count) + within]


def any_of(index: Ints, n: int) -> Bools:
    """Which of n rows are named by an index."""
    found = np.zeros(n, np.bool_)
    found[index] = True
    return found


def least(index: Ints, values: Ints, n: int) -> Ints:
    """Least value of each of n rows; FAR where a row has none."""
    out = np.full(n, FAR)
    np.minimum.at(out, index, values)
    return out
