"""Every current row of a ledger in memory, brought up to date by what the audit chain says has changed since."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.govern import rows
from app.govern.model import Ledger, Row
from data.ledger import AUDIT
from data.registers import REGISTERS

Shelf = Mapping[str, Mapping[str, Row]]
UNSHELVED = ("publications",)  # long documents that no list shows
MOST_CHANGES = 500  # beyond these reading everything is the shorter way
_GUARD = threading.Lock()
_LAST: dict[str, _Seen] = {}  # by ledger


@dataclass(frozen=True)
class _Seen:
    """The rows of a ledger as they were at an entry of its chain."""

    seq: int
    hash: str
    shelf: Shelf


def shelf_of(ledger: Ledger, db: sa.Connection) -> Shelf:
    """Current rows by register and identifier, in the order of identifiers."""
    name = ledger.store.shown
    newest = db.execute(sa.select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
    if newest is None:
        return _whole(db)
    with _GUARD:
        last = _LAST.get(name)
    seq, head = int(newest[0]), str(newest[1])
    if last is not None and (last.seq, last.hash) == (seq, head):
        return last.shelf
    shelf = _advanced(db, last) if last else None
    seen = _Seen(seq, head, _whole(db) if shelf is None else shelf)
    with _GUARD:
        _LAST[name] = seen
    return seen.shelf


def _whole(db: sa.Connection) -> Shelf:
    return {name: _ordered(rows.rows(db, name)) for name in REGISTERS if name not in UNSHELVED}


def _ordered(found: tuple[Row, ...]) -> dict[str, Row]:
    """By identifier as Python sorts it, so that no database's collation shows."""
    return {r.record_id: r for r in sorted(found, key=lambda r: r.record_id)}


def _advanced(db: sa.Connection, last: _Seen) -> Shelf | None:
    """The rows with the changes since; None where the chain does not go through that entry (another copy) or far."""
    a = AUDIT.c
    if db.execute(sa.select(a.hash).where(a.seq == last.seq)).scalar() != last.hash:
        return None
    changed = sa.select(a.register, a.record_id).where(a.seq > last.seq).distinct().limit(MOST_CHANGES + 1)
    moved = [(str(r), str(i)) for r, i in db.execute(changed) if r in last.shelf]
    if len(moved) > MOST_CHANGES:
        return None
    shelf = dict(last.shelf)
    for register in sorted({r for r, _ in moved}):
        found = (rows.current(db, register, i) for r, i in moved if r == register)
        held = {**shelf[register], **{row.record_id: row for row in found if row is not None}}
        shelf[register] = _ordered(tuple(held.values()))
    return shelf
