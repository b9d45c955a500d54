"""The ledger's tables: one of append-only row versions a register, and the audit trail over all of them.

A row version is never updated or deleted. Its `seq` is the audit entry that was written with it.
"""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from data.fields import Register
from data.ledger_types import INTEGER, UtcTime
from data.registers import REGISTERS

METADATA = sa.MetaData()
HEAD = "0009"  # the newest migration; an app refuses a ledger of another revision

# What every row version carries before the register's own fields.
COMMON = ("record_id", "version", "seq", "state", "at", "by_issuer", "by_subject", "reason")

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("register", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("version", INTEGER, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text, unique=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.CheckConstraint("seq >= 1", name="audit_seq"),
    sa.CheckConstraint("outcome IN ('done', 'denied')", name="audit_outcome"),
    sa.CheckConstraint("length(hash) = 64 AND length(previous) = 64", name="audit_hash"),
    sqlite_strict=True,
)


def _table(register: Register) -> sa.Table:
    """Columns of a row version. Choices are checked on the one write path, so that adding one needs no migration."""
    name = register.name
    return sa.Table(
        name,
        METADATA,
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("version", INTEGER, primary_key=True, autoincrement=False),
        sa.Column("seq", INTEGER, sa.ForeignKey("audit.seq"), nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("by_issuer", sa.Text, nullable=False),
        sa.Column("by_subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        *(f.column() for f in register.fields),
        sa.CheckConstraint("version >= 1", name=f"{name}_version"),
        sqlite_strict=True,
    )


TABLES: dict[str, sa.Table] = {r.name: _table(r) for r in REGISTERS.values()}


def raw(table: sa.Table) -> sa.TableClause:
    """The table with its columns as they are stored, without the types' own reading: what verification compares."""
    return sa.table(table.name, *(sa.column(c.name, _plain(c)) for c in table.columns))


def _plain(column: sa.Column[object]) -> sa.types.TypeEngine[object]:
    kind = column.type
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


@cache
def latest(table: sa.Table) -> sa.Select[tuple[object, ...]]:
    """The newest version of every record, by identifier. Kept: building it takes longer than asking it."""
    newer = table.alias()
    later = sa.exists().where(newer.c.record_id == table.c.record_id, newer.c.version > table.c.version)
    return sa.select(table).where(~later).order_by(table.c.record_id)
