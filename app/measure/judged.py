"""Readings with their verdicts: which of several is weakest against its target, and how each one moved."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.measure import words
from app.measure.readings import Readings
from app.measure.scope import View, Window, scope, trend_scope
from app.runtime import Runtime
from metrics.core.metric import Direction, Metric, Reading, Scope
from metrics.core.verdict import Comparator, State, Target, Verdict, in_force, judge

# What asks for attention first. Unmeasured comes before met: it never passes.
ORDER = (
    State.NOT_MET, State.INCONCLUSIVE, State.STALE, State.NO_DATA, State.NOT_ENOUGH_DATA,
    State.MET, State.WAIVED, State.NOT_APPLICABLE,
)  # fmt: skip


# Numbers that grow as a cohort ages: a young stretch is always behind an old one, which is no change.
AGES = ("model.label_coverage",)


@dataclass(frozen=True)
class Judged:
    """A reading, its verdict, and whose it is in words ("churn_v3")."""

    metric: Metric[object]
    reading: Reading
    verdict: Verdict
    subject: str

    @property
    def has_target(self) -> bool:
        return self.verdict.target is not None

    @property
    def margin(self) -> float:
        """Distance to the wrong side of the target, in units of the threshold; greater is worse."""
        target, value = self.verdict.target, self.reading.value
        if target is None or value is None:
            return 0.0
        gap = (
            target.threshold - value if target.comparator is Comparator.AT_LEAST else value - target.threshold
        )
        return gap / max(abs(target.threshold), 1e-9)


@dataclass(frozen=True)
class Movement:
    """Change from the stretch before. `clear`: the two intervals do not overlap. `good` is None where neither is."""

    change: float
    clear: bool
    good: bool | None
    before: Reading


@dataclass(frozen=True)
class Frame:
    """What every reading of one page run shares: stores, choice, days, targets, and the moment of judgement.

    `names`: what readers call a model or an experiment, by its identifier; empty where they know the identifiers.
    """

    runtime: Runtime
    readings: Readings
    view: View
    days: Window
    targets: tuple[Target, ...]
    now: dt.datetime
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def moment(self) -> dt.datetime:
        """A past view is judged at its own time, by the targets of its own day."""
        if self.view.as_of is None:
            return self.now
        return min(self.now, dt.datetime.combine(self.view.as_of, dt.time.max, dt.UTC))

    def scope(self, metric: Metric[object]) -> Scope:
        return scope(metric, self.view, self.days, self.readings.dimensions(metric.rollup))

    def matured(self, metric: Metric[object]) -> Scope:
        """The metric's scope cut to the days that it may judge: what its charts are drawn from."""
        return self.readings.matured(metric, self.scope(metric))

    def todo(self, what: str, reason: str) -> str:
        """Why a page has nothing to show and what to do about it."""
        return reason if self.days.last else f"nothing is computed yet: load {what}, then run refresh"

    def judge(self, metric: Metric[object], readings: Iterable[Reading]) -> tuple[Judged, ...]:
        found = tuple(readings)
        own = tuple(t for t in self.targets if t.metric == metric.key)
        day, moment = self.moment.date(), self.moment
        arms = Counter(trial for r in found if (trial := _trial(r)) is not None)
        return tuple(
            Judged(
                metric,
                r,
                judge(r, in_force(own, r, day) if own else None, moment),
                _subject(r, arms, self.names),
            )
            for r in found
        )

    def read(self, metric: Metric[object]) -> tuple[Judged, ...]:
        """The metric under the page's view, one for each group that may not be pooled."""
        return self.judge(metric, self.readings.read(metric, self.scope(metric)))


def _trial(reading: Reading) -> str | None:
    """The experiment that a reading is of."""
    return next((value for key, value in reading.by if key == "experiment_id"), None)


