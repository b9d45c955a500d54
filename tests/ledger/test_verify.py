"""Tampering by direct SQL, cut ends, old copies, forged anchors, flipped bits: all found, the first bad entry named."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.govern import anchors, evidence
from app.govern.anchors import Anchor, AnchorError
from app.govern.verify import Verified, _guards, _replay, entries, head_of, verify
from app.settings import Settings
from data import audit
from data.audit import Entry
from data.ledger import AUDIT, COMMON, TABLES
from data.ledger_store import Store, sqlite_url
from data.registers import REGISTERS
from tests.cases import SOAK
from tests.ledger import homes
from tests.ledger.worlds import filled

BAD = 15  # the entry that most kinds of tampering touch
COLUMNS = [c.name for c in AUDIT.columns]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, template: Path) -> tuple[Path, Anchor]:
    """A filled ledger's home and its anchor."""
    home = tmp_path_factory.mktemp("original")
    desk = filled(homes.copy_of(template, home / "ledger.sqlite"), home)
    return home, anchors.make(Settings(home=home), head_of(desk.ledger.store), "now")


@pytest.fixture
def home(original: tuple[Path, Anchor], tmp_path: Path) -> Path:
    shutil.copytree(original[0], tmp_path / "home")
    return tmp_path / "home"


def look(home: Path, anchor: Anchor | None = None) -> Verified:
    store = Store(sqlite_url(home / "ledger.sqlite"))
    return verify(store, deep=True, anchor=anchor, files=home / "evidence")


def by_hand(home: Path) -> sqlite3.Connection:
    """The file without the app, and without waiting for the disk."""
    db = sqlite3.connect(home / "ledger.sqlite")
    db.execute("PRAGMA synchronous=OFF")
    return db


def sql(home: Path, *statements: str | tuple[str, tuple[object, ...]]) -> None:
    """What the file's owner can do: triggers dropped first and made again, so that no guard is missing afterwards."""
    db = by_hand(home)
    guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        db.execute(*((statement,) if isinstance(statement, str) else statement))
    for _, text in guards:
        db.execute(text)
    db.commit()
    db.close()


def entry_of(home: Path, seq: int) -> Entry:
    db = by_hand(home)
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM audit WHERE seq = ?", (seq,)).fetchone()
    db.close()
    return Entry(**dict(zip(COLUMNS, row, strict=True)))


def put(home: Path, entry: Entry) -> None:
    sql(home, putting(entry))


def putting(entry: Entry) -> tuple[str, tuple[object, ...]]:
    sets = ", ".join(f"{c} = ?" for c in COLUMNS)
    return f"UPDATE audit SET {sets} WHERE seq = ?", (*asdict(entry).values(), entry.seq)


def altered(entry: Entry) -> Entry:
    body = json.loads(entry.body)
    body["row"]["reason"] = "because I say so"
    return replace(entry, body=audit.canonical(body))


def reseal_from(home: Path, first: Entry) -> None:
    """A forger who recomputes the whole tail after his change."""
    resealed = [first.sealed()]
    for seq in range(first.seq + 1, count(home) + 1):
        resealed.append(replace(entry_of(home, seq), previous=resealed[-1].hash).sealed())
    sql(home, *map(putting, resealed))


def count(home: Path) -> int:
    db = by_hand(home)
    found = db.execute("SELECT max(seq) FROM audit").fetchone()[0]
    db.close()
    return int(found)


def table_of(home: Path, seq: int) -> str:
    return entry_of(home, seq).register


def duplicate(home: Path) -> None:
    recreate_loose(home, f"INSERT INTO audit SELECT * FROM audit WHERE seq = {BAD}")


def recreate_loose(home: Path, statement: str) -> None:
    db = by_hand(home)
    guards = db.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
    ).fetchall()
    db.executescript(
        "CREATE TABLE loose AS SELECT * FROM audit; DROP TABLE audit; ALTER TABLE loose RENAME TO audit;"
    )
    db.execute(statement)
    for (text,) in guards:
        db.execute(text)
    db.commit()
    db.close()


