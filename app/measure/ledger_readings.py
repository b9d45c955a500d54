"""Scope -> Reading for metrics of the ledger: its registers as they stand, or as they stood, counted in SQL.

The same way of a number as in `readings.py`, SELECT -> cells -> finaliser -> Reading, only shorter: a ledger is small, so
nothing is kept in rollups, and it has no days to cut by.
"""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.measure.finished import ScopeError, only, reading_of
from app.measure.slices import Slice, cut
from data.engines import Columns
from data.ledger_store import Store
from data.ledger_views import BOUNDS, CONTRACT_STATES, VIRTUAL, Bounds, ContractStates, length, tables_at
from data.sql import Facts
from data.sql_warehouse import columns_of
from metrics.core.metric import C, Estimate, Metric, Reading, Rollup, Scope, undefined

KEPT = 256  # answers kept in memory; each is a few kilobytes
NO_LEDGER = "there is no ledger here yet: start the app, or run python -m app demo"


@dataclass(frozen=True)
class _Moment:
    """The state of the ledger that a question is about."""

    at: dt.datetime
    length: int
    bounds: Bounds
    contracts: ContractStates


class LedgerReadings:
    """Answers from one ledger. `bounds`: the verdicts of live Readings on bounds kept in it. `contracts`: which of its data
    contracts hold at the warehouse. Threads may share it.
    """

    def __init__(
        self,
        store: Callable[[], Store | None],
        clock: Callable[[], dt.datetime],
        bounds: Callable[[], Bounds] = tuple,
        contracts: Callable[[], ContractStates] = tuple,
    ) -> None:
        self._store, self._clock, self._bounds, self._contracts = store, clock, bounds, contracts
        self._kept: OrderedDict[Hashable, Columns] = OrderedDict()
        self._guard = threading.Lock()
        self._pins: dict[frozenset[str], _Moment] | None = None  # of a pinned copy

    def pinned(self) -> LedgerReadings:
        """The same answers, all from the ledger as it is when it is first asked; shares what is kept in memory."""
        pinned = copy.copy(self)
        pinned._pins = {}  # noqa: SLF001 (a copy of itself)
        return pinned

    def read(self, metric: Metric[C], scope: Scope) -> tuple[Reading, ...]:
        """One Reading for each group of the breakdown, at least one. Raises ScopeError, or ValueError for a setting."""
        rollup, choice = metric.rollup, metric.choice(scope.settings)
        _check(rollup, scope)
        store = self._store()
        if store is None or metric.finalise is None:
            return (
                reading_of(metric, scope.where, undefined(NO_LEDGER), scope.as_of, f"l0.d{metric.version}"),
            )
        moment = self._moment(store, rollup, scope)
        keys = tuple(k for k in metric.apart if k not in scope.by) + scope.by
        observed = {"observed_us": np.array([_micros(moment.at)])}
        found: list[tuple[Any, Estimate]] = [
            (scope.where + s.by, metric.finalise(rollup.cells(s.columns | observed), choice))
            for s in self._slices(store, rollup, scope, moment, keys)
        ] or [
            (
                scope.where,
                undefined(f"nothing is recorded in {' or '.join(_registers(rollup))} that this counts"),
            )
        ]
        version = f"l{moment.length}.d{metric.version}"
        return tuple(reading_of(metric, by, estimate, moment.at, version) for by, estimate in found)

    def _moment(self, store: Store, rollup: Rollup[C], scope: Scope) -> _Moment:
        live = VIRTUAL & set(rollup.tables) if scope.as_of is None else frozenset()
        if self._pins is None or scope.as_of is not None:
            return self._now(store, scope, live)
        if live not in self._pins:
            self._pins[live] = self._now(store, scope, live)
        return self._pins[live]

    def _now(self, store: Store, scope: Scope, live: frozenset[str]) -> _Moment:
        with store.read() as db:
            newest = db.execute(length()).scalar_one()
        bounds = tuple(self._bounds()) if BOUNDS in live else ()
        contracts = tuple(self._contracts()) if CONTRACT_STATES in live else ()
        return _Moment(scope.as_of or self._clock(), newest or 0, bounds, contracts)

    def _slices(
        self, store: Store, rollup: Rollup[C], scope: Scope, moment: _Moment, keys: tuple[str, ...]
    ) -> tuple[Slice, ...]:
        columns = only(self._columns(store, rollup, moment, exact=scope.as_of is not None), scope)
        return cut(columns, keys, rollup.inner, rollup.shapes)

    def _columns(self, store: Store, rollup: Rollup[C], moment: _Moment, *, exact: bool) -> Columns:
        """All cells of a rollup, from memory while the ledger and the day are the same."""
        at = moment.at if exact else moment.at.replace(minute=0, second=0, microsecond=0)
        name = (rollup.key, rollup.version, moment.length, at, moment.bounds, moment.contracts)
        with self._guard:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        tables = tables_at(rollup.tables, moment.at if exact else None, moment.bounds, moment.contracts)
        with store.read() as db:
            found = columns_of(db, rollup.select(Facts(tables, rollup.dims, observed_us=_micros(moment.at))))
        found = rollup.derived(found) if rollup.derived else found
        with self._guard:
            self._kept[name] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def no_ledger() -> LedgerReadings:
    """Answers where there is no ledger: every number is unknown, and says what to do."""
    return LedgerReadings(lambda: None, lambda: dt.datetime.fromtimestamp(0, dt.UTC))


def _micros(at: dt.datetime) -> int:
    return round(at.timestamp() * 1e6)


def _registers(rollup: Rollup[C]) -> tuple[str, ...]:
    return tuple(t for t in rollup.tables if t not in VIRTUAL)


def _check(rollup: Rollup[C], scope: Scope) -> None:
    """Raise ScopeError for a dimension the ledger does not have, or for days: it is asked as it stands."""
    for name in (*scope.by, *(w[0] for w in scope.where)):
        if name not in rollup.dims:
            raise ScopeError(f"{rollup.key} has no dimension {name!r}; it has: {', '.join(rollup.dims)}")
    if scope.since is not None or scope.until is not None:
        raise ScopeError(f"{rollup.key} is asked as it stands at one moment: use --as-of, not --from or --to")
