"""Days old enough to be judged: the limits that a realised metric sets on a scope, and what is said of what lies beyond."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app.measure.contrasts import Group
from app.measure.slices import BUCKETS, By
from data.sql import date_of, day_of
from metrics.core.cohorts import MATURE, Cohorts
from metrics.core.metric import C, Estimate, Metric, Rollup, Scope, undefined

Groups = Callable[[Rollup[object], Scope, Sequence[str]], list[Group[object]]]
LastDays = Callable[
    [Cohorts[Any], Scope], tuple[tuple[str | None, int | None], ...]
]  # value of the dimension, last day
Found = list[tuple[By, Estimate]]


def last_days(own: Cohorts[Any], scope: Scope, groups: Groups) -> tuple[tuple[str | None, int | None], ...]:
    """The last mature day of each value of the dimension that the scope pins, or of all."""
    return tuple((g.by[-1][1], own.last(g.cells)) for g in groups(own.rollup, scope, (own.dim,)))


def limited(metric: Metric[C], scope: Scope, ask: LastDays) -> Scope:
    """The scope with the last mature day of each group, where the metric judges mature cohorts only and some are not."""
    own = metric.cohorts
    if own is None or scope.limits or metric.choice(scope.settings)["cohorts"] != MATURE:
        return scope
    pins = tuple(pin for pin in scope.where if pin[0] == own.dim)
    last = ask(own, Scope(where=pins, as_of=scope.as_of))
    until = day_of(scope.until) if scope.until else None
    return replace(
        scope,
        limits=tuple(
            (own.dim, value, day)
            for value, day in last
            if value is not None and day is not None and (until is None or day < until)
        ),
    )


def told(metric: Metric[C], scope: Scope, found: Found, every: Sequence[By]) -> Found:
    """What was found, with the limit told, and a reason for each of `every` group that has no mature day."""
    if metric.cohorts is None or not scope.limits:
        return found
    there = dict(found)
    young = undefined(metric.cohorts.young)
    whole = [(by, there.get(by, young)) for by in every] if every else found
    if not whole:
        return [(scope.where, young)]
    if set(scope.by) & set(BUCKETS):
        return whole
    ends = {(name, value): day for name, value, day in scope.limits}
    return [(by, _noted(estimate, [ends[p] for p in by if p in ends])) for by, estimate in whole]


def _noted(estimate: Estimate, ends: Sequence[int]) -> Estimate:
    if not ends or estimate.value is None:
        return estimate
    note = f"days after {date_of(ends[0]).isoformat()} are too young to be judged and are left out"
    return replace(estimate, warnings=(*estimate.warnings, note))