def insert(home: Path) -> None:
    """A well-formed entry at the end whose row nobody wrote."""
    last = entry_of(home, count(home))
    forged = replace(last, seq=last.seq + 1, previous=last.hash, idempotency_key="forged").sealed()
    marks = ", ".join("?" for _ in COLUMNS)
    sql(home, (f"INSERT INTO audit VALUES ({marks})", tuple(asdict(forged).values())))


def swap(home: Path) -> None:
    one, two = entry_of(home, BAD), entry_of(home, BAD + 1)
    sql(home, f"UPDATE audit SET hash = 'x' || substr(hash, 2), idempotency_key = 'x' WHERE seq = {BAD + 1}")
    put(home, replace(two, seq=BAD, hash="y" * 64, idempotency_key="y"))
    put(home, replace(one, seq=BAD + 1))
    put(home, replace(two, seq=BAD))


def edit_both(home: Path) -> None:
    """Row and entry changed alike, the entry's hash recomputed: only the next entry's link can tell."""
    put(home, altered(entry_of(home, BAD)).sealed())
    sql(home, f"UPDATE {table_of(home, BAD)} SET reason = 'because I say so' WHERE seq = {BAD}")


def edit_row(home: Path) -> None:
    sql(home, f"UPDATE {table_of(home, BAD)} SET reason = 'x' WHERE seq = {BAD}")


def extra_row(home: Path) -> None:
    sql(home, f"INSERT INTO users SELECT 'demo|evil', version, {BAD}, state, at, by_issuer, by_subject, reason,"
        " issuer, 'evil', name, email, '[\"admin\"]' FROM users LIMIT 1")  # fmt: skip


def drop_trigger(home: Path) -> None:
    db = by_hand(home)
    db.execute("DROP TRIGGER risks_no_update")
    db.commit()
    db.close()


def set_audit(column: str, value: str = "'x'") -> Callable[[Path], None]:
    return lambda home: sql(home, f"UPDATE audit SET {column} = {value} WHERE seq = {BAD}")


