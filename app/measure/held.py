"""What the store of cells can answer, and why it cannot."""

from __future__ import annotations

import datetime as dt

from app.measure.store import RollupStore, holds
from metrics.core.metric import C, Estimate, Metric, Rollup, Scope, undefined


def as_of(store: RollupStore, rollup: Rollup[C]) -> dt.datetime | None:
    """Newest load that the stored cells of a rollup reflect."""
    state = store.state(rollup.key)
    if state is None or state.as_of_us is None:
        return None
    return dt.datetime.fromtimestamp(state.as_of_us / 1e6, dt.UTC)


def outdated(store: RollupStore, rollup: Rollup[C]) -> bool:
    """Whether the stored cells were made under another definition, and so are not this rollup's cells."""
    state = store.state(rollup.key)
    return rollup.stored and state is not None and not holds(rollup, state.definition)


def sources(rollup: Rollup[C]) -> tuple[str, ...]:
    """Every table that an answer of the warehouse hangs on, those that say how far it is complete among them."""
    return tuple(dict.fromkeys((*rollup.tables, *rollup.observed, "data_watermarks")))


def dims(store: RollupStore, rollup: Rollup[C]) -> tuple[str, ...]:
    """Slicing dimensions of the stored cells; none where there are none, or only those of another definition."""

    def found() -> tuple[str, ...]:
        return store.dims(rollup) if rollup.stored and not outdated(store, rollup) else ()

    return store.kept(("dims", rollup.key, rollup.version), found)


def stored(store: RollupStore, rollup: Rollup[C], scope: Scope) -> bool:
    """Whether the stored cells answer a scope: they are as new as what it asks to have been known."""
    if not rollup.stored:
        return False
    newest = as_of(store, rollup)
    return scope.as_of is None or (newest is not None and scope.as_of >= newest)


def nothing(store: RollupStore, metric: Metric[C]) -> Estimate:
    """Why there is no group at all, and what to do."""
    rollup = metric.rollup
    if rollup.stored and store.state(rollup.key) is None:
        return undefined("not computed yet: run refresh")
    if outdated(store, rollup):
        return undefined("computed under an older definition: run refresh")
    if rollup.stored and not store.files(rollup.key):
        return undefined(f"nothing in {' or '.join(rollup.tables)}: load it, then run refresh")
    return undefined("no row matches this scope: widen the period or remove a filter")
