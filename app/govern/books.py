"""What the ledger says to the rest of the app: dated targets, the book that the lint rules read, and lapses that act."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from app.govern import rows
from app.govern.commands import execute
from app.govern.kept import kept, state_of
from app.govern.lint import Book, lapsed
from app.govern.model import SYSTEM, Actor, Ledger, Receipt, Row, Step
from app.govern.shelf import Shelf, shelf_of
from data.ledger_types import Value
from metrics.core.verdict import Comparator, Target

LATENCY = "model.latency_p95"
_APP = Actor(SYSTEM, "throughline")
_LAPSES = uuid.UUID(
    "5f0c3a52-6f43-4a57-8f1e-2f8b9a4f7d11"
)  # name space of the keys under which lapses are recorded


@dataclass(frozen=True)
class Promises:
    """The targets in use, and the latency budgets of the operability register as targets of the initiative's models."""

    targets: tuple[Target, ...] = ()
    budgets: tuple[Target, ...] = ()


def promises(ledger: Ledger) -> Promises:
    """What the ledger holds the models to, as the one verdict function takes it; kept until the ledger moves."""
    with ledger.store.read() as db:
        return kept(state_of(ledger, db), "promises", lambda: _promises(shelf_of(ledger, db)))


def _promises(shelf: Shelf) -> Promises:
    targets = tuple(target_of(row) for row in shelf["targets"].values() if row.live)
    return Promises(targets, tuple(_budgets(shelf)))


def _budgets(shelf: Shelf) -> Iterator[Target]:
    """Budgets in milliseconds against a metric in seconds."""
    for row in (r for r in shelf["operability"].values() if r.live):
        initiative, budget = shelf["initiatives"].get(row.text("initiative")), row["latency_ms"]
        if initiative is not None and isinstance(budget, int | float):
            note = f"latency budget of {row.record_id}"
            for m in initiative.words("model_ids"):
                yield Target(LATENCY, Comparator.AT_MOST, budget / 1000, where=(("model_id", m),), note=note)


def target_of(row: Row) -> Target:
    """A row of the register as a Target. Empty fields take the Target's own defaults."""
    plain = Target(row.text("metric"), Comparator(row.text("comparator")), _number(row["threshold"]))
    first, last, age, n = row["valid_from"], row["valid_to"], row["max_age_days"], row["min_n"]
    return Target(
        plain.metric,
        plain.comparator,
        plain.threshold,
        min_n=n if isinstance(n, int) else plain.min_n,
        max_age=plain.max_age if age is None else dt.timedelta(days=_number(age)),
        where=scope_of(row["scope"]),
        valid_from=first if isinstance(first, dt.date) else plain.valid_from,
        valid_to=last if isinstance(last, dt.date) else plain.valid_to,
        note=row.text("note"),
    )


def bound_of(row: Row, prefix: str) -> Target | None:
    """A tripwire or an indicator as a Target (in breach where that is not met); None where the row has none."""
    if row[f"{prefix}_metric"] is None:
        return None
    return _bound(*(row[f"{prefix}_{part}"] for part in ("metric", "comparator", "threshold", "scope")))


@functools.lru_cache(maxsize=4096)  # thousands of risks share a few bounds
def _bound(metric: Value, comparator: Value, threshold: Value, scope: Value) -> Target:
    return Target(str(metric), Comparator(str(comparator)), _number(threshold), where=scope_of(scope))


def scope_of(words: Value) -> tuple[tuple[str, str], ...]:
    """`model_id=m1` words as the pairs of a Target."""
    pairs = (w.partition("=") for w in words) if isinstance(words, tuple) else ()
    return tuple(sorted((name.strip(), value.strip()) for name, _, value in pairs))


def _number(value: Value) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError(f"{value!r} is no number")


def book(
    ledger: Ledger, *, worse: frozenset[str] = frozenset(), breached: frozenset[str] = frozenset()
) -> Book:
    """One consistent look at the registers that the lint rules read."""
    with ledger.store.read() as db:
        return Book(
            rows.rows(db, "initiatives"),
            rows.rows(db, "ownership"),
            rows.rows(db, "risks"),
            rows.rows(db, "controls"),
            rows.rows(db, "acceptances"),
            rows.rows(db, "exceptions"),
            rows.histories(db, "risks"),
            worse,
            breached,
        )


def act_on_lapses(ledger: Ledger, *, breached: frozenset[str] = frozenset()) -> tuple[Receipt, ...]:
    """Move every acceptance and exception that has come to its end to expired. Safe to repeat and to run twice at once."""
    today = ledger.clock().astimezone(dt.UTC).date()
    receipts = []
    for row, why in lapsed(book(ledger, breached=breached), today):
        key = uuid.uuid5(_LAPSES, f"{row.register} {row.record_id} {row.version} {why}").hex
        receipts.append(
            execute(ledger, Step("lapse", row.register, row.record_id, row.version, why), _APP, key)
        )
    return tuple(receipts)
