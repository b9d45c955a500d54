"""Every kind of tampering at every row of a demo's ledger: all found, each at its entry.

A kind is done to a third of all entries at once, never to neighbours, and every one of them has to be named: that is
each row by itself, without verifying the whole ledger for each. tests/ledger/test_verify.py does one at a time.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import demo
from app.govern.verify import _replay, entries
from app.settings import Settings
from data import audit
from data.audit import Entry
from data.demo import demo_targets
from data.ledger import TABLES
from tests.cases import SOAK
from tests.conftest import NOW
from tests.ledger.test_verify import COLUMNS, altered

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not SOAK, reason="a demo of its own: make soak")]
APART, FAR = 3, 500_000
Named = set[int]
Tamper = Callable[[sqlite3.Connection, tuple[Entry, ...]], Named]

ENTRY = {
    "at": "'2020-01-01T00:00:00.000000Z'", "issuer": "issuer || 'x'", "subject": "subject || 'x'", "verb": "'x'",
    "register": "'x'", "record_id": "record_id || 'x'", "version": "version + 7",
    "outcome": "CASE outcome WHEN 'done' THEN 'denied' ELSE 'done' END",
    "idempotency_key": "'key' || seq", "request": "'x'", "body": "replace(body, '\"reason\":', '\"reason\": ')",
    "previous": "'x' || substr(previous, 2)", "hash": "'x' || substr(hash, 2)",
}  # fmt: skip
ROW = {
    "state": "state || 'x'", "at": "'2020-01-01T00:00:00.000000Z'", "by_issuer": "by_issuer || 'x'",
    "by_subject": "by_subject || 'x'", "reason": "coalesce(reason, '') || 'x'", "version": "version + 1000",
    "record_id": "record_id || 'x'", "seq": "seq + 1000000",
}  # fmt: skip


def seqs(chosen: tuple[Entry, ...]) -> Named:
    return {e.seq for e in chosen}


def rows_of(chosen: tuple[Entry, ...]) -> Iterator[tuple[str, str]]:
    """The registers that the entries wrote to, and where their rows are."""
    for name in TABLES:
        found = ", ".join(str(e.seq) for e in chosen if e.register == name and e.outcome == "done")
        if found:
            yield name, f"seq IN ({found})"


def done(chosen: tuple[Entry, ...]) -> Named:
    return {e.seq for e in chosen if e.outcome == "done"}


def in_entry(column: str) -> Tamper:
    def act(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
        where = f"seq IN ({', '.join(str(e.seq) for e in chosen)})"
        db.execute(f"UPDATE audit SET {column} = {ENTRY[column]} WHERE {where}")
        return seqs(chosen)

    return act


def in_row(column: str) -> Tamper:
    def act(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
        for name, where in rows_of(chosen):
            db.execute(f"UPDATE {name} SET {column} = {ROW[column]} WHERE {where}")
        return done(chosen)

    return act


def last_column(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    """What the row says, not who wrote it."""
    for name, where in rows_of(chosen):
        column = list(TABLES[name].columns)[-1].name
        db.execute(f"UPDATE {name} SET {column} = CASE WHEN {column} IS NULL THEN 1 END WHERE {where}")
    return done(chosen)


def delete_entries(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    db.executemany("DELETE FROM audit WHERE seq = ?", [(e.seq,) for e in chosen])
    return done(chosen)


def delete_rows(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    for name, where in rows_of(chosen):
        db.execute(f"DELETE FROM {name} WHERE {where}")
    return done(chosen)


def copy_rows(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    """Rows that nobody wrote, under entries that are not there."""
    for name, where in rows_of(chosen):
        columns = [c.name for c in TABLES[name].columns if c.name not in ("record_id", "seq")]
        told = ", ".join(columns)
        db.execute(
            f"INSERT INTO {name} (record_id, seq, {told}) SELECT 'evil' || seq, seq + {FAR}, {told} FROM {name} WHERE {where}"
        )
    return {seq + FAR for seq in done(chosen)}


def put(db: sqlite3.Connection, entry: Entry) -> None:
    sets = ", ".join(f"{c} = ?" for c in COLUMNS)
    db.execute(f"UPDATE audit SET {sets} WHERE seq = ?", (*asdict(entry).values(), entry.seq))


def edit_both(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    """Row and entry changed alike and the entry's hash recomputed: only the next entry's link can tell."""
    for entry in (e for e in chosen if e.outcome == "done"):
        put(db, altered(entry).sealed())
        db.execute(f"UPDATE {entry.register} SET reason = 'because I say so' WHERE seq = ?", (entry.seq,))
    return {seq + 1 for seq in done(chosen)}


def reseal_one(db: sqlite3.Connection, chosen: tuple[Entry, ...]) -> Named:
    for entry in (e for e in chosen if e.outcome == "done"):
        put(db, altered(entry).sealed())
    return done(chosen)


TAMPERING: dict[str, Tamper] = {
    **{f"the entry's {column}": in_entry(column) for column in ENTRY},
    **{f"the row's {column}": in_row(column) for column in ROW},
    "what the row says": last_column, "delete the entry": delete_entries, "delete the row": delete_rows,
    "a copy of the row": copy_rows, "row and entry alike": edit_both, "the entry and its hash": reseal_one,
}  # fmt: skip


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a demo, its guards dropped."""
    home = tmp_path_factory.mktemp("demo")
    (home / "targets.toml").write_text(demo_targets())
    demo.fill(Settings(home=home), NOW)
    file = home / "ledger.sqlite"
    db = sqlite3.connect(file)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.commit()
    db.close()
    return file


def found(db: sa.Connection) -> Named:
    findings = (*audit.verify(entries(db)).findings, *_replay(db)[1])
    return {f.seq for f in findings if f.seq is not None}


@pytest.mark.parametrize("kind", TAMPERING)
def test_every_row_is_covered_by_every_kind(kind: str, demos: Path, tmp_path: Path):
    shutil.copy(demos, tmp_path / "ledger.sqlite")
    own = sqlite3.connect(tmp_path / "ledger.sqlite")
    engine = sa.create_engine("sqlite://", creator=lambda: own, poolclass=sa.StaticPool)
    with engine.connect() as db:
        trail = tuple(entries(db))
        assert found(db) == set()
        assert len(trail) > 200
        assert {e.register for e in trail} >= set(TABLES) - {"publications"}
        for part in range(APART):
            chosen = tuple(e for e in trail if e.seq % APART == part)
            named = TAMPERING[kind](own, chosen) - {trail[-1].seq + 1}
            assert named <= found(db), sorted(named - found(db))[:5]
            own.rollback()
