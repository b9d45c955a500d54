"""The Suppression page: who was reached after saying stop, by which way, how late, and who is next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.measure import words
from app.measure.judged import Frame, Judged
from app.measure.scorecard import Tile, tile_of
from data.obligations import Rule, last_day, rules
from metrics import ALL, ROLLUPS
from metrics._suppression_carried import Carried
from metrics.core.metric import Choice, Metric, Scope, Setting
from metrics.core.shapes import Floats
from metrics.core.turnbull import distribution_at, turnbull

VIOLATIONS = "suppression.violations"
RATE = "suppression.violation_rate"
CHOICES: tuple[Setting, ...] = ALL[VIOLATIONS].settings  # policy, identity, clock
TILES = (
    RATE, "suppression.past_legal_deadline", "suppression.cross_channel_violations", "suppression.clean_stop_rate",
    "suppression.near_misses", "suppression.intake_lag_violations", "suppression.identity_gap_violations",
    "suppression.over_suppression", "suppression.consent_gap_rate", "suppression.unproven_consents",
    "suppression.resurrected",
)  # fmt: skip
TIERS = ("in_flight", "breach", "past_legal_deadline")
TIER_WORDS = {
    "in_flight": "already on its way (up to 60 s)",
    "breach": "later, no legal deadline passed",
    "past_legal_deadline": "past a legal deadline",
}
KINDS = (("hard", "a message is waiting to be sent"), ("soft", "a channel has not acknowledged"))
DEADLINES = {"days": "day", "hours": "hour", "months": "month", "business_days": "business day"}
EVIDENCE = {"read": "read", "secondary": "from a summary", "memory": "to be verified"}
NOT_RECORDED = "not recorded"
NO_CURVE: tuple[Floats, Floats, Floats] = (np.array([]), np.array([]), np.array([]))


@dataclass(frozen=True)
class Chosen(Frame):
    """A page's frame with the reader's settings in every scope; models do not pin this page."""

    settings: tuple[tuple[str, str], ...] = ()

    def scope(self, metric: Metric[object]) -> Scope:
        known = {s.name for s in metric.settings}
        return replace(super().scope(metric), settings=tuple(p for p in self.settings if p[0] in known))


def chosen(frame: Frame, settings: tuple[tuple[str, str], ...]) -> Chosen:
    """The frame read with these settings."""
    view = replace(frame.view, model="", experiment="")
    return Chosen(
        frame.runtime, frame.readings, view, frame.days, frame.targets, frame.now, settings=settings
    )


@dataclass(frozen=True)
class Crossings:
    """Violations by where the stop was said (rows, R) and where the message went (columns, C): counts (R, C)."""

    said: tuple[str, ...]
    sent: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    total: int
    crossing: int

    @property
    def finding(self) -> str:
        """The pair that is broken most often."""
        if not self.total:
            return "No stop was broken in any channel"
        cells = [
            (n, a, b)
            for a, row in zip(self.said, self.counts, strict=True)
            for n, b in zip(row, self.sent, strict=True)
        ]
        n, said, sent = max(cells, key=lambda cell: cell[0])
        pair = f"a stop said in {words.named(said)}, a message by {words.named(sent)}"
        return f"Most often broken: {pair} ({words.count(n)} of {words.count(self.total)})"

    @property
    def note(self) -> str:
        if not self.total:
            return "There is nothing to draw."
        return f"The cells add up to all {words.plural(self.total, 'violation')}; {words.count(self.crossing)} crossed channels."


@dataclass(frozen=True)
class SuppressionBoard:
    """The page's first half. `tiers` are (tier, violations) and add up to all; `missing` says what to load."""

    sentence: str
    detail: str
    headline: Judged
    rate: Judged
    tiles: tuple[Tile, ...]
    tiers: tuple[tuple[str, int], ...]
    crossings: Crossings
    missing: str = ""

    @property
    def violations(self) -> int:
        return round(self.headline.reading.value or 0.0)