# kind -> (what is done, the first bad entry that must be named without an anchor; None where no entry is concerned)
TAMPERING: dict[str, tuple[Callable[[Path], None], int | None]] = {
    "edit the payload": (lambda h: put(h, altered(entry_of(h, BAD))), BAD),
    "edit a register row": (edit_row, BAD),
    "edit both": (edit_both, BAD + 1),
    "recompute the hash of one": (lambda h: put(h, altered(entry_of(h, BAD)).sealed()), BAD),
    "recompute the whole tail": (lambda h: reseal_from(h, altered(entry_of(h, BAD))), BAD),
    "delete from the middle": (lambda h: sql(h, f"DELETE FROM audit WHERE seq = {BAD}"), BAD),
    "delete the last with its row left": (lambda h: sql(h, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)"), -1),
    "delete all entries": (lambda h: sql(h, "DELETE FROM audit"), 1),
    "delete a register row": (lambda h: sql(h, f"DELETE FROM {table_of(h, BAD)} WHERE seq = {BAD}"), BAD),
    "swap two": (swap, BAD),
    "duplicate one": (duplicate, BAD),
    "insert one": (insert, None),
    "insert a row nobody wrote": (extra_row, BAD),
    "insert or replace by sequence": (
        lambda h: sql(h, f"INSERT OR REPLACE INTO audit SELECT seq, at, issuer, 'evil', verb, register, record_id, version,"
                      f" outcome, idempotency_key, request, body, previous, hash FROM audit WHERE seq = {BAD}"), BAD),
    "insert or replace by hash": (
        lambda h: sql(h, f"INSERT OR REPLACE INTO audit SELECT 999, at, issuer, subject, verb, register, record_id, version,"
                      f" outcome, idempotency_key, request, body, previous, hash FROM audit WHERE seq = {BAD}"), BAD),
    "drop a trigger": (drop_trigger, None),
    "change a time": (set_audit("at", "'2020-01-01T00:00:00.000000Z'"), BAD),
    "change the actor": (set_audit("subject"), BAD),
    "change the issuer": (set_audit("issuer"), BAD),
    "change the key": (set_audit("idempotency_key"), BAD),
    "null the key": (set_audit("idempotency_key", "NULL"), BAD),
    "change the request": (set_audit("request"), BAD),
    "turn done into denied": (set_audit("outcome", "'denied'"), BAD),
    "change the link": (set_audit("previous", "'" + "0" * 64 + "'"), BAD),
    "remove a denial": (lambda h: sql(h, "DELETE FROM audit WHERE outcome = 'denied'"), -2),
    "null a column of a row": (lambda h: sql(h, "UPDATE risks SET residual_impact = NULL WHERE version = 2"), -3),
    "a row of another type": (lambda h: sql(h, "UPDATE users SET roles = '[ \"viewer\"]' WHERE seq = 1"), 1),
    "make a request accepted again": (lambda h: sql(h, "UPDATE acceptances SET state = 'submitted' WHERE version = 3"), -4),
}  # fmt: skip


def expected(home: Path, mark: int | None) -> int | None:
    """The entry that must be named; negative marks are looked up before the tampering."""
    db = by_hand(home)
    queries = {
        -1: "SELECT max(seq) FROM audit", -2: "SELECT min(seq) FROM audit WHERE outcome = 'denied'",
        -3: "SELECT seq FROM risks WHERE version = 2", -4: "SELECT seq FROM acceptances WHERE version = 3",
    }  # fmt: skip
    found = db.execute(queries[mark]).fetchone()[0] if mark in queries else mark
    db.close()
    return found


def test_an_untouched_ledger_is_intact(home: Path, original: tuple[Path, Anchor]):
    proof = look(home, original[1])
    assert (proof.state, proof.findings, proof.first_bad) == ("intact", (), None)
    assert proof.entries == proof.rows + 1  # one denial
    assert all(TABLES)


def test_every_register_is_filled(home: Path):
    db = by_hand(home)
    assert all(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in REGISTERS)
    db.close()


def test_an_empty_ledger_proves_nothing(tmp_path: Path):
    proof = verify(homes.fresh(tmp_path / "l.sqlite").ledger.store, deep=True)
    assert (proof.state, proof.entries) == ("empty", 0)


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found_and_the_first_bad_entry_named(kind: str, home: Path):
    act, mark = TAMPERING[kind]
    first = expected(home, mark)
    act(home)
    proof = look(home)
    assert proof.state == "broken"
    assert proof.findings[0].detail
    if first is not None:
        assert proof.first_bad == first


def every_cell() -> list[tuple[str, str]]:
    return [(name, c.name) for name, table in TABLES.items() for c in table.columns]


def test_every_column_of_every_row_is_covered(home: Path):
    """Each cell of each row changed by itself, and put back."""
    db = by_hand(home)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.commit()
    connection = sa.create_engine("sqlite://", creator=lambda: db, poolclass=sa.StaticPool).connect()
    base = len(look_at(connection))  # the dropped guards
    for table, column in every_cell()[:: 1 if SOAK else 3]:
        changed = (
            f"CASE WHEN {column} IS NULL THEN 1 ELSE NULL END" if column not in COMMON else other(column)
        )
        db.execute(f"UPDATE {table} SET {column} = {changed} WHERE rowid = (SELECT max(rowid) FROM {table})")
        found = look_at(connection)
        assert len(found) > base, (table, column)
        db.rollback()
    db.close()


def other(column: str) -> str:
    return {"version": "99", "seq": "1000000"}.get(column, f"{column} || 'x'")


def look_at(connection: sa.Connection) -> list[object]:
    """Deep verification on the tampering connection itself, without writing every change to the disk."""
    return [*_replay(connection)[1], *_guards(connection)]


@pytest.mark.parametrize("gone", [1, 2, 5])
def test_a_cut_end_is_found_with_the_anchor_only(gone: int, home: Path, original: tuple[Path, Anchor]):
    last = count(home)
    for seq in range(last, last - gone, -1):
        entry = entry_of(home, seq)
        rows = [] if entry.outcome == "denied" else [f"DELETE FROM {entry.register} WHERE seq = {seq}"]
        sql(home, *rows, f"DELETE FROM audit WHERE seq = {seq}")
    assert look(home).state == "intact"  # the honest limit of a chain
    proof = look(home, original[1])
    assert (proof.state, proof.first_bad, proof.findings[0].kind) == ("broken", last - gone + 1, "truncated")


def test_an_old_copy_is_found_with_the_anchor(home: Path, template: Path, original: tuple[Path, Anchor]):
    shutil.copy(template, home / "ledger.sqlite")
    proof = look(home, original[1])
    assert proof.first_bad == count(home) + 1
    assert "older copy" in proof.findings[0].detail


def test_a_full_rewrite_is_found_with_the_anchor(home: Path, original: tuple[Path, Anchor]):
    entry = altered(entry_of(home, BAD))
    reseal_from(home, entry)
    sql(home, f"UPDATE {entry.register} SET reason = 'because I say so' WHERE seq = {BAD}")
    assert look(home).state == "intact"
    assert [f.kind for f in look(home, original[1]).findings] == ["rewritten"]


def test_another_ledger_is_not_taken_for_this_one(tmp_path: Path, original: tuple[Path, Anchor]):
    desk = homes.fresh(tmp_path / "l.sqlite")
    desk.ledger.clock.now += homes.dt.timedelta(days=9)
    filled(desk.people(), tmp_path)
    assert "another ledger" in {f.kind for f in verify(desk.ledger.store, anchor=original[1]).findings}


def test_a_ledger_that_grew_still_fits_its_anchor(home: Path, original: tuple[Path, Anchor]):
    desk = homes.copy_of(home / "ledger.sqlite", home / "grown.sqlite")
    desk.add("risks", **homes.RISK)
    assert verify(desk.ledger.store, deep=True, anchor=original[1]).state == "intact"


def test_an_anchor_reads_back_and_no_line_of_it_can_change(home: Path, original: tuple[Path, Anchor]):
    text = original[1].text
    assert anchors.parse(text) == original[1]
    for at, old in enumerate(text):
        if old != "\n":
            changed = text[:at] + ("1" if old != "1" else "2") + text[at + 1 :]
            with pytest.raises(AnchorError):
                anchors.parse(changed)


def test_an_anchor_of_another_key_is_not_trusted(home: Path, tmp_path: Path):
    store = Store(sqlite_url(home / "ledger.sqlite"))
    forged = anchors.make(Settings(home=tmp_path / "forger"), head_of(store), "now")
    own = anchors.public_key(Settings(home=home))
    assert own
    assert [f.kind for f in verify(store, anchor=forged, trusted=own).findings] == ["anchor key"]


def test_the_key_is_its_owners_alone(home: Path):
    assert (home / "anchor.key").stat().st_mode & 0o777 == 0o600


def test_anchors_are_kept_and_the_newest_is_found(home: Path, original: tuple[Path, Anchor]):
    settings = Settings(home=home)
    assert anchors.newest(settings) is None
    path = anchors.write(settings, original[1])
    assert path.parent == home / "anchors"
    assert anchors.newest(settings) == original[1]


def test_a_broken_ledger_is_not_anchored(home: Path):
    put(home, altered(entry_of(home, BAD)))
    head = head_of(Store(sqlite_url(home / "ledger.sqlite")))
    with pytest.raises(AnchorError, match="verify it first"):
        anchors.make(Settings(home=home), head, "now")


def test_an_altered_and_a_missing_evidence_file_are_found(home: Path):
    path = next(
        p for p in (home / "evidence").rglob("*") if p.is_file() and p.read_bytes() == b"a test report"
    )
    path.write_bytes(b"another report")
    assert [f.detail for f in look(home).findings] == ["EVI-0001: the file's bytes were altered"]
    path.unlink()
    assert [f.detail for f in look(home).findings] == ["EVI-0001: the file is missing"]


def test_the_same_history_has_the_same_hashes_on_both_databases(pg: str, tmp_path: Path):
    lite = filled(homes.fresh(tmp_path / "l.sqlite").people(), tmp_path)
    post = filled(homes.fresh_on(pg).people(), tmp_path)
    with lite.ledger.store.read() as one, post.ledger.store.read() as two:
        assert list(entries(one)) == list(entries(two))
    for desk in (lite, post):
        proof = verify(desk.ledger.store, deep=True, files=evidence.folder(Settings(home=tmp_path)))
        assert proof.state == "intact", proof.findings


def test_tampering_with_postgresql_is_found(pg: str, tmp_path: Path):
    desk = filled(homes.fresh_on(pg).people(), tmp_path)
    engine = sa.create_engine(pg)
    with engine.begin() as db:
        db.exec_driver_sql("ALTER TABLE users DISABLE TRIGGER users_append_only")
        db.exec_driver_sql("UPDATE users SET roles = '[\"admin\"]' WHERE seq = 2")
    engine.dispose()
    proof = verify(desk.ledger.store, deep=True)
    assert proof.first_bad == 2
    assert {f.kind for f in proof.findings} == {"row altered", "guard missing"}


FLIPS = 200 if SOAK else 10


@pytest.mark.parametrize("used", [False, True], ids=["any byte", "bytes in use"])
def test_every_flipped_bit_is_found(used: bool, home: Path, original: tuple[Path, Anchor]):
    """One bit of the file at a time. Most of a small file is empty space of its pages: the second draw leaves it out."""
    dice, file = random.Random(5), home / "ledger.sqlite"
    whole = file.read_bytes()
    bytes_drawn = [at for at, byte in enumerate(whole) if byte or not used]
    for _ in range(FLIPS):
        at, bit = dice.choice(bytes_drawn), dice.randrange(8)
        broken = bytearray(whole)
        broken[at] ^= 1 << bit
        file.write_bytes(bytes(broken))
        assert look(home, original[1]).state == "broken", (at, bit)
    file.write_bytes(whole)
    assert look(home, original[1]).state == "intact"


def test_what_is_recorded_after_an_anchor_changes_the_file_and_is_no_fault(
    home: Path, original: tuple[Path, Anchor]
):
    desk = homes.copy_of(home / "ledger.sqlite", home / "ledger.sqlite.new")
    assert verify(desk.ledger.store, anchor=original[1]).state == "intact"
    assert original[1].file == desk.ledger.store.digest()
    desk.add("risks", **homes.RISK)
    assert original[1].file != desk.ledger.store.digest()
    assert verify(desk.ledger.store, anchor=original[1]).state == "intact"


def test_an_anchor_without_a_file_still_holds(home: Path, original: tuple[Path, Anchor]):
    """As it was written by former versions, and as it is for a server."""
    head = replace(head_of(Store(sqlite_url(home / "ledger.sqlite"))), file="")
    old = anchors.make(Settings(home=home), head, "now")
    assert anchors.parse(old.text) == old
    assert look(home, old).state == "intact"


def test_changes_of_any_byte_of_an_entry_are_found(home: Path):
    """Every character of every column of one entry, changed by itself."""
    entry = entry_of(home, BAD)
    for column, value in asdict(entry).items():
        text = str(value)
        for at in range(len(text)):
            swapped = text[:at] + ("7" if text[at] != "7" else "8") + text[at + 1 :]
            forged = replace(entry, **{column: int(swapped) if isinstance(value, int) else swapped})
            assert audit.hash_of(forged) != forged.hash, (column, at)
