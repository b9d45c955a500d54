"""Wall-clock time and working time: a wait over the weekend is long on one of these clocks and short on the other."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement

from data.policies import document
from data.sql import DAY_US, day_number, double, real, whole
from metrics.core.metric import Setting

_RULE: dict[str, Any] = document("working_hours")
HOUR_US = 3_600_000_000
WEEKDAYS, FROM_US, UNTIL_US = (
    int(_RULE["weekdays"]),
    _RULE["from_hour"] * HOUR_US,
    _RULE["until_hour"] * HOUR_US,
)
MONDAY = 3  # days from a Monday to 1970-01-01, a Thursday
WALL, WORKING = "wall", "working"
HOURS = Setting(
    "hours", WALL, f"wall-clock time, or Monday to Friday {_RULE['from_hour']} to {_RULE['until_hour']} h {_RULE['zone']}",
    (WALL, WORKING),
)  # fmt: skip


def worked_us(us: ColumnElement[int]) -> ColumnElement[int]:
    """Working microseconds from a Monday long ago up to an instant (epoch microseconds): differences of it are waits."""
    day = day_number(us)
    weeks = whole(sa.func.floor(double(day + MONDAY) / real(7)))
    weekday, clock = day + MONDAY - weeks * 7, us - day * DAY_US
    before = sa.case((weekday < WEEKDAYS, weekday), else_=WEEKDAYS)
    today = sa.case((clock <= FROM_US, 0), (clock >= UNTIL_US, UNTIL_US - FROM_US), else_=clock - FROM_US)
    worked: ColumnElement[int] = (weeks * WEEKDAYS + before) * (UNTIL_US - FROM_US) + sa.case(
        (weekday < WEEKDAYS, today), else_=0
    )
    return worked
