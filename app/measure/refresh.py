"""Warehouse -> rollups. Only what changed is computed, so cost follows new data, not history.

That is single rows where rollup and warehouse can tell them (`bykey`), else whole days.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
import sqlalchemy as sa

from app.measure.bykey import Step, change
from app.measure.cells import Cells
from app.measure.chunks import chunks, shares_days
from app.measure.reach import observed_us, spans
from app.measure.store import RollupStore, definition_of
from data.engines import FAR_US, Dirty, TooLargeError, Warehouse
from data.manifest import NO_DAY, File, Refreshed
from data.sql import Facts, Span
from metrics.core.metric import C, Rollup


@dataclass(frozen=True)
class Progress:
    """One step of a refresh: `done` of `days` days of a rollup."""

    rollup: str
    done: int
    days: int


@dataclass(frozen=True)
class Outcome:
    """What a refresh of one rollup did: days computed whole, and, where that was the way, single rows of others."""

    rollup: str
    days: int
    rows: int
    seconds: float
    full: bool
    keys: int | None = None


def refresh(
    rollups: Iterable[Rollup[object]],
    warehouse: Warehouse,
    store: RollupStore,
    now: Callable[[], dt.datetime],
    *,
    full: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Outcome, ...]:
    """Bring stored rollups up to date; one commit a rollup, so a crash leaves each whole, old or new."""
    with store.lake.lock("refresh"):
        outcomes = tuple(
            refresh_one(rollup, warehouse, store, now, full=full, progress=progress)
            for rollup in rollups
            if rollup.stored
        )
        store.lake.manifest.forget_former()
        store.lake.sweep(folders=("rollups", "scratch"))  # what crashes left; the loader sweeps its own
    return outcomes


def refresh_one(
    rollup: Rollup[C],
    warehouse: Warehouse,
    store: RollupStore,
    now: Callable[[], dt.datetime],
    *,
    full: bool,
    progress: Callable[[Progress], None],
) -> Outcome:
    """Recompute what changed of one rollup and commit it, all from the warehouse as it is at the start."""
    job = _Job(rollup, warehouse.pinned(), store, now, progress, time.perf_counter())
    run = _Run.begin(rollup, job.warehouse, store, full=full)
    if run.state is not None and not run.full:
        outcome = job.by_key(run, run.state)
        if outcome is not None:
            return outcome
    return job.by_day(run)


@dataclass(frozen=True)
class _Job(Generic[C]):
    """A refresh of one rollup under way."""

    rollup: Rollup[C]
    warehouse: Warehouse
    store: RollupStore
    now: Callable[[], dt.datetime]
    progress: Callable[[Progress], None]
    started: float

    def by_key(self, run: _Run, state: Refreshed) -> Outcome | None:
        """Only the rows that changed, where rollup and warehouse can tell them; None where they cannot."""
        rollup, keyed = self.rollup, self.rollup.keyed
        if keyed is None or (not run.dirty.days and run.observed_us == state.observed_us):
            return None
        with self.warehouse.difference(rollup.tables, state.mark) as both:
            if both is None:
                return None
            session, difference = both
            step = Step(state, run.dirty, run.observed_us, run.dims)
            found = change(rollup, keyed, session, difference, self.store, step)
        if found is None:
            return None
        add, remove, rows = self.store.append(rollup, run.dims, found.cells, found.days)
        self.progress(Progress(rollup.key, len(found.days), len(found.days)))
        as_of = max((t for t in (state.as_of_us, found.newest_us) if t is not None), default=None)
        done = Outcome(rollup.key, len(found.days), rows, 0.0, full=False, keys=found.keys)
        return self._committed(run, add, remove, done, as_of)

    def by_day(self, run: _Run) -> Outcome:
        """Whole days: all of them, or those that new rows of any table move."""
        rollup, store = self.rollup, self.store
        days = run.days(rollup, self.warehouse, store)
        if not days and not run.full:
            if run.state is not None and run.state.mark != run.mark:
                store.lake.manifest.advance(rollup.key, run.mark)
            return Outcome(rollup.key, 0, 0, time.perf_counter() - self.started, full=False)
        parts: list[Cells] = []
        as_of = None if run.state is None or run.full else run.state.as_of_us
        done = 0
        for chunk, cells, newest in self._asked(run, chunks(days, rollup, self.warehouse)):
            parts.append(cells)
            as_of = max((t for t in (as_of, newest) if t is not None), default=None)
            done += len(chunk)
            self.progress(Progress(rollup.key, done, len(days)))
        add, remove, rows = store.replace(rollup, run.dims, parts, days, full=run.full)
        return self._committed(run, add, remove, Outcome(rollup.key, len(days), rows, 0.0, run.full), as_of)

    def _asked(
        self, run: _Run, chunks: Iterable[Sequence[int]]
    ) -> Iterator[tuple[Sequence[int], Cells, int | None]]:
        """The cells of each chunk of days and their newest load; in halves where memory does not hold a whole."""
        for chunk in chunks:
            try:
                yield (chunk, *_cells(self.rollup, self.warehouse, run, chunk))
            except TooLargeError:
                if len(chunk) == 1:
                    raise
                half = len(chunk) // 2
                yield from self._asked(run, (chunk[:half], chunk[half:]))

    def _committed(
        self, run: _Run, add: tuple[File, ...], remove: tuple[File, ...], done: Outcome, as_of: int | None
    ) -> Outcome:
        seconds = time.perf_counter() - self.started
        at, key = self.now().isoformat(), self.rollup.key
        new = Refreshed(
            key, run.mark, run.definition, as_of, run.observed_us, done.days, done.rows, seconds, at
        )
        self.store.lake.manifest.commit_rollup(add, remove, new)
        return replace(done, seconds=seconds)


@dataclass(frozen=True)
class _Run:
    """What one refresh of one rollup sets out to do."""

    tables: Mapping[str, sa.FromClause]
    dims: tuple[str, ...]
    definition: str
    state: Refreshed | None
    full: bool
    dirty: Dirty
    observed_us: int

    @classmethod
    def begin(cls, rollup: Rollup[C], warehouse: Warehouse, store: RollupStore, *, full: bool) -> _Run:
        tables = warehouse.tables()
        dims = rollup.resolved_dims(tables)
        definition = definition_of(rollup, dims)
        state = store.state(rollup.key)
        full = full or state is None or state.definition != definition
        dirty = warehouse.dirty(rollup.tables, None if full or state is None else state.mark)
        observed = observed_us(rollup, warehouse, tables)
        return cls(tables, dims, definition, state, full, dirty, observed)

    @property
    def mark(self) -> str:
        return self.dirty.mark

    def days(self, rollup: Rollup[C], warehouse: Warehouse, store: RollupStore) -> tuple[int, ...]:
        """The days to compute whole."""
        if self.state is None or self.full:
            return tuple(sorted(_own(rollup, self.dirty)))
        return tuple(sorted(_dirty_days(rollup, warehouse, store, self.state, self.dirty, self.observed_us)))


def _own(rollup: Rollup[C], dirty: Dirty) -> set[int]:
    """Days of the rollup's first table and of those stored under its days."""
    held = {n for n in rollup.tables if shares_days(rollup, n)}
    return {d for n, days in dirty.days.items() if n in held for d in days if d != NO_DAY}