def suppression_board(frame: Frame) -> SuppressionBoard:
    """Everything the page needs of the stored cells; what is asked of the warehouse comes after it."""
    headline, rate = frame.read(ALL[VIOLATIONS])[0], frame.read(ALL[RATE])[0]
    tiers, crossings = _tiers(frame), _crossings(frame)
    if headline.reading.value is None:
        todo = frame.todo("activations, message_events and suppression_events", headline.reading.reason)
        return SuppressionBoard("No message to judge yet.", "", headline, rate, (), tiers, crossings, todo)
    n = round(headline.reading.value)
    tiles = tuple(tile_of(frame, key) for key in TILES)
    return SuppressionBoard(
        _sentence(n), _detail(rate, crossings, tiers), headline, rate, tiles, tiers, crossings
    )


def _sentence(n: int) -> str:
    if n == 0:
        return "No message went to anyone who had said stop."
    return f"{words.plural(n, 'message')} went to people who had said stop."


def _detail(rate: Judged, crossings: Crossings, tiers: tuple[tuple[str, int], ...]) -> str:
    """The rate with its interval, and the two facts that decide whose problem it is."""
    parts = []
    if rate.reading.value is not None:
        shown = words.shown(rate.metric, rate.reading)
        parts.append(f"{shown.value} of every 10,000 marketing messages ({shown.interval}).")
    if crossings.crossing:
        parts.append(
            f"{words.count(crossings.crossing)} of {words.count(crossings.total)} went through another channel than the"
            " stop was said in."
        )
    late = dict(tiers).get("past_legal_deadline", 0)
    if late:
        parts.append(f"{words.count(late)} came after a legal deadline.")
    return " ".join(parts)


def _tiers(frame: Frame) -> tuple[tuple[str, int], ...]:
    found = {
        dict(j.reading.by).get("tier"): j.reading.value
        for j in frame.read(ALL["suppression.violations_by_tier"])
    }
    return tuple((tier, round(found.get(tier) or 0.0)) for tier in TIERS)


def _crossings(frame: Frame) -> Crossings:
    metric = ALL[VIOLATIONS]
    asked = replace(frame.scope(metric), by=("origin_channel", "channel"))
    counted: dict[tuple[str, str], int] = {}
    for reading in frame.readings.read(metric, asked):
        group = dict(reading.by)
        if reading.value:
            pair = (group.get("origin_channel") or NOT_RECORDED, group.get("channel") or NOT_RECORDED)
            counted[pair] = counted.get(pair, 0) + round(reading.value)
    said, sent = (tuple(sorted({pair[i] for pair in counted})) for i in (0, 1))
    counts = tuple(tuple(counted.get((a, b), 0) for b in sent) for a in said)
    crossing = sum(n for (a, b), n in counted.items() if a != b)
    return Crossings(said, sent, counts, sum(counted.values()), crossing)


# ----- asked of the warehouse -----


@dataclass(frozen=True)
class Risk:
    """Persons at risk: any, and by kind in words; persons already affected in the period."""

    any: Judged
    kinds: tuple[tuple[str, Judged], ...]
    affected: Judged


def risk(frame: Chosen) -> Risk:
    """Who would be disturbed next, of all stops in force however old, and who was in the period."""
    metric = ALL["suppression.at_risk_persons"]
    asked = standing(frame).scope(metric)

    def of(kind: str) -> Judged:
        kinds = (*(p for p in asked.settings if p[0] != "kind"), ("kind", kind))
        return frame.judge(metric, frame.readings.read(metric, replace(asked, settings=kinds)))[0]

    affected = frame.read(ALL["suppression.persons_affected"])[0]
    return Risk(of("any"), tuple((text, of(kind)) for kind, text in KINDS), affected)