def _subject(reading: Reading, arms: Mapping[str, int], names: Mapping[str, str]) -> str:
    """Whose number it is; the arm of an experiment only where it has several treated ones."""
    trial = _trial(reading)
    several = trial is None or arms[trial] > 1
    kept = (p for p in reading.by if p[0] != "arm" or several)
    return words.group(tuple((k, names.get(v, v) if v else v) for k, v in kept))


def weakest(judged: tuple[Judged, ...]) -> Judged:
    """The one that asks for attention first; without targets, the worst value by the metric's direction."""
    return min(judged, key=_badness)


def _badness(one: Judged) -> tuple[int, float]:
    if one.has_target:
        return ORDER.index(one.verdict.state), -one.margin
    value = one.reading.value
    if value is None:
        return len(ORDER) + 1, 0.0
    return len(ORDER), -value if one.metric.direction is Direction.LOWER else value


def _pins(one: Judged) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The `where` that keeps a judged reading's group, and the dimensions that must stay a breakdown for it."""
    contrast = one.metric.contrast
    kept = [p for p in one.reading.by if contrast is None or not _compared(contrast.dim, p[0])]
    apart = tuple(
        name for name, _ in one.reading.by if contrast is not None and _compared(contrast.dim, name)
    )
    return tuple((name, value) for name, value in kept if value is not None), apart


def _compared(pattern: str, name: str) -> bool:
    return name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))


def _same(one: Judged, found: tuple[Reading, ...]) -> tuple[Reading, ...]:
    return tuple(r for r in found if set(one.reading.by) <= set(r.by))


def history(frame: Frame, one: Judged) -> tuple[Reading, ...]:
    """The reading's group by week (by month for experiments), oldest first; none for what is never stored by day."""
    if not one.metric.rollup.stored:
        return ()
    where, apart = _pins(one)
    asked = trend_scope(one.metric, frame.scope(one.metric), where)
    found = _same(one, frame.readings.read(one.metric, replace(asked, by=(*asked.by, *apart))))
    return tuple(sorted(found, key=lambda r: bucket_of(r) or ""))


def trends(frame: Frame, metric: Metric[object]) -> tuple[Reading, ...]:
    """The histories of all groups at once; each is then known without another question."""
    asked = frame.scope(metric)
    return (
        frame.readings.read(metric, trend_scope(metric, asked, asked.where))
        if metric.contrast is None
        else ()
    )


def drawable(metric: Metric[object], trend: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """A trend fit to draw: a week with fewer than the metric's least n is a gap, not a spike of chance."""
    return tuple(
        r if r.n >= metric.min_n else replace(r, value=None, low=None, high=None, reason=f"n is {r.n}")
        for r in trend
    )


def bucket_of(reading: Reading) -> str | None:
    """First day, ISO, of the week or month a reading of a trend speaks of."""
    return next((v for k, v in reading.by if k in ("day", "week", "month")), None)


def movement(frame: Frame, one: Judged) -> Movement | None:
    """Change from the equal stretch before the page's window; None where either is undefined."""
    if frame.days.before is None or one.reading.value is None or one.metric.key in AGES:
        return None
    if "experiment_id" in one.metric.rollup.dims or not one.metric.rollup.stored:
        return None
    where, apart = _pins(one)
    first, last = frame.days.before
    asked = replace(frame.scope(one.metric), where=where, by=apart, since=first, until=last)
    found = _same(one, frame.readings.read(one.metric, asked))
    if not found or found[0].value is None:
        return None
    return _moved(one.metric.direction, found[0], one.reading)


def _moved(direction: Direction, before: Reading, now: Reading) -> Movement | None:
    if before.value is None or now.value is None:
        return None
    change = now.value - before.value
    ends = (before.low, before.high, now.low, now.high)
    if any(x is None for x in ends):
        clear = change != 0 and direction is not Direction.NEITHER
    else:
        clear = ends[0] > ends[3] or ends[2] > ends[1]  # type: ignore[operator]
    good = None if direction is Direction.NEITHER else (change > 0) == (direction is Direction.HIGHER)
    return Movement(change, clear, good, before)
