"""The ledger's database: SQLite in a file or PostgreSQL, opened with settings under which a commit is durable.

SQLite keeps a rollback journal with synchronous=EXTRA, not WAL: the interpreter's library lies in the range of the
WAL-reset bug (3.7.0 to 3.51.2). Write transactions take the lock at once, so none fails half way for want of it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from data import ledger
from data.disk import sha256_of
from data.sqlite_open import OPEN, kept

BUSY_MS = 5_000
# Deletes that INSERT OR REPLACE makes are seen by the append-only triggers only with recursive_triggers.
PRAGMAS = (
    f"busy_timeout={BUSY_MS}", "journal_mode=DELETE", "synchronous=EXTRA", "foreign_keys=ON", "recursive_triggers=ON",
    "trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0",
)  # fmt: skip
_FORBIDDEN = frozenset(
    getattr(sqlite3, f"SQLITE_{name}")
    for name in (
        "UPDATE", "DELETE", "DROP_TABLE", "DROP_TRIGGER", "DROP_INDEX", "DROP_VIEW", "ALTER_TABLE", "ATTACH", "DETACH",
        "CREATE_TABLE", "CREATE_TRIGGER", "CREATE_INDEX", "CREATE_VIEW",
    )
)  # fmt: skip
_POSTGRES = (
    "-c synchronous_commit=on -c lock_timeout=5s -c statement_timeout=30s"
    " -c idle_in_transaction_session_timeout=15s -c timezone=UTC"
)
_ONE_WRITER = (
    7_310_584  # the advisory lock that makes writers of a PostgreSQL ledger queue for the chain's head
)


class LedgerError(RuntimeError):
    """The ledger cannot be used as it is; the message says what to do."""


class Store:
    """Connections to one ledger. Threads may share it; every transaction has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if not self.sqlite and self.url.get_backend_name() != "postgresql":
            raise LedgerError(f"a ledger is SQLite or PostgreSQL, not {self.url.get_backend_name()}")
        self._engine = _engine(self.url, locked=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent look; nothing is kept."""
        with self._reading(self._engine) as db:
            yield db

    @contextlib.contextmanager
    def read_anew(self) -> Iterator[sa.Connection]:
        """The same through a connection of its own: every page comes from the file, none from what another has in memory."""
        engine = _engine(self.url, locked=True)
        try:
            with self._reading(engine) as db:
                yield db
        finally:
            engine.dispose()

    @contextlib.contextmanager
    def _reading(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        with engine.connect() as db:
            if not self.sqlite:
                db = db.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 (the same one)
            with db.begin():
                yield db

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A write transaction that nobody else's can overlap; kept only if the body ends without an exception."""
        with self._engine.connect().execution_options(ledger_write=True) as db, db.begin():
            if not self.sqlite:
                db.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_WRITER)))
            yield db

    def revision(self) -> str | None:
        """The migration that the database is at; None for one without a ledger."""
        with self.read() as db:
            if not sa.inspect(db).has_table("alembic_version"):
                return None
            version = sa.table("alembic_version", sa.column("version_num", sa.Text))
            return db.execute(sa.select(version.c.version_num)).scalar()

    def check(self) -> None:
        """Raise LedgerError unless the ledger is of this app's revision."""
        found = self.revision()
        if found == ledger.HEAD:
            return
        if found is None:
            raise LedgerError(f"there is no ledger at {self.shown}; run: python -m app migrate")
        raise LedgerError(
            f"the ledger at {self.shown} is of revision {found}, this app needs {ledger.HEAD}; make a backup, then"
            " run: python -m app migrate (or start the app that belongs to it)"
        )

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.render_as_string(hide_password=True)

    def digest(self) -> str:
        """The SHA-256 of the ledger's file; empty on a server. Meant to be asked inside `read`."""
        return sha256_of(Path(self.url.database)) if self.sqlite and self.url.database else ""

    def settings(self) -> dict[str, str]:
        """What the connection says of the settings that durability rests on, read back."""
        with self.read() as db:
            if self.sqlite:
                names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
                return {n: str(db.exec_driver_sql(f"PRAGMA {n}").scalar()) for n in names}
            shown = ("fsync", "synchronous_commit", "full_page_writes")
            return {n: str(db.execute(sa.select(sa.func.current_setting(n))).scalar()) for n in shown}

    def unlocked(self) -> sa.Engine:
        """An engine that may change the schema: for migrations only."""
        return _engine(self.url, locked=False)

    def close(self) -> None:
        self._engine.dispose()


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _engine(url: sa.URL, *, locked: bool) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, poolclass=sa.QueuePool, pool_size=OPEN, max_overflow=-1)
        sa.event.listen(engine, "connect", _locked_down if locked else _opened)
        kept(engine, url.database or "")
        sa.event.listen(engine, "begin", _begin)
        return engine
    options = {"options": _POSTGRES, "connect_timeout": 5}
    return sa.create_engine(url, pool_pre_ping=True, pool_size=4, connect_args=options)


def _opened(connection: sqlite3.Connection, _: Any) -> None:  # noqa: ANN401 (a pool record)
    connection.isolation_level = None  # transactions begin where this file says so
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _locked_down(connection: sqlite3.Connection, record: Any) -> None:  # noqa: ANN401
    _opened(connection, record)
    connection.set_authorizer(_may)


def _may(action: int, *_: str | None) -> int:
    """A belt beside the triggers: this connection adds rows and reads them, nothing else."""
    return sqlite3.SQLITE_DENY if action in _FORBIDDEN else sqlite3.SQLITE_OK


def _begin(db: sa.Connection) -> None:
    write = db.get_execution_options().get("ledger_write", False)
    db.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
