"""Quiet hours in the recipient's local time: safe across daylight saving, careful where the zone is unknown.

Pure arithmetic; the hours come from `data/policies/quiet_hours.toml` and the zones of a country from the `tzdata`
package, each read once. Hours are half-open: a send at exactly the closing hour is not permitted.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from zoneinfo import ZoneInfo

from data.policies import document

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Hours:
    """The permitted hours of a place: (from, to) by weekday (0 is Monday), None where the day is closed."""

    jurisdiction: str
    by_weekday: tuple[tuple[int, int] | None, ...]
    zones: tuple[str, ...]
    source: str
    evidence: str
    review_by: dt.date

    def permits(self, local: dt.datetime) -> bool:
        window = self.by_weekday[local.weekday()]
        return window is not None and window[0] <= local.hour < window[1]


@dataclass(frozen=True)
class Quiet:
    """The local times looked at, and the rule and zone that refuse the send (None where it is permitted)."""

    local: tuple[dt.datetime, ...]
    refused_by: str | None = None
    refused_in: str | None = None
    assumed: tuple[str, ...] = field(default=())

    @property
    def permitted(self) -> bool:
        return self.refused_by is None


@functools.cache
def hours() -> tuple[Hours, ...]:
    """The permitted hours of every place that has a rule."""
    found = document("quiet_hours")
    return tuple(
        Hours(
            p["jurisdiction"],
            tuple((p["hours"][d][0], p["hours"][d][1]) if d in p["hours"] else None for d in _DAYS),
            tuple(p.get("zones", ())),
            p["source"],
            p["evidence"],
            p.get("review_by", found["review_by"]),
        )
        for p in found["place"]
    )


@functools.cache
def _zone_table() -> tuple[tuple[str, str], ...]:
    """(country, zone) pairs of the tz database."""
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((row[0], row[2]) for row in rows)


@functools.cache
def zones_of(jurisdiction: str | None) -> tuple[str, ...]:
    """The zones people of a jurisdiction may live in (`US-FL`, `US`); None: every zone there is.

    A region without zones of its own in the file has those of its country. UTC where nothing is known.
    """
    for place in hours():
        if place.jurisdiction == jurisdiction and place.zones:
            return place.zones
    country = jurisdiction.split("-")[0] if jurisdiction else None
    found = sorted({zone for c, zone in _zone_table() if country in (None, c)})
    return tuple(found) or ("UTC",)


def place_hours(jurisdiction: str) -> tuple[Hours, ...]:
    """The rules that hold in a place: its region's and its country's. Empty: no rule is known."""
    country = jurisdiction.split("-", maxsplit=1)[0]
    return tuple(h for h in hours() if h.jurisdiction in (jurisdiction, country))


def plausible_hours(country: str, zone: str) -> tuple[Hours, ...]:
    """The rules that may hold for someone of a country in a zone when the region is unknown."""
    return tuple(
        h
        for h in hours()
        if h.jurisdiction == country or (h.jurisdiction.startswith(country + "-") and zone in h.zones)
    )


def verdict(sent_at: dt.datetime, jurisdiction: str, zone: str | None = None) -> Quiet:
    """Whether a send was within permitted hours. Raises ValueError for a naive time.

    Unknown `zone`: permitted only where it is permitted in every zone the recipient may live in.
    """
    zones = (zone,) if zone else zones_of(jurisdiction)
    assumed = () if zone else (f"time zone unknown: permitted only in all {len(zones)} plausible zones",)
    return judge(sent_at, place_hours(jurisdiction), zones, assumed)


def judge(
    sent_at: dt.datetime, rules: Sequence[Hours], zones: Sequence[str], assumed: tuple[str, ...] = ()
) -> Quiet:
    """Whether every rule permits the send in every zone; the first refusal, in order, is named."""
    if sent_at.tzinfo is None:
        raise ValueError("sent_at must be an aware time")
    local = tuple(sent_at.astimezone(ZoneInfo(zone)) for zone in zones)
    for zone, time in zip(zones, local, strict=True):
        for rule in rules:
            if not rule.permits(time):
                return Quiet(local, rule.jurisdiction, zone, assumed)
    return Quiet(local, assumed=assumed)


def open_hours_utc(day: dt.date, jurisdiction: str, zone: str | None = None) -> tuple[dt.datetime, ...]:
    """The full hours of a UTC day whose every quarter may be used (zones differ from UTC by quarters at least)."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    hours_of_day = (start + dt.timedelta(hours=h) for h in range(24))
    quarters = [dt.timedelta(minutes=m) for m in (0, 15, 30, 45)]
    return tuple(
        h for h in hours_of_day if all(verdict(h + q, jurisdiction, zone).permitted for q in quarters)
    )
