"""Reading the registers: current rows, history, people and what ties them to a record. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.govern.access import Relation
from app.govern.model import OPERATOR, RESERVED, Actor, CommandError, Row
from data.field_text import shown
from data.fields import Kind, Register
from data.ledger import TABLES, latest
from data.ledger_types import Value
from data.registers import REGISTERS

# References through which ownership passes: who owns the risk owns its acceptance.
_PASSES = ("initiatives", "risks", "decisions", "targets", "gate_reviews")


def register_of(name: str) -> Register:
    found = REGISTERS.get(name)
    if found is None:
        raise CommandError(f"there is no register {name!r}; there are: {', '.join(REGISTERS)}")
    return found


def current(db: sa.Connection, register: str, record_id: str) -> Row | None:
    """The newest version of a record, or None."""
    table = TABLES[register]
    newest = sa.select(table).where(table.c.record_id == record_id).order_by(table.c.version.desc()).limit(1)
    found = db.execute(newest).first()
    return None if found is None else read_row(register, found)


def history(db: sa.Connection, register: str, record_id: str) -> tuple[Row, ...]:
    """Every version of a record, oldest first."""
    table = TABLES[register]
    every = sa.select(table).where(table.c.record_id == record_id).order_by(table.c.version)
    return tuple(read_row(register, found) for found in db.execute(every))


def histories(db: sa.Connection, register: str) -> dict[str, tuple[Row, ...]]:
    """Every version of each record that has more than one, oldest first."""
    table = TABLES[register]
    changed = sa.select(table.c.record_id).where(table.c.version == 2)
    every = (
        sa.select(table).where(table.c.record_id.in_(changed)).order_by(table.c.record_id, table.c.version)
    )
    found: dict[str, list[Row]] = {}
    for row in (read_row(register, r) for r in db.execute(every)):
        found.setdefault(row.record_id, []).append(row)
    return {record: tuple(versions) for record, versions in found.items()}


def rows(db: sa.Connection, register: str, *, live: bool = False) -> tuple[Row, ...]:
    """The newest version of every record by identifier; `live` leaves out retired, rejected and expired ones."""
    found = tuple(read_row(register, r) for r in db.execute(latest(TABLES[register])))
    return tuple(r for r in found if not live or r.live)


def read_row(register: str, found: sa.Row[Any]) -> Row:
    """The columns of a table stand in the order of COMMON, then the register's fields."""
    record_id, version, seq, state, at, issuer, subject, reason, *values = tuple[Any, ...](found)
    own: dict[str, Value] = dict(zip(REGISTERS[register].names, values, strict=True))
    return Row(register, record_id, version, seq, state, at, Actor(issuer, subject), reason, own)


def roles_of(db: sa.Connection, actor: Actor) -> tuple[str, ...]:
    """The roles an actor has now; none for the unknown and the retired."""
    if actor.issuer in RESERVED:
        return (actor.issuer,)
    user = current(db, "users", actor.identity)
    if user is None or user.state != "active":
        return ()
    return user.words("roles")


def admins(db: sa.Connection) -> tuple[str, ...]:
    """Identities of the active administrators."""
    return tuple(u.record_id for u in rows(db, "users", live=True) if "admin" in u.words("roles"))


def relation(
    db: sa.Connection, actor: Actor, register: Register, row: Row | None, values: Mapping[str, Value]
) -> Relation:
    """What ties the actor to a record; to a new one only through the records it refers to."""
    if actor.issuer == OPERATOR:
        return Relation()
    if row is None:
        return Relation(actor.identity in _through(db, register, values))
    authors = {v.by for v in history(db, register.name, row.record_id)}
    return Relation(actor.identity in owners(db, register, row), actor in authors)


def owners(db: sa.Connection, register: Register, row: Row) -> frozenset[str]:
    """Identities of those who own a record."""
    if register.name == "users":
        return frozenset({row.record_id})
    first = history(db, register.name, row.record_id)[0].by.identity
    named = {row.text(f.name) for f in register.fields if f.owns}
    # The proposed target of a change never counts: nobody becomes an owner by saying so in the same breath.
    return frozenset({first} | named | _through(db, register, row.values)) - {""}


def _through(db: sa.Connection, register: Register, values: Mapping[str, Value]) -> frozenset[str]:
    found: set[str] = set()
    for field in register.fields:
        value = str(values.get(field.name) or "")
        if field.kind is not Kind.REF or field.ref not in _PASSES or not value or not value.isprintable():
            continue
        row = current(db, field.ref, value)
        if row is not None:
            found |= owners(db, REGISTERS[field.ref], row)
            found |= _named_in_ownership(db, row) if field.ref == "initiatives" else set()
    return frozenset(found)


def _named_in_ownership(db: sa.Connection, initiative: Row) -> set[str]:
    row = current(db, "ownership", initiative.record_id)
    if row is None or row.state != "active":
        return set()
    return {row.text(f.name) for f in REGISTERS["ownership"].fields if f.owns} - {""}


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> tuple[tuple[str, str, str], ...]:
    """(field, old, new) as text for every field that differs."""
    return tuple(
        (name, shown(before.get(name)), shown(value))
        for name, value in after.items()
        if value != before.get(name)
    )
