"""Bounds kept in the ledger against live Readings: risk indicators, tripwires of acceptances and exceptions.

In breach means the verdict `not met`: the whole interval lies on the wrong side. What cannot be measured is not in breach,
and is not sound either; it is told as what it is.
"""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.govern import rows
from app.govern.books import act_on_lapses, bound_of
from app.govern.lint import score
from app.govern.model import Clock, Ledger, Receipt, Row
from app.govern.open import Door
from app.govern.shelf import shelf_of
from app.measure.judged import ORDER
from app.measure.readings import Readings
from data.ledger_types import words_text
from data.ledger_views import BOUNDS, Bounds, length
from metrics import ALL
from metrics.core.metric import Direction, Metric, Reading, Scope
from metrics.core.verdict import State, Target, Verdict, judge

if TYPE_CHECKING:
    from app.runtime import Runtime

BOUNDED = (("risks", "indicator"), ("acceptances", "tripwire"), ("exceptions", "tripwire"))
SETTLES = dt.timedelta(seconds=60)  # how long verdicts on the same data are kept at most
SPAN = dt.timedelta(days=28)  # stretch of days before a rating was lowered, and the newest, that are compared


def look(target: Target, readings: Readings, now: dt.datetime) -> tuple[Reading | None, Verdict]:
    """A bound's metric read now; of several groups the one that asks for attention first."""
    metric = ALL.get(target.metric)
    if metric is None:
        return None, Verdict(State.NO_DATA, "this metric is not in the catalogue", target)
    if BOUNDS in metric.rollup.tables:
        return None, Verdict(State.NO_DATA, "this metric counts bounds, so it can be none itself", target)
    try:
        found = readings.read(metric, Scope(where=target.where))
    except ValueError as error:
        return None, Verdict(State.NO_DATA, str(error), target)
    judged = [(r, judge(r, target, now)) for r in found]
    return min(judged, key=lambda pair: ORDER.index(pair[1].state))


def verdicts(held: Iterable[Row], readings: Readings, now: dt.datetime) -> dict[Target, Verdict]:
    """The verdict on every bound of these rows. A bound that many share is read once."""
    prefixes = dict(BOUNDED)
    targets = {t for row in held if (t := bound_of(row, prefixes[row.register])) is not None}
    return {target: look(target, readings, now)[1] for target in targets}


def bounded_rows(ledger: Ledger) -> tuple[Row, ...]:
    """Every risk, acceptance and exception that counts."""
    with ledger.store.read() as db:
        shelf = shelf_of(ledger, db)
    return tuple(r for name, _ in BOUNDED for r in shelf[name].values() if r.live)


@dataclass(frozen=True)
class Seen:
    """What live Readings say of a ledger's bounds: the verdicts, the acceptances and exceptions whose tripwire is in
    breach, and the risks rated lower while they got worse.
    """

    bounds: Bounds = ()
    breached: frozenset[str] = frozenset()
    worse: frozenset[str] = frozenset()


class Watch:
    """The verdicts on a ledger's bounds, kept while ledger and data are the same. Threads may share it."""

    def __init__(self, door: Door, readings: Readings, clock: Clock) -> None:
        self._door, self._readings, self._clock = door, readings, clock
        self._guard = threading.Lock()
        self._kept: tuple[tuple[int, int], dt.datetime, Seen] | None = None

    def bounds(self) -> Bounds:
        """The verdict on each distinct bound; none where there is no ledger."""
        return self.seen().bounds

    def seen(self) -> Seen:
        """Everything that is watched, as it is now."""
        ledger = self._door.ledger()
        if ledger is None:
            return Seen()
        with ledger.store.read() as db:
            newest = db.execute(length()).scalar_one() or 0
        state, now = (newest, self._readings.store.held().generation), self._clock()
        with self._guard:
            if self._kept is not None and self._kept[0] == state and now - self._kept[1] < SETTLES:
                return self._kept[2]
        readings = self._readings.pinned()
        held = bounded_rows(ledger)
        seen = Seen(*_seen(held, verdicts(held, readings, now)), worse(ledger, readings))
        with self._guard:
            self._kept = (state, now, seen)
        return seen


def _seen(held: tuple[Row, ...], found: dict[Target, Verdict]) -> tuple[Bounds, frozenset[str]]:
    """Each bound with its verdict, and the acceptances and exceptions whose tripwire is in breach."""
    prefixes = dict(BOUNDED)
    told, broken = {}, set()
    for row in held:
        prefix = prefixes[row.register]
        target = bound_of(row, prefix)
        if target is None:
            continue
        state = found[target].state
        scope = row[f"{prefix}_scope"]
        text = words_text(scope) if isinstance(scope, tuple) else ""
        told[target.metric, target.comparator.value, target.threshold, text] = state.value
        if row.register != "risks" and state is State.NOT_MET:
            broken.add(row.record_id)
    return tuple((*key, state) for key, state in told.items()), frozenset(broken)


def worse(ledger: Ledger, readings: Readings) -> frozenset[str]:
    """Risks whose residual rating was lowered and whose indicator is clearly worse now than before that day."""
    found = set()
    with ledger.store.read() as db:
        for row in (r for r in shelf_of(ledger, db)["risks"].values() if r.live):
            target = bound_of(row, "indicator") if row.version > 1 else None
            day = lowered_on(rows.history(db, "risks", row.record_id)) if target else None
            if target and day and _worsened(target, readings, day):
                found.add(row.record_id)
    return frozenset(found)


def settle(runtime: Runtime) -> tuple[Receipt, ...]:
    """Let what has come to its last day or to its tripwire lapse; nothing where there is no ledger. Safe to repeat."""
    ledger = runtime.door.ledger()
    if ledger is None:
        return ()
    return act_on_lapses(ledger, breached=runtime.watch.seen().breached)


def lowered_on(versions: tuple[Row, ...]) -> dt.date | None:
    """The day on which the residual score last went down; None where it never did."""
    scored = [(v, s) for v in versions if (s := score(v, "residual")) is not None]
    days = [now.at.date() for (_, before), (now, after) in itertools.pairwise(scored) if after < before]
    return days[-1] if days else None


def _worsened(target: Target, readings: Readings, day: dt.date) -> bool:
    metric = ALL.get(target.metric)
    if metric is None or metric.rollup.ledger or metric.direction is Direction.NEITHER:
        return False
    span = readings.days(metric.rollup)
    if span is None:
        return False
    asked = Scope(where=target.where)
    try:
        before = readings.read(metric, replace(asked, since=day - SPAN, until=day - dt.timedelta(days=1)))
        now = readings.read(metric, replace(asked, since=max(span[1] - SPAN, day), until=span[1]))
    except ValueError:
        return False  # the bound names a dimension that is not there; the page of risks says so
    return len(before) == len(now) == 1 and _clearly_worse(metric, before[0], now[0])


def _clearly_worse(metric: Metric[object], before: Reading, now: Reading) -> bool:
    """Whether the two intervals lie apart, the newer one on the wrong side."""
    if before.value is None or now.value is None:
        return False
    old = (
        before.value if before.low is None else before.low,
        before.value if before.high is None else before.high,
    )
    new = (now.value if now.low is None else now.low, now.value if now.high is None else now.high)
    return new[1] < old[0] if metric.direction is Direction.HIGHER else new[0] > old[1]
