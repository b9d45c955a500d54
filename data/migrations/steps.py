"""What the migrations have in common: tables from a frozen list of columns, and guards that keep rows as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "int": _INTEGER,
    "number": sa.Double().with_variant(sa.REAL(), "sqlite"),
}
_REFUSE = """
CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: write a new version', TG_TABLE_NAME; END $$
"""


def on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def typed(name: str, kind: str) -> sa.Column[object]:
    return sa.Column(name, _TYPES[kind], nullable=True)


def _ddl(statement: str) -> None:
    op.execute(sa.DDL(statement))  # type: ignore[no-untyped-call]


def create_refusal() -> None:
    """The function that PostgreSQL's guards call."""
    if not on_sqlite():
        _ddl(_REFUSE.replace("%", "%%"))


def drop_refusal() -> None:
    if not on_sqlite():
        _ddl("DROP FUNCTION ledger_append_only()")


def guard(table: str) -> None:
    """Triggers that refuse every update and delete. The file's owner can drop them; verification finds what follows."""
    if on_sqlite():
        for verb in ("UPDATE", "DELETE"):
            _ddl(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN"
                f" SELECT RAISE(ABORT, '{table} is append-only: write a new version'); END"
            )
        return
    _ddl(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only()"
    )


def create_register(name: str, columns: str) -> None:
    """A register's table of row versions; `columns` is `name:kind name:kind ...` as it was at this step."""
    op.create_table(
        name,
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("version", _INTEGER, primary_key=True, autoincrement=False),
        sa.Column("seq", _INTEGER, sa.ForeignKey("audit.seq"), nullable=False, unique=True),
        *(
            sa.Column(c, sa.Text, nullable=False)
            for c in ("state", "at", "by_issuer", "by_subject", "reason")
        ),
        *(typed(*column.split(":")) for column in columns.split()),
        sa.CheckConstraint("version >= 1", name=f"{name}_version"),
        sqlite_strict=True,
    )
    guard(name)


def refuse_if_filled(*tables: str) -> None:
    """Stop a downgrade that would drop what people wrote."""
    for name in tables:
        if op.get_bind().execute(sa.select(sa.exists().select_from(sa.table(name)))).scalar():
            raise RuntimeError(f"{name} holds rows that this downgrade would drop; restore a backup instead")


def create_registers(registers: Mapping[str, str]) -> None:
    """Tables of registers from their columns, in their order."""
    for name, columns in registers.items():
        create_register(name, columns)


def drop_registers(registers: Mapping[str, str]) -> None:
    """Drop them again, last first; refused where one holds a row."""
    refuse_if_filled(*registers)
    for name in reversed(list(registers)):
        op.drop_table(name)
