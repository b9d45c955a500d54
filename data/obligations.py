"""Suppression obligations: which rule binds a "stop", and until when. Never 10 x 24 hours.

Pure arithmetic on dates, holiday calendars (library `holidays`) and time zones; the rules come from
`data/policies/obligations.toml` through `rules()`, the one function here that reads a file.
Day 1 is the next business day after the day of receipt in the recipient's zone; a deadline is the end of a day
in the recipient's jurisdiction. What is not known (zone, jurisdiction) is decided by the strictest plausible
reading, and the answer says so.
"""

from __future__ import annotations

import calendar
import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

import holidays

from data.policies import document
from data.quiet_hours import zones_of

Kind = Literal["immediate", "hours", "days", "months", "business_days"]
Boundary = Literal["end_of_day", "start_of_day"]


@dataclass(frozen=True)
class Deadline:
    """How long a rule gives: `n` of `kind`; at `end` of the last day, or withdrawn from its start."""

    kind: Kind
    n: int = 0
    end: Boundary = "end_of_day"


@dataclass(frozen=True)
class Rule:
    """One dated obligation. `nature` is law, platform or practice; `evidence` says how well it was read."""

    id: str
    title: str
    jurisdiction: tuple[str, ...]
    triggers: tuple[str, ...]
    channels: tuple[str, ...]
    scope: str
    deadline: Deadline
    source: str
    evidence: Literal["read", "secondary", "memory"]
    review_by: dt.date
    nature: Literal["law", "platform", "practice"] = "law"
    target_seconds: int = 0
    in_force_from: dt.date | None = None
    in_force_until: dt.date | None = None

    def in_force(self, day: dt.date) -> bool:
        started = self.in_force_from is None or day >= self.in_force_from
        return started and (self.in_force_until is None or day < self.in_force_until)

    def applies(self, trigger: str, channel: str) -> bool:
        return trigger in self.triggers and ("*" in self.channels or channel in self.channels)

    def calendar(self) -> str:
        """The holiday calendar of the rule: the country of its jurisdiction."""
        return self.jurisdiction[0].split("-")[0]


@dataclass(frozen=True)
class Obligation:
    """The rule that binds, the first instant (UTC) at which a send is past the deadline, the last day on which
    a send is still permitted (None for deadlines shorter than a day), and what had to be assumed.
    """

    rule: Rule
    past_from: dt.datetime
    last_permitted_day: dt.date | None
    assumed: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Profile:
    """What a trigger stops under a policy profile."""

    stops: bool
    channels: Literal["all", "own"]
    address: Literal["all", "own"]
    programme: Literal["all", "own"]


