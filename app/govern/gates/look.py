"""One look at the registers, now or as they were at an earlier moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from app.govern import rows
from app.govern.model import Ledger, Row
from data.ledger import TABLES
from data.registers import REGISTERS

# What criteria and councils read. The baselines' register is read where this ledger has one.
READ = (
    "users", "initiatives", "ownership", "decisions", "postures", "evidence", "appetites", "risks", "acceptances",
    "exceptions", "contracts", "operability", "targets", "baselines", "gate_reviews", "gate_delegations", "gate_votes",
    "conditions", "gate_decisions", "gate_revocations", "gate_events", "meetings", "attendances", "minutes",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Current rows by register and identifier. `at`: the moment they are looked at."""

    at: dt.datetime
    held: Mapping[str, Mapping[str, Row]]

    def rows(self, register: str) -> tuple[Row, ...]:
        return tuple(self.held.get(register, {}).values())

    def live(self, register: str) -> tuple[Row, ...]:
        """Rows that count."""
        return tuple(r for r in self.rows(register) if r.live)

    def of(self, register: str, field: str, value: str) -> tuple[Row, ...]:
        """Live rows whose field holds the value."""
        return tuple(r for r in self.live(register) if r[field] == value)

    def find(self, register: str, record_id: str) -> Row | None:
        return self.held.get(register, {}).get(record_id)

    def name(self, identity: str) -> str:
        """A person as people say it."""
        user = self.find("users", identity)
        return user.text("name") if user else identity.rpartition("|")[2]

    @cached_property
    def council(self) -> frozenset[str]:
        """Identities that hold the council's role."""
        return frozenset(u.record_id for u in self.live("users") if "council" in u.words("roles"))


def look(ledger: Ledger) -> Look:
    """The registers as they are now."""
    with ledger.store.read() as db:
        return look_in(db, ledger.clock())


def look_in(db: sa.Connection, now: dt.datetime) -> Look:
    """The same inside an open transaction."""
    return Look(now, {n: {r.record_id: r for r in rows.rows(db, n)} for n in READ if n in REGISTERS})


def look_at(ledger: Ledger, moment: dt.datetime) -> Look:
    """The registers as they were at a moment: the newest version of every record that was written by then."""
    with ledger.store.read() as db:
        held = {n: _then(db, n, moment) for n in READ if n in REGISTERS}
    return Look(moment, held)


def _then(db: sa.Connection, register: str, moment: dt.datetime) -> dict[str, Row]:
    table = TABLES[register]
    query = sa.select(table).where(table.c.at <= moment).order_by(table.c.record_id, table.c.version)
    found = (rows.read_row(register, r) for r in db.execute(query))
    return {r.record_id: r for r in found}  # later versions replace earlier ones
