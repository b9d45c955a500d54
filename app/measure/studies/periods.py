"""Periods of a study: numbers or ISO dates, put in order, with the file's own words kept for the path."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np

from app.measure.studies.spec import Scalar, SpecError, truth
from app.measure.studies.table import Table
from metrics.core.shapes import Floats, Ints

MONTH = 30.4375  # days, to tell months from other gaps


@dataclass(frozen=True)
class Periods:
    """Rows' positions (n,) in the order of time; the periods' places on the time line (T,) and their labels."""

    codes: Ints
    at: Floats
    labels: tuple[str, ...]
    dated: bool

    def place(self, value: Scalar, key: str) -> float:
        """A value of the specification, or a cell, on the same time line."""
        text = truth(value)
        found = _day(text) if self.dated else _number(text)
        if found is None:
            kind = "a date like 2026-01-31" if self.dated else "a number"
            raise SpecError(f"{key}: {text!r} is not {kind}, as the periods are ({self.labels[0]}, ...)")
        return found

    def first_from(self, value: Scalar, key: str) -> int:
        """Position of the first period at or after a value; there must be one, and one before it."""
        position = int(np.searchsorted(self.at, self.place(value, key)))
        if position == 0:
            raise SpecError(f"{key}: no period lies before {truth(value)}; the first is {self.labels[0]}")
        if position == len(self.at):
            raise SpecError(
                f"{key}: no period lies at or after {truth(value)}; the last is {self.labels[-1]}"
            )
        return position

    def index(self) -> tuple[Floats, float]:
        """Places in whole steps from the first period (months where dates are months), and the share of gaps."""
        months = _months(self.at) if self.dated else None
        at = self.at if months is None else months
        steps = np.diff(at)
        unit = float(steps.min()) if len(steps) else 1.0
        whole = np.round((at - at[0]) / unit)
        missing = float(whole[-1]) + 1 - len(at)
        return whole, missing / (float(whole[-1]) + 1)


def periods_of(table: Table, name: str) -> Periods:
    """The periods in a column: all numbers, or all ISO dates."""
    found = table.complete(name)
    numbers = [_number(n) for n in found.names]
    dated = any(n is None for n in numbers)
    places = [_day(n) for n in found.names] if dated else numbers
    for place, text in zip(places, found.names, strict=True):
        if place is None:
            row = int(np.flatnonzero(found.codes == found.names.index(text))[0])
            raise SpecError(
                f"{table.where(row)}, column {name}: {text!r} is neither a number nor a date like 2026-01-31"
            )
    if dated:
        _one_clock(table, name, found.names, np.array(places, dtype=float))
    at, position = np.unique(np.array(places, dtype=float), return_inverse=True)
    labels = [""] * len(at)
    for text, i in zip(found.names, position, strict=True):
        labels[int(i)] = labels[int(i)] or text
    if not dated and _like_months(at):
        raise SpecError(
            f"{table.name}, column {name}: {labels[0]} looks like year and month as one number, whose steps are "
            "uneven; write dates, e.g. 2026-01-01"
        )
    return Periods(position[found.codes].astype(np.int64), at, tuple(labels), dated)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if "_" in text:
        return None  # Python's own reading of 2020_01 is the number 202001
    return value if math.isfinite(value) else None


def _day(text: str) -> float | None:
    """Days since year 1 as the clock of the text shows them, the time of day as a fraction; a month means its first day."""
    if len(text) == 7 and text[4] == "-":
        text = f"{text}-01"
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    day = moment.replace(tzinfo=None)
    return day.toordinal() + (day - day.replace(hour=0, minute=0, second=0, microsecond=0)) / dt.timedelta(
        days=1
    )


def _one_clock(table: Table, name: str, texts: tuple[str, ...], places: Floats) -> None:
    """Refuse times whose zones put them in another order than their clocks show."""
    moments = [dt.datetime.fromisoformat(t) for t in texts if len(t) > 10]
    aware = [m.timestamp() for m in moments if m.tzinfo is not None]
    if not aware:
        return
    clock = np.array([p for p, t in zip(places, texts, strict=True) if len(t) > 10])
    order = np.argsort(clock, kind="stable")
    if len(aware) < len(moments) or (np.diff(np.array(aware)[order]) < 0).any():
        raise SpecError(
            f"{table.name}, column {name}: times of several zones, or with and without one; write them all in one zone"
        )


def _months(at: Floats) -> Floats | None:
    """Months since year 0 where every date (days since year 1) is the same day of a month; None for other calendars."""
    days = [dt.date.fromordinal(int(a)) for a in at]
    if len({d.day for d in days}) != 1 or len(np.unique(at % 1)) != 1 or len(at) < 2:
        return None
    return np.array([12 * d.year + d.month for d in days], dtype=float)


def _like_months(at: Floats) -> bool:
    whole = at.astype(np.int64)
    if (
        not (at == whole).all()
        or whole.min() < 190001
        or whole.max() > 210012
        or whole.max() - whole.min() < 12
    ):
        return False
    return bool(((whole % 100 >= 1) & (whole % 100 <= 12)).all())