def _dirty_days(
    rollup: Rollup[C],
    warehouse: Warehouse,
    store: RollupStore,
    state: Refreshed,
    dirty: Dirty,
    observed: int,
) -> set[int]:
    """Days that new rows of any table move, and those that time alone moves.

    When the sources are complete further than before, rows loaded earlier but later than the former end count now.
    """
    days = _own(rollup, dirty)
    touched = dict(rollup.touched)
    after = state.observed_us if observed != state.observed_us else FAR_US
    moved = [n for n in touched if after < FAR_US and n not in dirty.days]
    for name in (*dirty.days, *moved):
        if name not in touched:
            if not shares_days(
                rollup, name
            ):  # nothing is known of what its rows move, so everything may have
                return _own(rollup, warehouse.dirty(rollup.tables, None))
        elif (select := touched[name]) is not None:
            with warehouse.changes(rollup.tables, name, state.mark, after) as (session, tables):
                found = session.columns(select(Facts(tables)))["day"].astype(float)
            days |= {int(d) for d in found if not np.isnan(d)}
    if rollup.observed and observed == state.observed_us:
        return days  # no time has passed, as far as the sources tell
    return days | store.unsettled_days(rollup)


def _cells(
    rollup: Rollup[C], warehouse: Warehouse, run: _Run, days: Sequence[int]
) -> tuple[Cells, int | None]:
    """Cells of a run of days, and the newest load (epoch microseconds) among the rows they came from."""
    span = Span(days[0], days[-1])
    # before the cells: what is loaded meanwhile may be in them, but is not claimed to be
    newest = [warehouse.newest(name, span) for name in rollup.tables]
    facts = Facts(run.tables, run.dims, span, observed_us=run.observed_us)
    with warehouse.session(rollup.tables, spans(rollup, span)) as session:
        asked = rollup.select(facts)
        cells = rollup.derived(session.columns(asked)) if rollup.derived else session.arrow(asked)
    return cells, max((us for us in newest if us is not None), default=None)
