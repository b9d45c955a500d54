"""The declared dialect of a file, and how its numbers and dates are read. Nothing is ever guessed from the data."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from data.registers.baselines import DATE_ORDERS, DECIMALS

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "cp1252", "utf-16")
BIGGEST = 2**53
_FORMS = {
    "year-month-day": re.compile(r"^(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})$"),
    "day-month-year": re.compile(r"^(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>\d{4})$"),
    "month-day-year": re.compile(r"^(?P<m>\d{1,2})[./-](?P<d>\d{1,2})[./-](?P<y>\d{4})$"),
}
_NUMBER = {
    mark: re.compile(
        rf"[+-]?(\d+({re.escape(mark)}\d*)?|{re.escape(mark)}\d+)([eE][+-]?\d{{1,4}})?", re.ASCII
    )
    for mark in ".,"
}
_ANY_DATE = re.compile(r"^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}$")
_SHORT_YEAR = re.compile(r"^\d{1,2}[./-]\d{1,2}[./-]\d{2}$")
_CLOCK = re.compile(r"^(?P<h>\d{2}):(?P<min>\d{2})(:(?P<s>\d{2}))?(?P<zone>Z|[+-]\d{2}:\d{2})?$")
_WEEK, _MONTH = re.compile(r"^(\d{4})-W(\d{2})$"), re.compile(r"^(\d{4})-(\d{2})$")
_QUARTER = re.compile(r"^(\d{4})-Q([1-4])$")
_FORMULA = ("=", "+", "@", "-", "\t", "\r", "＝", "＋", "＠", "－")


class DialectError(ValueError):
    """A declaration that does not hold together; says what may be declared."""


class Fault(ValueError):  # noqa: N818 (it is caught and counted, never shown as an error)
    """A cell that is not what its column promises; `code` names the repair."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Dialect:
    """How a file is written. `delimiter` and `encoding` matter for CSV, `sheet` for workbooks."""

    delimiter: str = ","
    decimal: str = "."
    date_order: str = "year-month-day"
    zone: str = "UTC"
    encoding: str = "utf-8"
    sheet: str = ""

    @classmethod
    def declared(
        cls,
        delimiter: str,
        decimal: str,
        date_order: str,
        zone: str,
        encoding: str = "utf-8",
        sheet: str = "",
    ) -> Dialect:
        """From words as people declare them (`decimal`: point or comma). Raises DialectError."""
        mark = {"point": ".", "comma": ","}.get(decimal)
        checks = (
            ("delimiter", delimiter, delimiter in DELIMITERS, "comma, semicolon, tab or bar: , ; \\t |"),
            ("decimal", decimal, mark is not None, " or ".join(DECIMALS)),
            ("date order", date_order, date_order in DATE_ORDERS, ", ".join(DATE_ORDERS)),
            ("zone", zone, zone in available_timezones(), "an IANA name such as Europe/Berlin"),
            ("encoding", encoding, encoding in ENCODINGS, ", ".join(ENCODINGS)),
        )
        for name, value, holds, choices in checks:
            if not holds:
                raise DialectError(f"{name}: {value!r}; declare {choices}")
        if mark == delimiter:
            raise DialectError(
                "decimal: a comma cannot part columns and decimals at once; declare another delimiter"
            )
        return cls(delimiter, mark or ".", date_order, zone, encoding, sheet)

    @property
    def decimal_word(self) -> str:
        return "comma" if self.decimal == "," else "point"

    def told(self, iso: str) -> str:
        """An ISO date, with or without a clock, in the declared order."""
        day, _, clock = iso.partition(" ")
        year, month, of_month = day.split("-")
        told = {
            "year-month-day": day,
            "day-month-year": f"{of_month}/{month}/{year}",
            "month-day-year": f"{month}/{of_month}/{year}",
        }[self.date_order]
        return f"{told} {clock}" if clock else told

    def number(self, text: str) -> float:
        """A number without thousands marks, in the declared decimal mark. Raises Fault."""
        if _NUMBER[self.decimal].fullmatch(text):
            value = float(text.replace(self.decimal, "."))
            if not math.isfinite(value):
                raise Fault("not_finite")
            return value
        raise Fault(_why_no_number(text, self.decimal))

    def day(self, text: str) -> dt.date:
        """A date in the declared order, years with four digits. Raises Fault."""
        found = _FORMS[self.date_order].match(text)
        if found is None:
            if _SHORT_YEAR.match(text):
                raise Fault("short_year")
            if re.fullmatch(r"\d{5}(\.\d+)?", text):
                raise Fault("excel_serial")
            raise Fault("date_order" if _ANY_DATE.match(text) else "not_a_date")
        try:
            return dt.date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError as error:
            raise Fault("no_such_date") from error

    def moment(self, text: str) -> dt.datetime:
        """A time as UTC: with its own offset, else in the declared zone. Raises Fault."""
        day, _, clock = text.replace("T", " ", 1).partition(" ")
        found = _CLOCK.match(clock)
        if found is None:
            raise Fault("not_a_time")
        date = self.day(day)
        try:
            at = dt.time(int(found["h"]), int(found["min"]), int(found["s"] or 0))
        except ValueError as error:
            raise Fault("not_a_time") from error
        naive = dt.datetime.combine(date, at)
        if found["zone"]:
            return _in_range(dt.datetime.fromisoformat(f"{naive.isoformat()}{found['zone']}"))
        return self.local(naive)

    def local(self, naive: dt.datetime) -> dt.datetime:
        """A clock time of the declared zone as UTC. Raises Fault for hours that come twice or not at all."""
        zone = ZoneInfo(self.zone)
        first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
        there = _in_range(first)
        if first.utcoffset() == second.utcoffset():
            return there
        back = there.astimezone(zone).replace(tzinfo=None)
        raise Fault("hour_twice" if back == naive else "hour_skipped")


