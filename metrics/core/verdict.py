"""The one function that compares a Reading with a target: scorecard, gate, risk indicator, alert all ask it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from metrics.core.metric import Reading


class State(StrEnum):
    MET = "met"
    NOT_MET = "not met"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no data"
    NOT_ENOUGH_DATA = "not enough data"
    STALE = "stale"
    NOT_APPLICABLE = "not applicable"
    WAIVED = "waived"


class Comparator(StrEnum):
    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True)
class Target:
    """A dated promise about a metric. `where` narrows it (a model, a segment); the narrowest in force wins."""

    metric: str
    comparator: Comparator
    threshold: float
    min_n: int = 30
    max_age: dt.timedelta = dt.timedelta(days=7)
    where: tuple[tuple[str, str], ...] = ()
    valid_from: dt.date = dt.date.min
    valid_to: dt.date = dt.date.max
    note: str = ""

    def covers(self, reading: Reading, today: dt.date) -> bool:
        """Whether this target speaks of the reading today."""
        if reading.key != self.metric or not self.valid_from <= today <= self.valid_to:
            return False
        return set(self.where) <= set(reading.by)


@dataclass(frozen=True)
class Verdict:
    state: State
    why: str
    target: Target | None = None

    @property
    def passes(self) -> bool:
        """Only `met` passes; unmeasured never does."""
        return self.state is State.MET


def in_force(targets: tuple[Target, ...], reading: Reading, today: dt.date) -> Target | None:
    """The narrowest target that covers the reading, the latest to start among equals; None where none does."""
    covering = [t for t in targets if t.covers(reading, today)]
    return max(covering, key=lambda t: (len(t.where), t.valid_from), default=None)


def judge(reading: Reading, target: Target | None, now: dt.datetime) -> Verdict:
    """Compare a reading's interval with its target.

    `met` for "at least T" needs low >= T; `not met` needs high < T; otherwise `inconclusive`. "At most T"
    mirrors it. A reading without interval (an exact count) is its own interval.
    """
    if target is None:
        return Verdict(State.NOT_APPLICABLE, "no target is set")
    if reading.value is None:
        return Verdict(State.NO_DATA, reading.reason, target)
    if reading.inadmissible:
        return Verdict(State.STALE, "; ".join(reading.inadmissible), target)
    if reading.as_of is not None and now - reading.as_of > target.max_age:
        age = (now - reading.as_of).days
        return Verdict(
            State.STALE, f"the data end {age} days ago; the target allows {target.max_age.days}", target
        )
    if reading.n < target.min_n:
        return Verdict(State.NOT_ENOUGH_DATA, f"n is {reading.n}; the target asks for {target.min_n}", target)
    low = reading.value if reading.low is None else reading.low
    high = reading.value if reading.high is None else reading.high
    return _against(target, low, high)


def _against(target: Target, low: float, high: float) -> Verdict:
    at_least = target.comparator is Comparator.AT_LEAST
    holds = low >= target.threshold if at_least else high <= target.threshold
    fails = high < target.threshold if at_least else low > target.threshold
    if holds:
        return Verdict(State.MET, "the whole interval is on the right side", target)
    if fails:
        return Verdict(State.NOT_MET, "the whole interval is on the wrong side", target)
    return Verdict(State.INCONCLUSIVE, "the interval straddles the threshold", target)


def summary(verdicts: tuple[Verdict, ...]) -> bool:
    """Whether a list of criteria passes: all met, and at least one. An empty list never passes."""
    return bool(verdicts) and all(v.passes for v in verdicts)
