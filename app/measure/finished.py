"""What every answer has in common: the days asked for, the pinned values, and the Reading made of an estimate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from app.measure.slices import BUCKETS, By
from data.engines import Columns
from data.sql import Span, day_of
from metrics.core.metric import C, Estimate, Metric, Reading, Rollup, Scope


class ScopeError(ValueError):
    """The question names a dimension or setting that the metric does not have."""


def answerable(rollup: Rollup[C], scope: Scope, held: Sequence[str]) -> None:
    """Raise ScopeError where the rollup, which holds these dimensions, cannot be asked this."""
    for name in (*scope.by, *(w[0] for w in scope.where)):
        if name not in held and not (name in BUCKETS and name in scope.by):
            raise ScopeError(
                f"{rollup.key} has no dimension {name!r}; it has: {', '.join((*held, *BUCKETS))}"
            )
    if not rollup.stored and set(scope.by) & set(BUCKETS):
        raise ScopeError(
            f"{rollup.key} is asked of the warehouse for one period at a time: use --from and --to"
        )


def reading_of(
    metric: Metric[C], by: By, estimate: Estimate, as_of: dt.datetime | None, version: str
) -> Reading:
    return Reading(
        key=metric.key, by=tuple(dict.fromkeys(by)), value=estimate.value, low=estimate.low, high=estimate.high,
        n=estimate.n, numerator=estimate.numerator, denominator=estimate.denominator, unit=metric.unit,
        method=estimate.method or metric.interval, reason=estimate.reason, warnings=estimate.warnings,
        as_of=as_of, version=version,
    )  # fmt: skip


def only(columns: Columns, scope: Scope) -> Columns:
    """The rows with the pinned values, for those dimensions that are columns: a SELECT may not know them all."""
    kept = np.ones(len(next(iter(columns.values()), np.array([]))), dtype=bool)
    for name, value in scope.where:
        if name in columns:
            kept &= np.array([v is not None and str(v) == value for v in columns[name]], dtype=bool)
    return columns if kept.all() else {name: values[kept] for name, values in columns.items()}


def span_of(scope: Scope) -> Span | None:
    """Whole days of a scope; None where it has no bound."""
    if scope.since is None and scope.until is None:
        return None
    return Span(day_of(scope.since or dt.date(1, 1, 1)), day_of(scope.until or dt.date(9999, 12, 30)))