def _in_range(moment: dt.datetime) -> dt.datetime:
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError as error:
        raise Fault("no_such_date") from error


def _why_no_number(text: str, decimal: str) -> str:
    """The code of the first pattern that tells what was meant."""
    other, own = re.escape("." if decimal == "," else ","), re.escape(decimal)
    patterns = (
        ("missing", r"|na|n/a|null|none|nil|-"),
        ("not_finite", r"[+-]?(nan|inf|infinity)"),
        ("error_cell", r"#.*"),
        ("percent", r".*%"),
        ("thousands", rf"[+-]?\d{{1,3}}([{other}' \u00a0\u202f]\d{{3}})+({own}\d+)?"),
        ("decimal_mark", rf"[+-]?\d*{other}\d+"),
        ("decimal_mark", rf"[+-]?\d{{1,3}}({own}\d{{3}})+{other}\d+"),
        ("formula", r"[=@\t\r\uff1d\uff0b\uff20\uff0d].*|[+-][^\d].*"),
    )
    return next(
        (code for code, p in patterns if re.fullmatch(p, text, re.IGNORECASE | re.DOTALL)), "not_a_number"
    )


def unit_name(text: str) -> str:
    """A unit's name as text. Raises Fault for what a spreadsheet would run, or nobody can see."""
    if not text:
        raise Fault("missing")
    if text.startswith(_FORMULA):
        raise Fault("formula")
    if len(text) > 200:
        raise Fault("too_long")
    if not text.isprintable():
        raise Fault("invisible")
    return text


def period_of(text: str, period: str, dialect: Dialect) -> dt.date | dt.datetime:
    """The beginning of a period, on the grid of its grain. Raises Fault."""
    if not text:
        raise Fault("missing")
    if text.startswith(("=", "@", "＝")):
        raise Fault("formula")
    if period == "hour":
        return on_grid(dialect.moment(text), period)
    return on_grid(_named(text, period) or dialect.day(text), period)


def _named(text: str, period: str) -> dt.date | None:
    """2026-W02, 2026-01 or 2026-Q1, which cannot be read in two ways."""
    if period == "week" and (found := _WEEK.match(text)):
        try:
            return dt.date.fromisocalendar(int(found[1]), int(found[2]), 1)
        except ValueError as error:
            raise Fault("no_such_date") from error
    if period == "month" and (found := _MONTH.match(text)):
        return _first(int(found[1]), int(found[2]))
    if period == "quarter" and (found := _QUARTER.match(text)):
        return _first(int(found[1]), 3 * int(found[2]) - 2)
    return None


def _first(year: int, month: int) -> dt.date:
    try:
        return dt.date(year, month, 1)
    except ValueError as error:
        raise Fault("no_such_date") from error


def on_grid(when: dt.date | dt.datetime, period: str) -> dt.date | dt.datetime:
    """The same period, if it is the beginning of one. Raises Fault."""
    if isinstance(when, dt.datetime):
        if when.minute or when.second or when.microsecond:
            raise Fault("off_grid")
        return when
    off = {
        "week": when.weekday() != 0,
        "month": when.day != 1,
        "quarter": when.day != 1 or when.month not in (1, 4, 7, 10),
    }.get(period, False)
    if off:
        raise Fault("off_grid")
    return when
