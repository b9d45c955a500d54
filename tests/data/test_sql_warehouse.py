"""A company's own PostgreSQL: what counts as a table of ours, and that one page's look asks for nothing twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from data.sql_warehouse import SqlWarehouse

pytestmark = pytest.mark.postgres
SCHEMA = "company"
LOADED = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
LABELS = "prediction_id text, label smallint, labelled_at timestamptz, loaded_at timestamptz"


@pytest.fixture
def engine(pg: str) -> Iterator[sa.Engine]:
    """The server with two of our tables in a schema of its own: a table, and a materialised view."""
    engine = sa.create_engine(pg)
    with engine.begin() as db:
        db.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        db.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        db.exec_driver_sql(f"CREATE TABLE {SCHEMA}.labels ({LABELS})")
        db.exec_driver_sql(f"INSERT INTO {SCHEMA}.labels VALUES ('p1', 1, '{LOADED}', '{LOADED}')")
        db.exec_driver_sql(
            f"CREATE MATERIALIZED VIEW {SCHEMA}.outcomes AS SELECT 'o1'::text AS outcome_id, '{LOADED}'::timestamptz AS loaded_at"
        )
    yield engine
    engine.dispose()


@pytest.fixture
def warehouse(engine: sa.Engine, pg: str) -> SqlWarehouse:
    return SqlWarehouse(pg, SCHEMA)


def counted(warehouse: SqlWarehouse) -> list[str]:
    """Every statement that the warehouse sends from now on."""
    sent: list[str] = []

    def keep(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(warehouse._engine, "before_cursor_execute", keep)
    return sent


def add_one_later(engine: sa.Engine) -> None:
    with engine.begin() as db:
        later = LOADED + dt.timedelta(days=1)
        db.exec_driver_sql(f"INSERT INTO {SCHEMA}.labels VALUES ('p2', 0, '{later}', '{later}')")


def test_a_materialised_view_is_a_table_and_an_absent_one_has_no_rows(warehouse: SqlWarehouse):
    tables = warehouse.tables()
    with warehouse.session() as session:
        ids = session.columns(sa.select(tables["outcomes"].c.outcome_id))["outcome_id"]
        none = session.columns(sa.select(tables["signals"].c.signal_id))["signal_id"]
    assert ids.tolist() == ["o1"]
    assert len(none) == 0


def test_a_pinned_look_asks_for_tables_and_newest_loads_once(warehouse: SqlWarehouse):
    sent = counted(warehouse)
    pinned = warehouse.pinned()
    assert not sent  # nothing is asked before it is needed
    first = (pinned.tables(), pinned.mark(("labels", "signals")))
    assert sent
    sent.clear()
    assert (pinned.tables(), pinned.mark(("labels", "signals"))) == first
    assert pinned.mark(("signals",)) == "{}"
    assert pinned.pinned() is pinned
    assert not sent


def test_rows_that_arrive_move_the_mark_of_the_next_look_only(engine: sa.Engine, warehouse: SqlWarehouse):
    pinned, before = warehouse.pinned(), warehouse.mark(("labels",))
    assert pinned.mark(("labels",)) == before
    add_one_later(engine)
    assert pinned.mark(("labels",)) == before
    assert warehouse.mark(("labels",)) != before
    assert warehouse.pinned().mark(("labels",)) != before
