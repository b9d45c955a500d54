"""Which Readings may be relied on: a broken data contract makes every number inadmissible that its table goes into.

A number whose data are late is stale; one whose data lack columns, rows or quality is withheld. Both name the contract.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.govern import rows
from app.govern.contract_checks import (
    BROKEN,
    FRESHNESS,
    KEPT,
    UNMEASURED,
    TableFacts,
    binding,
    evaluate,
    table_facts,
)
from app.govern.model import Clock, Ledger, Row
from app.govern.open import Door
from app.measure import words
from app.measure.admitted import Failure, Objections
from data.engines import LakeWarehouse, Warehouse
from data.lake import Lake
from data.ledger_views import ContractStates
from data.schema import METADATA
from metrics.core.metric import Metric

if TYPE_CHECKING:
    from app.runtime import Runtime

SETTLES = dt.timedelta(seconds=60)  # how long an answer about one generation of data is kept at most


@dataclass(frozen=True)
class _Look:
    """What was found at one state of ledger and warehouse."""

    state: tuple[int, str]
    at: dt.datetime
    contracts: tuple[Row, ...]
    facts: dict[str, TableFacts]


class Contracts:
    """The contracts of a ledger against a warehouse; measured again when either changes. Threads may share it."""

    def __init__(self, door: Door, lake: Lake, warehouse: Warehouse, clock: Clock) -> None:
        self._door, self._lake, self._warehouse, self._clock = door, lake, warehouse, clock
        self._guard = threading.Lock()
        self._seen: _Look | None = None

    def failures(self, tables: Iterable[str]) -> tuple[Failure, ...]:
        """What is broken of the contracts on these tables, by contract and rule. Raises LedgerError as the ledger does."""
        wanted = frozenset(tables)
        ledger = self._door.ledger()
        if ledger is None or not wanted:
            return ()
        look, now = self._look(ledger)
        own = (c for c in look.contracts if c.text("table_name") in wanted)
        return tuple(f for c in own for f in _failures(c, look.facts.get(c.text("table_name")), now))

    def states(self) -> ContractStates:
        """Each contract in force: kept, broken, or not measured where a promise of it could not be."""
        ledger = self._door.ledger()
        if ledger is None:
            return ()
        look, now = self._look(ledger)
        return tuple(
            (c.record_id, _state(c, look.facts.get(c.text("table_name")), now)) for c in look.contracts
        )

    def _look(self, ledger: Ledger) -> tuple[_Look, dt.datetime]:
        now = self._clock()
        with self._guard:
            look = self._seen = self._looked(ledger, now)
        return look, now

    def _looked(self, ledger: Ledger, now: dt.datetime) -> _Look:
        with ledger.store.read() as db:
            held = binding(rows.rows(db, "contracts", live=True))
        names = tuple(sorted({c.text("table_name") for c in held} & set(METADATA.tables)))
        # The lake tells for nothing whether it changed; a company's tables would be scanned for it, so time decides there.
        own = isinstance(self._warehouse, LakeWarehouse)
        state = (max((c.seq for c in held), default=0), self._warehouse.mark(names) if names and own else "")
        if self._seen and self._seen.state == state and now - self._seen.at < SETTLES:
            return self._seen
        return _Look(state, now, held, table_facts(self._warehouse, self._lake, held))


def _state(contract: Row, facts: TableFacts | None, now: dt.datetime) -> str:
    found = {r.state for r in evaluate(contract, facts, now)}
    return next(s for s in (BROKEN, UNMEASURED, KEPT) if s in found or s == KEPT)


def _failures(contract: Row, facts: TableFacts | None, now: dt.datetime) -> tuple[Failure, ...]:
    broken = (r for r in evaluate(contract, facts, now) if r.state == BROKEN)
    return tuple(
        Failure(
            contract.record_id,
            contract.text("table_name"),
            f"contract {contract.text('title')} ({contract.record_id}) is broken: {r.rule}, {r.why}"
            + (f"; since {words.moment(r.since)}" if r.since else ""),
            r.rule == FRESHNESS,
        )
        for r in broken
    )


def failures(runtime: Runtime, metric: Metric[Any]) -> tuple[str, ...]:
    """Why the Readings of a metric are inadmissible now, one reason a broken promise; empty where they may be relied on."""
    return reasons(runtime.contracts.failures, metric)


def reasons(ask: Objections, metric: Metric[Any]) -> tuple[str, ...]:
    """The same by what somebody else says of the contracts: as they were when a page run asked."""
    return tuple(f.reason for f in ask(metric.rollup.tables))
