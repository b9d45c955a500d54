"""Numbers, times and names as an executive reads them: a Reading goes in, words come out, in the reader's own marks."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

from app.measure.manner import manner
from metrics.core.metric import Direction, Metric, Reading, Unit
from metrics.core.verdict import Target

DASH = "\u2013"  # what stands where a number would
NBSP = "\u00a0"
MINUS = "\u2212"
THOUSANDS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
DURATIONS = ((86_400.0, "day"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True)
class Shown:
    """A reading in words: `value` with its unit, `interval` as "61 to 65 %" (empty where there is none), `n`."""

    value: str
    interval: str
    n: str


@dataclass(frozen=True)
class Style:
    """How a metric's numbers are written: `scale` and `suffix` turn a share into per cent or points."""

    unit: Unit
    scale: float = 1.0
    suffix: str = ""
    signed: bool = False
    fewest: int = 0
    most: int = 3


def style(metric: Metric[object]) -> Style:
    """The way this metric's numbers are written. A difference of shares is in points, and shows its sign."""
    difference = metric.key.endswith("_difference")
    match metric.unit:
        case Unit.SHARE if difference and "relative" not in metric.key:
            return Style(metric.unit, 100.0, f"{NBSP}points", signed=True, most=2)
        case Unit.SHARE:
            return Style(metric.unit, 100.0, f"{NBSP}%", signed=difference, most=2)
        case Unit.SCORE:
            signed = metric.direction is Direction.NEITHER
            return Style(metric.unit, signed=signed, fewest=2, most=4)
        case Unit.RATIO:
            return Style(metric.unit, fewest=2, most=2)
        case Unit.MONEY:
            return Style(metric.unit, signed=difference)
        case _:
            return Style(metric.unit)


def change(metric: Metric[object], size: float, reading: Reading) -> str:
    """The size of a change, with the digits of the reading it led to; a change of a share is in points."""
    how = style(metric)
    suffix = f"{NBSP}points" if how.suffix.endswith("%") else how.suffix
    width = None if reading.low is None or reading.high is None else reading.high - reading.low
    return number(abs(size), replace(how, signed=False, suffix=suffix), width)


def shown(metric: Metric[object], reading: Reading) -> Shown:
    """The reading in words; a dash where it is undefined (its reason is `reading.reason`)."""
    how = style(metric)
    if reading.value is None:
        return Shown(DASH, "", people(reading.n))
    if reading.low is None or reading.high is None:
        return Shown(number(reading.value, how), "", people(reading.n))
    width = reading.high - reading.low
    low, high = (number(x, how, width, bare=True) for x in (reading.low, reading.high))
    return Shown(number(reading.value, how, width), f"{low} to {high}{how.suffix}", people(reading.n))


def number(value: float, how: Style, width: float | None = None, *, bare: bool = False) -> str:
    """One number in a style. `width` is its interval's, which sets the digits worth printing."""
    suffix = "" if bare else how.suffix
    match how.unit:
        case Unit.SECONDS:
            return duration(value)
        case Unit.COUNT:
            return compact(value) if abs(value) >= 1e6 else count(value)
        case Unit.P_VALUE:
            return _p_value(value)
        case Unit.MONEY | Unit.NUMBER:
            return _signed(compact(value, width), value, signed=how.signed)
        case _:
            scaled = value * how.scale
            places = decimals(scaled, None if width is None else width * how.scale, how.fewest, how.most)
            text = _signed(_fixed(scaled, places), scaled, signed=how.signed)
            return f"{text}{suffix}"


def _p_value(value: float) -> str:
    if value < 0.001:
        return f"under {_fixed(0.001, 3)}"
    return _fixed(value, 2 if value >= 0.01 else 3)


def count(n: float) -> str:
    """A whole number with its groups told apart: 12,345."""
    return manner().marked(f"{n:,.0f}")


def formatted(value: float, form: str) -> str:
    """A number in one of Python's formats, in the reader's marks and with a minus sign where that writes a hyphen."""
    return manner().marked(format(value, form).replace("-", MINUS))


def from_to(metric: Metric[object], before: Reading, now: Reading) -> str:
    """Two readings of one metric with the same digits, "0.80 to 0.74"."""
    widths = [r.high - r.low for r in (before, now) if r.high is not None and r.low is not None]
    values = (r.value for r in (before, now) if r.value is not None)
    return " to ".join(number(v, style(metric), max(widths, default=None)) for v in values)


def target_number(metric: Metric[object], value: float) -> str:
    """A threshold as people write it: no more digits than it has."""
    how = style(metric)
    if how.unit in (Unit.SHARE, Unit.SCORE, Unit.RATIO, Unit.NUMBER, Unit.MONEY):
        text = formatted(value * how.scale, ",.6g")
        return f"{text}{how.suffix.removesuffix('s') if text == '1' else how.suffix}"
    return number(value, how)


