"""Scope -> Readings. The one place where a metric meets its cells; everything shown or printed comes from here."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from sqlalchemy.sql.expression import FromClause

from app.measure import held
from app.measure.admitted import Objections, admitted, no_objection, once
from app.measure.cohorts import last_days, limited, told
from app.measure.contrasts import HIDDEN, Group, against, families, is_attribute, worst
from app.measure.finished import answerable, only, reading_of, span_of
from app.measure.ledger_readings import LedgerReadings, no_ledger
from app.measure.reach import observed_us, spans
from app.measure.shelf import ASKED, ASKED_BYTES, DERIVED, READINGS, SLICE_BYTES, SLICES, Shelf
from app.measure.slices import BUCKETS, By, Slice, cut, history, size_of, timeless, undated
from app.measure.store import RollupStore
from data.engines import Columns, Warehouse
from data.sql import Facts, known_at
from metrics.core.cohorts import Cohorts
from metrics.core.disclosure import protect
from metrics.core.metric import (
    C,
    Choice,
    Contrast,
    Estimate,
    Metric,
    Reading,
    Rollup,
    Scope,
    protected,
    undefined,
)
from metrics.core.shapes import Counts

T = TypeVar("T")
APART = "model_id"  # what most numbers keep apart: the answer about one is part of the answer about all


class Readings:
    """Answers from the rollups, or from the warehouse itself where the past or an exact answer is asked for.

    Answers are kept by rollup, scope and data generation, so a reader never sees an older one than the manifest.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        store: RollupStore,
        objections: Objections = no_objection,
        ledger: LedgerReadings | None = None,
    ) -> None:
        self.warehouse = warehouse
        self._objections = objections
        self._ledger = ledger or no_ledger()
        self.store = store
        self._kept = Shelf[tuple[Slice, ...]](SLICES, SLICE_BYTES)
        self._asked = Shelf[tuple[Slice, ...]](ASKED, ASKED_BYTES)
        self._read = Shelf[tuple[Reading, ...]](READINGS)
        self._derived = Shelf[object](DERIVED)
        self._ends = Shelf[int](SLICES)  # how far sources are complete
        self._frozen = False
        self._tables: Mapping[str, FromClause] | None = None  # of a pinned copy, once they are needed

    def pinned(self) -> Readings:
        """The same answers, all from the data as they are now; shares everything kept in memory."""
        pinned = copy.copy(self)
        pinned.store, pinned.warehouse = self.store.pinned(), self.warehouse.pinned()
        pinned._ledger = self._ledger.pinned()  # noqa: SLF001
        pinned._objections = once(self._objections)  # noqa: SLF001
        pinned._frozen = True  # noqa: SLF001 (a copy of itself)
        return pinned

    def read(self, metric: Metric[C], scope: Scope) -> tuple[Reading, ...]:
        """The Readings of one metric: one for each group of the breakdown, at least one in any case.

        What a broken contract speaks against is stale or withheld, but not as it was known in the past.
        Raises ScopeError for an unknown dimension, ValueError for an unknown setting.
        """
        if metric.rollup.ledger:
            return self._ledger.read(metric, scope)
        found = self._computed(metric, scope)
        against = self._objections(metric.rollup.tables) if scope.as_of is None else ()
        return tuple(admitted(r, against) for r in found) if against else found

    def _computed(self, metric: Metric[C], scope: Scope) -> tuple[Reading, ...]:
        """The Readings as the cells say, from memory where they are there."""
        name = self._name(metric, scope)
        found = self._read.find(name)
        if found is None:
            found = self._read.keep(name, self._of_all(metric, scope) or self._answer(metric, scope))
        return found

    def _of_all(self, metric: Metric[C], scope: Scope) -> tuple[Reading, ...]:
        """The answer about one model out of the answer about all; empty where it is no part of that.

        Of a trend, or where every day must be read, the others are not computed for it, only found.
        """
        if (
            [w[0] for w in scope.where] != [APART]
            or APART not in metric.apart
            or any(protected(k) for k in scope.by)
            or not held.stored(self.store, metric.rollup, scope)
        ):
            return ()
        all_ = replace(scope, where=())
        every = self._read.find(self._name(metric, all_))
        if every is None and not (scope.by or scope.settings or metric.rollup.history):
            every = self._computed(metric, all_)
        pin = scope.where[0]
        own = (r for r in every or () if pin in r.by)
        return tuple(replace(r, by=(pin, *(p for p in r.by if p != pin))) for r in own)

    def _name(self, metric: Metric[C], scope: Scope) -> Hashable:
        return metric.key, metric.version, scope, self._moment(metric.rollup, scope)

    def _moment(self, rollup: Rollup[C], scope: Scope) -> Hashable:
        """What an answer hangs on beside its question: changes when the cells do or, where it is none of theirs, the rows."""
        generation = self.store.held().generation
        if held.stored(self.store, rollup, scope):
            return generation
        return generation, self.warehouse.mark(held.sources(rollup))

    def _answer(self, metric: Metric[C], scope: Scope) -> tuple[Reading, ...]:
        choice = metric.choice(scope.settings)
        scope = self.matured(metric, scope)
        found = (
            self._contrasts(metric, metric.contrast, scope, choice)
            if metric.contrast is not None
            else self._estimates(metric, scope, choice)
        )
        if scope.limits:
            found = told(metric, scope, found, self._every(metric, scope))
        if not found:
            found = [(scope.where, held.nothing(self.store, metric))]
        state = self.store.state(metric.rollup.key)
        version = f"g{state.generation if state else 0}.d{metric.version}"
        as_of = scope.as_of or self.as_of(metric.rollup)
        return tuple(reading_of(metric, by, estimate, as_of, version) for by, estimate in found)

    def matured(self, metric: Metric[C], scope: Scope) -> Scope:
        """The scope cut to the days that the metric may judge: what its charts must be drawn from."""
        return limited(metric, scope, self._last_days)

    def _last_days(self, own: Cohorts[Any], scope: Scope) -> tuple[tuple[str | None, int | None], ...]:
        """Asked by every realised metric of a page, so kept while the cells are the same."""
        return self.made("last days", own.rollup, scope, lambda: last_days(own, scope, self._groups))

    def _every(self, metric: Metric[C], scope: Scope) -> list[By]:
        """The groups there are without limits; none for what cannot be asked twice at that price."""
        if metric.finalise is None or not metric.rollup.stored:
            return []
        keys = self._keys(metric.rollup, scope, metric.apart)
        return [scope.where + s.by for s in self._slices(metric.rollup, replace(scope, limits=()), keys)]

    def dimensions(self, rollup: Rollup[C]) -> tuple[str, ...]:
        """Names that `where` and `by` may use for a rollup, besides day, week and month."""
        if rollup.ledger:
            return rollup.dims
        if known := held.dims(self.store, rollup):
            return known
        tables = self._tables or self.warehouse.tables()
        if self._frozen:
            self._tables = tables
        return rollup.resolved_dims(tables)

    def values(self, rollup: Rollup[C], dim: str) -> tuple[str, ...]:
        """The values that a dimension takes in the stored cells, sorted."""
        slices = self._slices(rollup, Scope(), (dim,))
        return tuple(v for s in slices for _, v in s.by if v is not None)

    def days(self, rollup: Rollup[C]) -> tuple[dt.date, dt.date] | None:
        """First and last day that the stored cells of a rollup cover; None where there are none."""
        return self.store.first_last(rollup.key)

    def cells(self, rollup: Rollup[C], scope: Scope) -> tuple[tuple[By, C], ...]:
        """The finaliser's cells for each group of the breakdown: what charts are drawn from."""
        return self.made(
            "cells",
            rollup,
            scope,
            lambda: tuple((g.by, g.cells) for g in self._groups(rollup, scope, scope.by)),
        )

    def made(self, what: str, rollup: Rollup[C], scope: Scope, make: Callable[[], T]) -> T:
        """Something small made of what a rollup answers to a scope, kept until that may be another."""
        return self.derived((what, rollup.key, rollup.version, scope, self._moment(rollup, scope)), make)

    def derived(self, name: Hashable, make: Callable[[], T]) -> T:
        """Something small made of the stored cells, kept while they are the same. `name` must say all that it hangs on."""
        key = (name, self.store.held().generation)
        found = self._derived.find(key)
        return cast("T", found if found is not None else self._derived.keep(key, make()))

    def _estimates(self, metric: Metric[C], scope: Scope, choice: Choice) -> list[tuple[By, Estimate]]:
        assert metric.finalise is not None
        groups = self._groups(metric.rollup, scope, self._keys(metric.rollup, scope, metric.apart))
        found = [(scope.where + g.by, metric.finalise(g.cells, choice)) for g in groups]
        if not any(protected(k) for k in scope.by):
            return found
        hidden = protect([g.rows for g in groups])
        return [
            (by, undefined(HIDDEN) if hide else estimate)
            for (by, estimate), hide in zip(found, hidden, strict=True)
        ]

    def _contrasts(
        self, metric: Metric[C], contrast: Contrast[C], scope: Scope, choice: Choice
    ) -> list[tuple[By, Estimate]]:
        """Each group against its reference; the worst alone where no breakdown by the dimension was asked for."""
        dims = [
            d for d in self.dimensions(metric.rollup) if d == contrast.dim or is_attribute(d, contrast.dim)
        ]
        asked = [d for d in dims if d in scope.by]
        found: list[tuple[By, Estimate, int]] = []
        for dim in asked or dims:
            keys = [k for k in self._keys(metric.rollup, scope, metric.apart) if k != dim]
            for outer, groups in families(self._groups(metric.rollup, scope, (*keys, dim))):
                found += [
                    (scope.where + outer + by, e, n) for by, e, n in against(contrast, groups, dim, choice)
                ]
        if asked or contrast.every:
            return [(by, e) for by, e, _ in found]
        return worst(contrast, found, metric.min_n, dims)

    def _keys(self, rollup: Rollup[C], scope: Scope, apart: Sequence[str]) -> tuple[str, ...]:
        """Breakdown keys: what may never be pooled and is not pinned, then what was asked for."""
        answerable(rollup, scope, self.dimensions(rollup))
        pinned = {w[0] for w in scope.where}
        return tuple(k for k in apart if k not in pinned and k not in scope.by) + scope.by

    def _groups(self, rollup: Rollup[C], scope: Scope, keys: Sequence[str]) -> list[Group[C]]:
        count = next(c for s in rollup.shapes if isinstance(s, Counts) for c in s.columns)
        # How far the sources are complete is one number for all cells; finalisers get it as a column.
        observed = {"observed_us": np.array([self._observed_us(rollup, scope)])} if rollup.observed else {}
        always = replace(scope, since=None, until=None)
        whole = history(self._slices(rollup, always, undated(keys))) if rollup.history else {}
        found = (
            (s, s.columns | observed | whole.get(timeless(s.by), {}))
            for s in self._slices(rollup, scope, tuple(keys))
        )
        return [Group(s.by, rollup.cells(columns), int(s.columns[count].sum())) for s, columns in found]

    def _slices(self, rollup: Rollup[C], scope: Scope, keys: tuple[str, ...]) -> tuple[Slice, ...]:
        """Merged cells by key, from memory when the data generation is still the same."""
        asked = replace(scope, by=(), settings=())
        name = (rollup.key, rollup.version, keys, asked, self._moment(rollup, scope))
        shelf = self._kept if held.stored(self.store, rollup, scope) else self._asked
        found = shelf.find(name)
        if found is None:
            slices = cut(self._columns(rollup, scope, keys), keys, rollup.inner, rollup.shapes)
            found = shelf.keep(name, slices, sum(size_of(s) for s in slices))
        return found

    def _columns(self, rollup: Rollup[C], scope: Scope, keys: tuple[str, ...]) -> Columns:
        span = span_of(scope)
        if held.stored(self.store, rollup, scope):
            if held.outdated(self.store, rollup):
                return {}
            names = tuple(dict.fromkeys("day" if k in BUCKETS else k for k in keys))
            return self.store.columns(rollup, names, scope.where, span, scope.limits)
        dims = self.dimensions(rollup) if rollup.stored else tuple(k for k in keys if k not in BUCKETS)
        tables = {n: known_at(t, scope.as_of) for n, t in self.warehouse.tables().items()}
        facts = Facts(tables, dims, span, scope.where, self._observed_us(rollup, scope), limits=scope.limits)
        needed = spans(rollup, span) if span else {}
        with self.warehouse.session(rollup.tables, needed) as session:
            columns = session.columns(rollup.select(facts))
        return only(rollup.derived(columns) if rollup.derived else columns, scope)

    def _observed_us(self, rollup: Rollup[C], scope: Scope) -> int:
        """How far the sources were complete: as the stored cells saw it, or as it was known at `as_of`."""
        state = self.store.state(rollup.key)
        if state is not None and held.stored(self.store, rollup, scope):
            asked = round(scope.as_of.timestamp() * 1e6) if scope.as_of else state.observed_us
            return min(state.observed_us, asked)
        if scope.as_of is None:
            return self._observed_now(rollup)
        tables = {n: known_at(t, scope.as_of) for n, t in self.warehouse.tables().items()}
        return observed_us(rollup, self.warehouse, tables, scope.as_of)

    def _observed_now(self, rollup: Rollup[C]) -> int:
        """How far the sources are complete now, from memory while they hold the same rows."""
        name = (rollup.observed, self.warehouse.mark((*rollup.observed, "data_watermarks")))
        found = self._ends.find(name)
        return (
            found
            if found is not None
            else self._ends.keep(name, observed_us(rollup, self.warehouse, self.warehouse.tables()))
        )

    def as_of(self, rollup: Rollup[C]) -> dt.datetime | None:
        """Newest load that the stored cells of a rollup reflect."""
        return held.as_of(self.store, rollup)
