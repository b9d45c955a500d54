"""The ledger's database: migrations both ways, durable settings, types, and rows that cannot be changed."""

import datetime as dt
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError

from app.govern import rows
from app.govern.verify import verify
from data import ledger, migrations
from data.ledger_store import LedgerError, Store, sqlite_url
from data.ledger_types import Day, UtcTime, utc_text, utc_time
from tests.ledger import homes
from tests.ledger.homes import Desk


def test_the_newest_migration_is_the_revision_the_app_asks_for():
    assert migrations.head() == ledger.HEAD


def test_migrations_make_exactly_the_declared_tables(desk: Desk):
    with desk.ledger.store.read() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True})
        assert compare_metadata(context, ledger.METADATA) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_empty_ledger_goes_down_and_up_again(kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    desk = (
        homes.fresh(tmp_path / "l.sqlite")
        if kind == "sqlite"
        else homes.fresh_on(request.getfixturevalue("pg"))
    )
    store = desk.ledger.store
    migrations.downgrade(store, "0001")
    assert store.revision() == "0001"
    with pytest.raises(LedgerError, match="revision 0001"):
        store.check()
    migrations.downgrade(store, "base")
    assert store.revision() is None
    migrations.upgrade(store)
    store.check()
    desk.people()


def test_a_downgrade_that_would_drop_rows_is_refused_and_changes_nothing(desk: Desk):
    desk.initiative()
    with pytest.raises(RuntimeError, match="initiatives holds rows"):
        migrations.downgrade(desk.ledger.store, "0001")
    desk.ledger.store.check()
    assert desk.count(ledger.TABLES["initiatives"]) == 1


def test_a_failing_step_leaves_the_old_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(sqlite_url(tmp_path / "l.sqlite"))
    migrations.upgrade(store, "0001")
    calls: list[str] = []

    def guard(table: str, made: list[str] = calls) -> None:
        made.append(table)
        if len(made) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("data.migrations.steps.guard", guard)
    with pytest.raises(KeyboardInterrupt):
        migrations.upgrade(store)
    assert store.revision() == "0001"
    with store.read() as db:
        assert set(sa.inspect(db).get_table_names()) == {"alembic_version", "audit", "users"}


def test_sqlite_is_opened_durable(durable: None, lite: Desk):
    assert lite.ledger.store.settings() == {
        "journal_mode": "delete", "synchronous": "3", "foreign_keys": "1", "recursive_triggers": "1",
    }  # fmt: skip


def test_naive_times_and_times_for_days_are_refused():
    dialect = sa.create_engine("sqlite://").dialect
    with pytest.raises(ValueError, match="no time zone"):
        UtcTime().process_bind_param(dt.datetime(2026, 1, 1), dialect)
    with pytest.raises(TypeError, match="is a time"):
        Day().process_bind_param(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dialect)


@pytest.mark.parametrize("year", [1, 999, 1970, 2026, 9999])
def test_times_come_back_as_they_were_and_sort_as_text(year: int):
    time = dt.datetime(year, 3, 29, 1, 30, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=0)))
    assert utc_time(utc_text(time)) == time
    assert len(utc_text(time)) == 27


def test_offsets_are_kept_as_utc():
    time = dt.datetime(2026, 3, 29, 6, 30, tzinfo=dt.timezone(dt.timedelta(hours=5)))
    assert utc_text(time) == "2026-03-29T01:30:00.000000Z"


def forbidden() -> list[str]:
    return [
        "UPDATE users SET name = 'x'",
        "DELETE FROM users",
        "DELETE FROM audit WHERE seq = 1",
        "UPDATE audit SET body = '{}' WHERE seq = 1",
    ]