def target_words(metric: Metric[object], target: Target) -> str:
    """A target as people say it, "at least 80 %"."""
    return f"{target.comparator.value} {target_number(metric, target.threshold)}"


def decimals(value: float, width: float | None, fewest: int, most: int) -> int:
    """Decimal places worth printing: the interval shows about two digits of its width."""
    scale = abs(value) if width is None else width / 2
    if scale <= 0 or not math.isfinite(scale):
        return fewest
    wanted = math.ceil(-math.log10(scale) - 1e-9) if width is not None else 2 - math.floor(math.log10(scale))
    return min(max(wanted, fewest), most)


def _fixed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return manner().marked(text.replace("-", MINUS))


def _signed(text: str, value: float, *, signed: bool) -> str:
    plain = not any(c in "123456789" for c in text)
    return f"+{text}" if signed and value > 0 and not plain else text


def compact(value: float, width: float | None = None) -> str:
    """Two significant digits or so: 4.2 M, 380 k, 0.77. `width` keeps an interval's ends apart and aligned."""
    size = max(abs(value), abs(width or 0.0))
    for divisor, letter in THOUSANDS:
        if size >= divisor * (10 if letter == "k" else 1):
            return f"{_two_digits(value / divisor, None if width is None else width / divisor)}{NBSP}{letter}"
    return _two_digits(value, width)


def _two_digits(value: float, width: float | None) -> str:
    scale = abs(value) if width is None else width
    if scale == 0:
        return "0"
    places = max(0, 1 - math.floor(math.log10(scale)))
    return _fixed(value, min(places, 6))


def people(n: int) -> str:
    """A count with thousands separators; millions are compact."""
    return compact(float(n)) if n >= 10_000_000 else count(n)


def duration(seconds: float) -> str:
    """A length of time in the unit a person would say: 9 h 40 min, 3 days, 45 s, 120 ms."""
    sign, left = (MINUS, -seconds) if seconds < 0 else ("", seconds)
    if left < 1:
        return f"{sign}{left * 1000:.0f}{NBSP}ms"
    for at, (size, name) in enumerate(DURATIONS):
        if left >= size:
            whole = int(left // size)
            text = f"{sign}{whole}{NBSP}{name}{'s' if name == 'day' and whole != 1 else ''}"
            if at + 1 == len(DURATIONS) or whole >= 10:
                return text
            small, unit = DURATIONS[at + 1]
            rest = int((left - whole * size) // small)
            return f"{text} {rest}{NBSP}{unit}" if rest else text
    return f"{sign}0{NBSP}s"


def date(day: dt.date) -> str:
    """26 Nov 2026."""
    return f"{day.day}{NBSP}{day:%b}{NBSP}{day.year}"


def moment(time: dt.datetime) -> str:
    """26 Nov 2026, 06:15 UTC, by the reader's clock."""
    here = time.astimezone(manner().clock)
    return f"{date(here.date())}, {here:%H:%M}{NBSP}{_zone(here)}"


def _zone(time: dt.datetime) -> str:
    """What people call the zone, CET; UTC+04 where it has no letters."""
    name = time.tzname() or "UTC"
    return name if name[0].isalpha() else f"UTC{name.replace('-', MINUS)}"


def days_between(first: dt.date, last: dt.date) -> str:
    """24 Aug to 22 Nov 2026; the first year only where it differs."""
    start = date(first) if first.year != last.year else f"{first.day}{NBSP}{first:%b}"
    return date(last) if first == last else f"{start} to {date(last)}"


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """3 h ago; "just now" within a minute."""
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return "just now"
    for size, name in DURATIONS[:3]:
        if seconds >= size:
            whole = int(seconds // size)
            return f"{whole}{NBSP}{name}{'s' if name == 'day' and whole != 1 else ''} ago"
    return "just now"


def named(name: str) -> str:
    """A dimension's name without its prefix and underscores: attr_age_band is age band."""
    return name.removeprefix("attr_").removesuffix("_id").replace("_", " ")


def group(by: tuple[tuple[str, str | None], ...]) -> str:
    """A breakdown's values, "churn_v3, 60+"; empty for none."""
    return ", ".join("not recorded" if value is None else value for _, value in by)


def plural(n: int, one: str, many: str | None = None) -> str:
    """1 model, 2 models."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def article(noun: str) -> str:
    """a risk, an initiative."""
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """a, b and c; longer lists end with how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def sentence(reason: str) -> str:
    """A reason as a sentence."""
    return f"{reason[0].upper()}{reason[1:].rstrip('.')}." if reason else ""
