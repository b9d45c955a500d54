"""Is the ledger what was written? The chain by itself, the rows against the chain, and both against an anchor."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.govern import anchors, evidence
from app.govern.anchors import Anchor, Head
from data import audit
from data.audit import Entry, Finding
from data.ledger import AUDIT, TABLES, raw
from data.ledger_store import Store

Found = list[Finding]
Key = tuple[str, object, object]


@dataclass(frozen=True)
class Verified:
    """The outcome. `state`: intact, broken or empty; an empty ledger proves nothing. The first bad entry comes first."""

    state: str
    entries: int
    rows: int | None
    head: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return self.state != "broken"

    @property
    def first_bad(self) -> int | None:
        """The lowest audit entry that a finding names."""
        return min((f.seq for f in self.findings if f.seq is not None), default=None)


def verify(
    store: Store,
    *,
    deep: bool = False,
    anchor: Anchor | None = None,
    trusted: str | None = None,
    files: Path | None = None,
) -> Verified:
    """Check the chain; with `deep` every column of every row, the guards and the evidence `files` too.

    `trusted`: the public key that anchors must be signed by, as hex digits.
    """
    try:
        return _verify(store, deep=deep, anchor=anchor, trusted=trusted, files=files)
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        detail = f"the database cannot be read: {str(error).splitlines()[0]}; restore a backup"
        return Verified("broken", 0, None, audit.NOTHING, (Finding(None, "unreadable", detail),))


def _verify(store: Store, *, deep: bool, anchor: Anchor | None, trusted: str | None, files: Path | None) -> Verified:  # fmt: skip
    with store.read_anew() as db:
        chain = audit.verify(entries(db))
        found = list(chain.findings)
        if anchor is not None:
            hashes = _hashes(db, 1, anchor.count)
            found += anchors.against(chain, hashes, anchor, trusted, store.digest() if anchor.file else "")
        rows = None
        if deep:
            rows, differences = _replay(db)
            found += differences + _guards(db) + _damage(db)
            found += _files(db, files) if files is not None else []
    order = sorted(found, key=lambda f: (f.seq is None, f.seq or 0))
    state = "broken" if found else "intact" if chain.count else "empty"
    return Verified(state, chain.count, rows, chain.head, tuple(order))


def entries(db: sa.Connection) -> Iterator[Entry]:
    """The trail in the order of its sequence."""
    for found in db.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).mappings():
        yield Entry(**{str(name): value for name, value in found.items()})


def head_of(store: Store) -> Head:
    """The checked chain, the hash of its first entry and that of the file, from one look: a reader keeps writers out."""
    with store.read_anew() as db:
        return Head(audit.verify(entries(db)), _hashes(db, 1).get(1, ""), store.digest())


def _hashes(db: sa.Connection, *seqs: int) -> dict[int, str]:
    asked = sa.select(AUDIT.c.seq, AUDIT.c.hash).where(AUDIT.c.seq.in_(seqs))
    return {int(seq): str(found) for seq, found in db.execute(asked)}


def _replay(db: sa.Connection) -> tuple[int, Found]:
    """What the trail implies, row by row and column by column, against what the registers hold."""
    implied: dict[Key, Mapping[str, object]] = {}
    versions: dict[tuple[str, str], int] = {}
    found: Found = []
    for entry in entries(db):
        if entry.outcome != "done":
            continue
        row = _row_in(entry)
        if row is None:
            found.append(
                Finding(entry.seq, "entry", f"entry {entry.seq} does not hold the row it says it wrote")
            )
            continue
        before = versions.get((entry.register, entry.record_id), 0)
        if entry.version != before + 1:
            found.append(
                Finding(
                    entry.seq, "version", f"version {entry.version} of {entry.record_id} follows {before}"
                )
            )
        versions[entry.register, entry.record_id] = entry.version
        implied[entry.register, entry.record_id, entry.version] = row
    count = 0
    for name, table in TABLES.items():
        held, differences = _compare(db, name, table, implied)
        count += held
        found += differences
    found += [
        Finding(_seq(row), "row missing", f"{_named(key)} is not there") for key, row in implied.items()
    ]
    return count, found


def _row_in(entry: Entry) -> Mapping[str, object] | None:
    """The row version in an entry, if it is the one that the entry is about."""
    try:
        row = json.loads(entry.body)["row"]
    except (ValueError, KeyError, TypeError):
        return None
    about = {
        "record_id": entry.record_id, "version": entry.version, "seq": entry.seq, "at": entry.at,
        "by_issuer": entry.issuer, "by_subject": entry.subject,
    }  # fmt: skip
    same = isinstance(row, dict) and all(row.get(k) == v for k, v in about.items())
    return row if same and entry.register in TABLES else None


def _compare(
    db: sa.Connection, name: str, table: sa.Table, implied: dict[Key, Mapping[str, object]]
) -> tuple[int, Found]:
    """Rows of one register against `implied`, from which those found are taken."""
    count, found = 0, []
    for held in db.execute(sa.select(raw(table))).mappings():
        count += 1
        key = (name, held["record_id"], held["version"])
        row = implied.pop(key, None)
        if row is None:
            seq = held["seq"] if isinstance(held["seq"], int) else None
            found.append(Finding(seq, "row without entry", f"{_named(key)} was written by nobody"))
            continue
        wrong = [c for c in {**held, **row} if not _same(held.get(c), row.get(c))]
        if wrong:
            found.append(
                Finding(_seq(row), "row altered", f"{_named(key)} differs in {', '.join(sorted(wrong))}")
            )
    return count, found


def _same(held: object, written: object) -> bool:
    """Equal and of one type: 1 and 1.0 are stored differently."""
    return type(held) is type(written) and held == written


def _named(key: Key) -> str:
    register, record_id, version = key
    return f"{register} {record_id} version {version}"


def _seq(row: Mapping[str, object]) -> int | None:
    seq = row["seq"]
    return seq if isinstance(seq, int) else None


def _guards(db: sa.Connection) -> Found:
    """The triggers that keep rows as they are; without them an edit leaves no error behind."""
    if db.dialect.name == "sqlite":
        master = sa.table("sqlite_master", sa.column("type"), sa.column("name"))
        query = sa.select(master.c.name).where(master.c.type == "trigger")
        wanted = {f"{t}_no_{verb}" for t in ("audit", *TABLES) for verb in ("update", "delete")}
    else:
        trigger = sa.table("pg_trigger", sa.column("tgname"), sa.column("tgenabled"))
        query = sa.select(trigger.c.tgname).where(trigger.c.tgenabled == "O")
        wanted = {f"{t}_append_only" for t in ("audit", *TABLES)}
    there = {str(name) for name in db.execute(query).scalars()}
    return [Finding(None, "guard missing", f"the trigger {name} is gone") for name in sorted(wanted - there)]


def _damage(db: sa.Connection) -> Found:
    """What SQLite says of its own file; PostgreSQL checks its pages as it reads them."""
    if db.dialect.name != "sqlite":
        return []
    lines = [str(line) for line in db.exec_driver_sql("PRAGMA integrity_check").scalars()]
    return [] if lines == ["ok"] else [Finding(None, "file damaged", line) for line in lines]


def _files(db: sa.Connection, root: Path) -> Found:
    """Kept files of every version of every register against their hashes."""
    found = []
    for name, column in evidence.KEPT_IN:
        table = TABLES[name]
        query = sa.select(table.c.seq, table.c.record_id, table.c[column]).where(table.c[column].is_not(None))
        for seq, record_id, sha256 in db.execute(query.order_by(table.c.seq)):
            wrong = evidence.fault(root, sha256)
            if wrong:
                found.append(Finding(seq, "evidence", f"{record_id}: {wrong}"))
    return found