@functools.cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the file. Reads the packaged file once."""
    found = document("obligations")
    return tuple(_rule(entry, found["review_by"]) for entry in found["rule"])


def _rule(entry: dict[str, Any], review_by: dt.date) -> Rule:
    return Rule(
        id=entry["id"],
        title=entry["title"],
        jurisdiction=tuple(entry["jurisdiction"]),
        triggers=tuple(entry["triggers"]),
        channels=tuple(entry["channels"]),
        scope=entry["scope"],
        deadline=Deadline(**entry["deadline"]),
        source=entry["source"],
        evidence=entry["evidence"],
        review_by=entry.get("review_by", review_by),
        nature=entry.get("nature", "law"),
        target_seconds=entry.get("target_seconds", 0),
        in_force_from=entry.get("from"),
        in_force_until=entry.get("until"),
    )


@functools.cache
def profile(name: str, trigger: str) -> Profile:
    """What `trigger` stops under the profile `strict` or `industry`. Raises KeyError for other names."""
    found = document("profiles")[name]
    return Profile(**found.get(trigger, found["default"]))


def due_for_review(day: dt.date) -> tuple[Rule, ...]:
    """The rules whose review date has passed."""
    return tuple(r for r in rules() if r.review_by < day)


@functools.cache
def _holidays(country: str, year: int) -> frozenset[dt.date]:
    """National holidays of a year, observed days included; empty where the country has no calendar."""
    if country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year, observed=True))


def is_business_day(day: dt.date, country: str) -> bool:
    """Monday to Friday and no national holiday (`country` is ISO 3166, such as US)."""
    return day.weekday() < 5 and day not in _holidays(country, day.year)


def nth_business_day(received: dt.date, n: int, country: str) -> dt.date:
    """The n-th business day after the day of receipt. Day 1 is the next business day. Raises ValueError: n < 1."""
    if n < 1:
        raise ValueError("n must be at least 1")
    day = received
    while n:
        day += dt.timedelta(days=1)
        n -= is_business_day(day, country)
    return day


def business_deadlines(first: dt.date, last: dt.date, n: int, country: str) -> tuple[dt.date, ...]:
    """`nth_business_day` of every day from `first` to `last`, both included: a table to join in SQL."""
    days = (first + dt.timedelta(days=i) for i in range((last - first).days + 1))
    return tuple(nth_business_day(day, n, country) for day in days)


def _month_later(day: dt.date, n: int) -> dt.date:
    """The same day n months on; the last of the month where it has no such day (31 January -> 28 February)."""
    months = day.year * 12 + day.month - 1 + n
    year, month = divmod(months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@functools.lru_cache(maxsize=256)
def last_day(rule: Rule, received: dt.date) -> dt.date | None:
    """The last day on which a send is still permitted; None where the deadline is shorter than a day.

    A `start_of_day` deadline is withdrawn from its day on, so the last permitted day is the one before.
    """
    limit = rule.deadline
    if limit.kind in ("immediate", "hours"):
        return None
    if limit.kind == "business_days":
        day = nth_business_day(received, limit.n, rule.calendar())
    elif limit.kind == "months":
        day = _month_later(received, limit.n)
    else:
        day = received + dt.timedelta(days=limit.n)
    return day - dt.timedelta(days=1) if limit.end == "start_of_day" else day


def past_from(rule: Rule, received_at: dt.datetime, zone: str) -> dt.datetime:
    """The first instant (UTC) at which a send is past the rule's deadline, for a recipient in `zone`.

    An immediate deadline is `received_at` itself: a send strictly after it is late. Raises ValueError for a naive
    time, ZoneInfoNotFoundError for an unknown zone.
    """
    if received_at.tzinfo is None:
        raise ValueError("received_at must be an aware time")
    day = last_day(rule, received_at.astimezone(ZoneInfo(zone)).date())
    if day is None:
        hours = rule.deadline.n if rule.deadline.kind == "hours" else 0
        return received_at.astimezone(dt.UTC) + dt.timedelta(hours=hours)
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(zone))
    return midnight.astimezone(dt.UTC)


def covers(rule: Rule, jurisdiction: str) -> bool:
    """Whether a rule holds in a jurisdiction: its own, its country, the group its country is in, or everywhere."""
    country = jurisdiction.split("-", maxsplit=1)[0]
    groups = document("obligations")["groups"]
    names = {"*", jurisdiction, country, *(g for g, members in groups.items() if country in members)}
    return not names.isdisjoint(rule.jurisdiction)


def obligations(
    trigger: str,
    channel: str,
    received_at: dt.datetime,
    *,
    jurisdiction: str | None = None,
    zone: str | None = None,
    natures: Iterable[str] = ("law",),
) -> tuple[Obligation, ...]:
    """Every obligation that a "stop" puts on a channel, the earliest deadline first.

    Unknown `jurisdiction`: every jurisdiction's rules are plausible. Unknown `zone`: the zone of the rule's
    jurisdiction in which the deadline comes first. Both are named in `assumed`. Empty: no rule is known.
    """
    wanted = set(natures)
    found = [
        _obligation(rule, received_at, jurisdiction, zone)
        for rule in rules()
        if rule.nature in wanted
        and rule.applies(trigger, channel)
        and rule.in_force(received_at.date())
        and (jurisdiction is None or covers(rule, jurisdiction))
    ]
    return tuple(sorted(found, key=lambda o: (o.past_from, o.rule.id)))


def binding(
    trigger: str,
    channel: str,
    received_at: dt.datetime,
    *,
    jurisdiction: str | None = None,
    zone: str | None = None,
) -> Obligation | None:
    """The legal obligation with the earliest deadline, or None where no law is known for it."""
    found = obligations(trigger, channel, received_at, jurisdiction=jurisdiction, zone=zone)
    return found[0] if found else None


def _obligation(
    rule: Rule, received_at: dt.datetime, jurisdiction: str | None, zone: str | None
) -> Obligation:
    assumed = []
    if jurisdiction is None and rule.jurisdiction != ("*",):
        assumed.append(
            f"jurisdiction unknown: {', '.join(rule.jurisdiction)} taken as plausible ({rule.id}, {rule.title})"
        )
    candidates: Sequence[str] = (zone,) if zone else _zones(rule, jurisdiction)
    ends = {z: past_from(rule, received_at, z) for z in candidates}
    chosen = min(ends, key=lambda z: (ends[z], z))
    if zone is None and len(set(ends.values())) > 1:
        assumed.append(f"time zone unknown: {chosen} has the earliest deadline")
    day = last_day(rule, received_at.astimezone(ZoneInfo(chosen)).date())
    return Obligation(rule, ends[chosen], day, tuple(assumed))


@functools.cache
def _zones(rule: Rule, jurisdiction: str | None) -> tuple[str, ...]:
    """The zones a recipient of the rule may live in; UTC where the rule holds everywhere (its hours are absolute)."""
    if jurisdiction is not None:
        return zones_of(jurisdiction)
    groups = document("obligations")["groups"]
    places = [m for j in rule.jurisdiction if j != "*" for m in groups.get(j, [j])]
    return tuple(sorted({z for p in places for z in zones_of(p)})) or ("UTC",)