def standing(frame: Chosen) -> Chosen:
    """The frame without a first day: a stop is in force however long ago it was said."""
    return replace(frame, days=replace(frame.days, first=None, before=None))


@dataclass(frozen=True)
class Carrying:
    """How one channel comes to obey: shares surely and possibly reached by `seconds` (each (T,)), and its median."""

    channel: str
    seconds: Floats
    surely: Floats
    possibly: Floats
    median: Judged


def carrying(frame: Frame) -> tuple[Carrying, ...]:
    """Propagation by channel, from one query; channels where nothing is known come without a curve."""
    metric = ALL["suppression.propagation_median"]
    asked = replace(frame.scope(metric), by=("channel",))
    judged = frame.judge(metric, frame.readings.read(metric, asked))
    rollup, choice = ROLLUPS["suppression.carried"], metric.choice(asked.settings)

    def curves() -> dict[str | None, tuple[Floats, Floats, Floats]]:
        return {
            dict(by).get("channel"): _curve(held, choice) for by, held in frame.readings.cells(rollup, asked)
        }

    found = frame.readings.made("propagation", rollup, asked, curves)
    drawn = [(dict(j.reading.by).get("channel"), j) for j in judged]
    lines = [Carrying(c or NOT_RECORDED, *found[c], j) for c, j in drawn if c in found]
    lines += [Carrying(c, *NO_CURVE, j) for c, j in drawn if c and c not in found]
    return tuple(sorted(lines, key=lambda c: c.channel))


def _curve(held: object, choice: Choice) -> tuple[Floats, Floats, Floats]:
    """Seconds, and the shares surely and possibly reached by then; empty where nothing is known."""
    if not isinstance(held, Carried):
        return NO_CURVE
    kept = held.of_policy(choice, telling=1)
    curve = turnbull(held.low[kept], held.high[kept], held.n[kept]) if held.n[kept].sum() else None
    if curve is None:
        return NO_CURVE
    ends = np.unique(np.concatenate([curve.left, curve.right[np.isfinite(curve.right)]]))
    both = np.array([distribution_at(curve, float(t)) for t in ends]).reshape(-1, 2)
    return ends, both[:, 0], both[:, 1]


# ----- obligations -----


@dataclass(frozen=True)
class ObligationRow:
    """A legal rule in words, the last permitted day of a stop heard today, violations past it where it was recorded."""

    rule: Rule
    jurisdiction: str
    given: str
    until: str
    overdue: bool


def obligations(day: dt.date) -> tuple[ObligationRow, ...]:
    """The rules that are law and in force, the shortest first; `overdue` where their review date has passed."""
    held = [r for r in rules() if r.nature == "law" and r.in_force(day)]
    rows = [
        ObligationRow(r, ", ".join(r.jurisdiction), _given(r), _until(r, day), r.review_by < day)
        for r in held
    ]
    return tuple(sorted(rows, key=lambda row: (row.jurisdiction, row.rule.id)))


def _given(rule: Rule) -> str:
    limit = rule.deadline
    return "at once" if limit.kind == "immediate" else words.plural(limit.n, DEADLINES[limit.kind])


def _until(rule: Rule, day: dt.date) -> str:
    last = last_day(rule, day)
    return words.date(last) if last else _given(rule)


def past_deadline(frame: Frame) -> tuple[tuple[str, int], ...]:
    """Violations past a legal deadline by recorded jurisdiction, the most first."""
    metric = ALL["suppression.past_legal_deadline"]
    found = frame.readings.read(metric, replace(frame.scope(metric), by=("jurisdiction",)))
    counted = [(dict(r.by).get("jurisdiction") or NOT_RECORDED, round(r.value or 0.0)) for r in found]
    return tuple(sorted(((j, n) for j, n in counted if n), key=lambda p: (-p[1], p[0])))


def triggers(found: Sequence[str]) -> str:
    """Triggers as words."""
    return ", ".join(t.replace("_", " ") for t in found)
