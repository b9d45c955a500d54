"""Past which legal deadline is a violation? The calendar part that no SQL dialect can do.

SQL names the rule that binds a stop first (by its nominal length), the quarter of an hour in which the stop was
received and that of the send. Deadlines fall on local midnights, which lie on quarters of an hour, so nothing is
lost; `resolve` then decides on the real calendars. Where the jurisdiction is not recorded only rules
that hold everywhere apply: a deadline is not made up.
"""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnElement, FromClause

from data.obligations import Rule, last_day, rules
from data.policies import document
from data.quiet_hours import zones_of
from data.sql import DAY_US, day_of, double, real, whole
from metrics.core.contact import never
from metrics.core.shapes import Columns

TIERS = ("in_flight", "breach", "past_legal_deadline")
QUARTER_US = 900_000_000
QUARTERS_A_DAY = 96
RULES = 128  # room for the number of a rule in a packed key
LATE_DAYS, EARLY_DAYS = (
    25,
    8,
)  # further from the nominal end than any run of holidays, weekends and zones moves it
UNITS = {"immediate": 0.0, "hours": 1 / 24, "days": 1.0, "months": 30.0, "business_days": 7 / 5}


@functools.cache
def laws() -> tuple[tuple[int, Rule], ...]:
    """The legal rules with their numbers, the shortest first."""
    found = [(i, r) for i, r in enumerate(rules()) if r.nature == "law"]
    return tuple(sorted(found, key=lambda r: (nominal_quarters(r[1]), r[0])))


def nominal_quarters(rule: Rule) -> int:
    """About how long a rule gives, in quarters of an hour: it orders rules, and is taken off again."""
    return round(rule.deadline.n * UNITS[rule.deadline.kind] * QUARTERS_A_DAY)


def _holds(rule: Rule, jurisdiction: ColumnElement[str]) -> ColumnElement[bool]:
    if "*" in rule.jurisdiction:
        return sa.true()
    groups = document("obligations")["groups"]
    countries = [c for j in rule.jurisdiction for c in groups.get(j, [j])]
    within = sa.func.substr(jurisdiction, 1, 2).in_([c for c in countries if "-" not in c] or [""])
    regions = jurisdiction.in_([*countries, *rule.jurisdiction])
    apart = sa.or_(sa.func.length(jurisdiction) == 2, sa.func.substr(jurisdiction, 3, 1) == "-")
    return sa.or_(regions, sa.and_(within, apart))


def quarter(us: ColumnElement[int]) -> ColumnElement[int]:
    return whole(sa.func.floor(double(us) / real(QUARTER_US)))


def due_key(stop: FromClause, channel: ColumnElement[str]) -> ColumnElement[int]:
    """Nominal deadline (quarters) x 128 + number of the rule that binds this stop first in a channel; else NEVER."""
    arms = []
    for number, rule in laws():
        tests = [stop.c.trigger_type.in_(rule.triggers), _holds(rule, stop.c.jurisdiction)]
        if "*" not in rule.channels:
            tests.append(channel.in_(rule.channels))
        if rule.in_force_from is not None:
            tests.append(stop.c.known_us >= day_of(rule.in_force_from) * DAY_US)
        if rule.in_force_until is not None:
            tests.append(stop.c.known_us < day_of(rule.in_force_until) * DAY_US)
        arms.append((sa.and_(*tests), (quarter(stop.c.known_us) + nominal_quarters(rule)) * RULES + number))
    return sa.case(*arms, else_=never())


def tier(
    due: ColumnElement[int], sent_us: ColumnElement[int], plain: ColumnElement[str]
) -> ColumnElement[str]:
    """The tier; or `due|rule's key|quarter of the send|tier if in time` where only a calendar can tell."""
    ahead = quarter(sent_us) - whole(sa.func.floor(double(due) / real(RULES)))
    bar, past = sa.literal_column("'|'", sa.Text()), sa.literal_column(f"'{TIERS[2]}'", sa.Text())
    token = sa.literal_column("'due|'", sa.Text()).concat(sa.cast(due, sa.Text)).concat(bar)
    token = token.concat(sa.cast(quarter(sent_us), sa.Text)).concat(bar).concat(plain)
    at_once = [number for number, rule in laws() if rule.deadline.kind == "immediate"]
    return sa.case(
        (due >= never(), plain),
        (whole(due % RULES).in_(at_once or [-1]), past),
        (ahead > LATE_DAYS * QUARTERS_A_DAY, past),
        (ahead < -EARLY_DAYS * QUARTERS_A_DAY, plain),
        else_=token,
    )


def resolve(columns: Columns) -> Columns:
    """The columns with every waiting tier decided on the calendar of its rule, and `past_deadline` (0, 1) to match."""
    if "tier" not in columns or not columns["tier"].size:
        return columns
    given = columns["tier"].astype(object)
    names, at = np.unique(np.array(["" if t is None else str(t) for t in given]), return_inverse=True)
    decided = np.array([_decided(str(t)) for t in names], dtype=object)
    tiers = decided[at.reshape(-1)]
    return columns | {"tier": tiers, "past_deadline": (tiers == TIERS[2]).astype(np.int64)}


def _decided(text: str) -> str | None:
    if not text.startswith("due|"):
        return text or None
    _, key, sent, plain = text.split("|")
    rule = rules()[int(key) % RULES]
    received = int(key) // RULES - nominal_quarters(rule)
    return TIERS[2] if int(sent) >= past_quarter(int(key) % RULES, received) else plain


@functools.lru_cache(maxsize=200_000)
def past_quarter(number: int, received: int) -> int:
    """The first quarter of an hour that is past the deadline of a stop received in this one.

    The recipient's zone is not known: of the zones in which the rule holds, that in which it ends first.
    """
    rule = rules()[number]
    at = dt.datetime.fromtimestamp(received * 900, dt.UTC)
    if last_day(rule, at.date()) is None:
        hours = rule.deadline.n if rule.deadline.kind == "hours" else 0
        return received + 4 * hours
    return min(_midnight(number, at.astimezone(zone).date(), zone) for zone in _zones(number))


@functools.lru_cache(maxsize=200_000)
def _midnight(number: int, day: dt.date, zone: dt.tzinfo) -> int:
    last = last_day(rules()[number], day)
    assert last is not None
    ends = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone)
    return int(ends.timestamp()) // 900


@functools.cache
def _zones(number: int) -> tuple[dt.tzinfo, ...]:
    """Zones in which a rule holds, one for each set of clocks."""
    from zoneinfo import ZoneInfo

    groups = document("obligations")["groups"]
    places = [m for j in rules()[number].jurisdiction if j != "*" for m in groups.get(j, [j])]
    zones = [ZoneInfo(z) for z in sorted({z for p in places for z in zones_of(p)})] or [ZoneInfo("UTC")]
    when = [dt.datetime(y, m, 15, tzinfo=dt.UTC) for y in (2015, 2020, 2026) for m in (1, 7)]
    return tuple({tuple(t.astimezone(z).utcoffset() for t in when): z for z in zones}.values())
