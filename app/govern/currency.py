"""Whether data were current at a past moment, by the contracts that were in the ledger then.

Of a contract's promises only its freshness can be told for the past: rows say when they were loaded, and that does not
change. Columns, volume and quality are measured on the table of today, so they are held against no past decision.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.govern.contract_checks import BROKEN, FRESHNESS, TableFacts, binding, evaluate
from app.govern.gates.evaluate import Admissible, Sources, sources_at
from app.govern.model import Ledger, Row
from app.measure import words
from data.sql import micros
from metrics.core.metric import Metric

if TYPE_CHECKING:
    from app.runtime import Runtime
    from data.engines import Warehouse


def sources_then(runtime: Runtime, ledger: Ledger, moment: dt.datetime) -> Sources:
    """Ledger, numbers and the currency of the data, as they were known at a moment."""
    found = sources_at(runtime, ledger, moment)
    contracts = tuple(c for c in binding(found.look.live("contracts")) if c["freshness_hours"] is not None)
    return Sources(found.look, found.readings, late_at(runtime.warehouse, contracts, moment), moment)


def late_at(warehouse: Warehouse, contracts: tuple[Row, ...], moment: dt.datetime) -> Admissible:
    """Why a metric's data were not current then: one reason for each contract that was late. A table is asked once."""
    loaded: dict[str, dt.datetime | None] = {}

    def late(contract: Row) -> str:
        name = contract.text("table_name")
        if name not in loaded:
            loaded[name] = newest_by(warehouse, name, moment)
        if loaded[name] is None:
            return ""  # no load is told, so nothing can be held against it
        facts = TableFacts(frozenset(), None, loaded[name], {})
        found = next((r for r in evaluate(contract, facts, moment) if r.rule == FRESHNESS), None)
        if found is None or found.state != BROKEN:
            return ""
        return f"contract {contract.text('title')} ({contract.record_id}) was broken on {words.date(moment.date())}: {found.why}"

    def failures(metric: Metric[Any]) -> tuple[str, ...]:
        own = (c for c in contracts if c.text("table_name") in metric.rollup.tables)
        return tuple(why for c in own if (why := late(c)))

    return failures


def newest_by(warehouse: Warehouse, name: str, moment: dt.datetime) -> dt.datetime | None:
    """The newest load of a table up to a moment; None where the warehouse does not tell."""
    table = warehouse.tables().get(name)
    if table is None or "loaded_at" not in table.c:
        return None
    us = micros(table.c.loaded_at)
    asked: sa.Select[Any] = sa.select(sa.func.max(us).label("us")).where(
        us <= round(moment.timestamp() * 1e6)
    )
    try:
        with warehouse.session((name,)) as session:
            found = session.columns(asked)["us"].astype(float)
    except SQLAlchemyError:
        return None
    return None if np.isnan(found[0]) else dt.datetime.fromtimestamp(found[0] / 1e6, dt.UTC)
