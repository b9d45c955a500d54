"""One row against its layout: its key, its figures, and every cell that is not what its column promises."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from zoneinfo import ZoneInfo

from app.govern.baselines.dialect import BIGGEST, Dialect, Fault, on_grid, period_of, unit_name
from app.govern.baselines.layout import Column, Layout
from app.govern.baselines.reading import Cell

Key = tuple[str, str]
Fields = list[tuple[str, str, Cell]]  # code, column, value
MOST_PERIODS = 20_000  # remembered as they are written; files have far more rows than periods
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LENGTH = {"hour": dt.timedelta(hours=1), "day": dt.timedelta(days=1), "week": dt.timedelta(days=7)}


def shown(value: Cell) -> str:
    """A cell as text; characters that cannot be seen are spelt out."""
    text = "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)
    return text if text.isprintable() else ascii(text)[1:-1]


def guard(text: str) -> str:
    """Text that a spreadsheet shows and never runs."""
    return "'" + text if text.startswith(_RUNS) else text


def row_of(
    cells: list[Cell],
    places: dict[str, int],
    layout: Layout,
    dialect: Dialect,
    now: dt.datetime,
    periods: dict[str, str],
) -> tuple[Fields, Key, tuple[float, ...]]:
    """Faults as (code, column, value), the row's key, and its figures. `periods` remembers those read before."""
    faults: Fields = []
    key = {"period": "", "unit": ""}
    figures: list[float] = []
    for column in layout.columns:
        at = places[column.name]
        value = cells[at] if at < len(cells) else None
        try:
            if column.kind == "unit":
                key["unit"] = _unit(value)
            elif column.kind == "period":
                known = periods.get(value) if isinstance(value, str) else None
                key["period"] = known or _period(value, layout, dialect, now)
                if known is None and isinstance(value, str) and len(periods) < MOST_PERIODS:
                    periods[value] = key["period"]
            else:
                figures.append(_figure(value, column, dialect))
        except Fault as fault:
            faults.append((fault.code, column.name, value))
    if not faults and layout.shared and figures[1] == 0:
        faults.append(("zero_denominator", "denominator", cells[places["denominator"]]))
    elif not faults and layout.shared and figures[0] > figures[1]:
        faults.append(("above_denominator", "numerator", cells[places["numerator"]]))
    return faults, (key["period"], key["unit"]), tuple(figures)


def _period(value: Cell, layout: Layout, dialect: Dialect, now: dt.datetime) -> str:
    """The period's beginning as canonical text. Raises Fault."""
    when = _typed_period(value, layout, dialect)
    if isinstance(when, dt.datetime):
        if when + _LENGTH["hour"] > now:
            raise Fault("future")
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")
    if when.year < 1900:
        raise Fault("no_such_date")
    if _end(when, layout.period) > now.date():
        raise Fault("future")
    return when.isoformat()


def _end(when: dt.date, period: str) -> dt.date:
    """The first day after a period."""
    if period in _LENGTH:
        return when + _LENGTH[period]
    months = when.year * 12 + when.month - 1 + (3 if period == "quarter" else 1)
    return dt.date(months // 12, months % 12 + 1, 1)


def _typed_period(value: Cell, layout: Layout, dialect: Dialect) -> dt.date | dt.datetime:
    if value is None:
        raise Fault("missing")
    if isinstance(value, dt.datetime):
        return _of_moment(value, layout, dialect)
    if isinstance(value, dt.date):
        if layout.period == "hour":
            raise Fault("not_a_time")
        return on_grid(value, layout.period)
    if isinstance(value, bool):
        raise Fault("wrong_type")
    if isinstance(value, int | float):
        raise Fault("excel_serial" if 20_000 < value < 80_000 else "not_a_date")
    return period_of(value.strip(), layout.period, dialect)


def _of_moment(value: dt.datetime, layout: Layout, dialect: Dialect) -> dt.date | dt.datetime:
    if layout.period == "hour":
        return on_grid(value.astimezone(dt.UTC) if value.tzinfo else dialect.local(value), "hour")
    local = value.astimezone(ZoneInfo(dialect.zone)) if value.tzinfo else value
    if local.hour or local.minute or local.second:
        raise Fault("off_grid")
    return on_grid(local.date(), layout.period)


def _unit(value: Cell) -> str:
    if isinstance(value, bool | float | dt.date):
        raise Fault("wrong_type")
    text = "" if value is None else str(value)
    return unit_name(unicodedata.normalize("NFC", text).strip(" "))


def _figure(value: Cell, column: Column, dialect: Dialect) -> float:
    """A number of a column, within its range. Raises Fault."""
    if value is None:
        raise Fault("missing")
    if isinstance(value, bool | dt.date):
        raise Fault("wrong_type")
    found = float(value) if isinstance(value, int | float) else dialect.number(value.strip())
    if not math.isfinite(found):
        raise Fault("not_finite")
    if column.kind == "whole" and found != int(found):
        raise Fault("not_whole")
    low, high = column.low, column.high
    most = BIGGEST if column.kind == "whole" else 1e15
    if abs(found) > most or (low is not None and found < low) or (high is not None and found > high):
        raise Fault("out_of_range")
    return found + 0.0