@pytest.mark.parametrize("statement", forbidden())
def test_rows_can_be_neither_changed_nor_removed(statement: str, desk: Desk):
    for engine in (desk.ledger.store._engine, desk.ledger.store.unlocked()):
        with pytest.raises(DBAPIError), engine.begin() as db:
            db.exec_driver_sql(statement)
    assert desk.count(ledger.AUDIT) == len(homes.PEOPLE)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1",
        "INSERT OR REPLACE INTO audit SELECT 99, at, issuer, subject, verb, register, record_id, version, outcome,"
        " idempotency_key, request, body, previous, hash FROM audit WHERE seq = 1",
        "REPLACE INTO users SELECT * FROM users WHERE seq = 1",
        "DROP TRIGGER audit_no_update",
        "DROP TABLE users",
        "ALTER TABLE users ADD COLUMN x TEXT",
        "ATTACH ':memory:' AS other",
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END",
    ],
)
def test_the_apps_own_connection_cannot_go_around_the_guards(statement: str, lite: Desk):
    with pytest.raises(DBAPIError), lite.ledger.store.write() as db:
        db.exec_driver_sql(statement)
    assert lite.count(ledger.AUDIT) == len(homes.PEOPLE)


def test_a_locked_ledger_says_so_and_the_next_try_works(lite: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("data.ledger_store.PRAGMAS", ("busy_timeout=50", "synchronous=EXTRA"))
    with lite.ledger.store.write(), pytest.raises(DBAPIError, match="locked"):
        lite.initiative()
    lite.initiative()


def test_eight_writers_queue_and_leave_one_chain(desk: Desk):
    desk.initiative()
    failures: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for i in range(5):
                desk.do(
                    homes.Add("risks", tuple({**homes.RISK, "title": f"{n}.{i}"}.items())),
                    "carl",
                    f"w{n}-{i}",
                )
        except BaseException as error:  # noqa: BLE001 (a thread must tell what it met)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert failures == []
    assert desk.count(ledger.TABLES["risks"]) == 40


def test_another_kind_of_database_is_refused():
    with pytest.raises(LedgerError, match="SQLite or PostgreSQL"):
        Store("mysql://x@y/z")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_ledger_takes_baselines_and_studies_without_losing_a_row(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
):
    """Migration 0004 over rows that are there, on both databases: tables, guards, and a way back while they are empty."""
    fresh = (
        homes.fresh(tmp_path / "l.sqlite")
        if kind == "sqlite"
        else homes.fresh_on(request.getfixturevalue("pg"))
    )
    store = fresh.ledger.store
    migrations.downgrade(store, "0003")
    desk = fresh.people()
    desk.initiative()
    before = desk.count(ledger.AUDIT)
    migrations.upgrade(store, "0004")
    migrations.downgrade(store, "0003")
    migrations.upgrade(store)
    store.check()
    assert desk.count(ledger.AUDIT) == before
    day, sha = dt.date(2026, 1, 31), "a" * 64
    desk.add(
        "baselines", "anna", record_id="b", title="Ärger 1", metric="model.auc", grain="month", scope=("model_id=m",),
        initiative="churn", template="1", decimal="comma", date_order="day-month-year", zone="UTC", file_name="b.csv",
        sha256=sha, bytes=2**40, rows_sha256=sha, rows=2**33, first=day, last=day, value=0.1, low=1e-300, high=1e300,
    )  # fmt: skip
    desk.add(
        "studies", "anna", record_id="s", title="S", design="did", baseline="b", plan_hash=sha, plan="{}"
    )
    desk.add(
        "study_results", "anna", record_id="r", study="s", data_hash=sha, sha256=sha, bytes=1, versions=("numpy 2",),
        grade="blocked", counted=False, blocked_by=("pre_trend",), estimate=-0.0, diagnostics="[]",
    )  # fmt: skip
    for table in ("baselines", "studies", "study_results"):
        for statement in (f"UPDATE {table} SET reason = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError), store.unlocked().begin() as db:
                db.exec_driver_sql(statement)
    with store.read() as db:
        row = rows.current(db, "baselines", "b")
    assert row is not None
    assert (row["bytes"], row["rows"], row["first"], row["low"], row["high"]) == (
        2**40,
        2**33,
        day,
        1e-300,
        1e300,
    )
    assert verify(store, deep=True).state == "intact"
    with pytest.raises(RuntimeError, match="holds rows"):
        migrations.downgrade(store, "0003")
