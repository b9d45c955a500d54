"""Small warehouses in Segment's and Braze's own shapes, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from data.mappings import model

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
AT = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
Row = dict[str, object]
READY = ("segment", "braze")


def ready(name: str) -> model.Plan:
    return model.read(model.FOLDER / f"{name}.yaml")


def columns_read(plan: model.Plan) -> dict[str, dict[str, sa.types.TypeEngine[object]]]:
    """Every table and column that a mapping reads, with the type a provider gives it."""
    found: dict[str, dict[str, sa.types.TypeEngine[object]]] = {}
    for mapped in plan.tables:
        for source in mapped.sources:
            own = found.setdefault(source.origin, {})
            for _, form in source.columns:
                own.update({c: _type(form, c) for c in form.columns() if c not in own or form.name == "utc"})
            own.update({t.column: sa.Text() for t in source.tests if t.column not in own})
    return found


def _type(form: model.Form, column: str) -> sa.types.TypeEngine[object]:
    if form.name == "utc":
        return sa.TIMESTAMP()  # without a zone, as Segment's and Snowflake's columns may be
    if form.name == "seconds":
        return sa.BigInteger()
    return sa.Boolean() if form.name == "truth" else sa.Double() if column == "price" else sa.Text()


def fill(url: str, plan: model.Plan, rows: dict[str, list[Row]]) -> None:
    """Create every table that the mapping reads, with these rows in some."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        db.execute(sa.schema.DropSchema(plan.source, cascade=True, if_exists=True))
        db.execute(sa.schema.CreateSchema(plan.source))
        for name, columns in columns_read(plan).items():
            table = sa.Table(
                name, sa.MetaData(), *(sa.Column(c, t) for c, t in columns.items()), schema=plan.source
            )
            table.create(db)
            for row in rows.get(name, ()):
                db.execute(sa.insert(table).values({k: v for k, v in row.items() if k in columns}))
    engine.dispose()


def empty(url: str) -> None:
    """Drop every schema but `public`: one that is called like the user would come first in the search path of others."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        for name in sa.inspect(db).get_schema_names():
            if name not in ("public", "information_schema") and not name.startswith("pg_"):
                db.execute(sa.schema.DropSchema(name, cascade=True))
    engine.dispose()


def run(url: str, script: str) -> None:
    """Run a script of views, a statement at a time, as whoever may create views would."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        for statement in script.split(";\n"):
            if statement.strip() not in ("", "BEGIN", "COMMIT", "COMMIT;"):
                db.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()


def duck_url(folder: Path) -> str:
    return f"duckdb:///{folder / 'company.duckdb'}"


SEGMENT: dict[str, list[Row]] = {
    "users": [{"id": "u1", "created_at": AT.replace(tzinfo=None), "received_at": AT.replace(tzinfo=None)}],
    "email_delivered": [
        {"id": f"d{i}", "email_id": f"m{i}", "user_id": "u1" if i < 2 else "u2", "campaign_id": "c",
         "timestamp": AT.replace(tzinfo=None), "received_at": AT.replace(tzinfo=None)} for i in range(3)
    ],
    "email_opened": [{"id": "o0", "email_id": "m0", "user_id": "u1",
                      "timestamp": AT.replace(hour=13, tzinfo=None), "received_at": AT.replace(hour=13, tzinfo=None)}],
    "unsubscribed": [{"id": "x0", "email_id": "m0", "user_id": "u1",
                      "timestamp": AT.replace(hour=14, tzinfo=None), "received_at": AT.replace(hour=14, tzinfo=None)}],
    "order_completed": [{"id": "b0", "order_id": "order-1", "user_id": "u2", "revenue": "12.50", "currency": "EUR",
                         "timestamp": AT.replace(hour=15, tzinfo=None), "received_at": AT.replace(hour=15, tzinfo=None)}],
}  # fmt: skip
_SECOND = int(AT.timestamp())
_MESSAGE: Row = {"user_id": "b1", "external_user_id": "u1", "dispatch_id": "d", "message_variation_id": "v",
                 "sf_created_at": AT.replace(tzinfo=None)}  # fmt: skip
BRAZE: dict[str, list[Row]] = {
    "users_messages_email_send_shared": [
        _MESSAGE | {"id": "s1", "time": _SECOND, "campaign_id": "c", "canvas_id": None},
        _MESSAGE | {"id": "s2", "time": _SECOND, "user_id": "b2", "external_user_id": None, "canvas_id": "k"},
    ],
    "users_messages_email_open_shared": [
        _MESSAGE | {"id": "o1", "time": _SECOND + 60, "machine_open": True},
        _MESSAGE | {"id": "o2", "time": _SECOND + 90, "machine_open": False},
    ],
    "users_behaviors_subscription_globalstatechange_shared": [
        {"id": "g1", "user_id": "b1", "external_user_id": "u1", "subscription_status": "Unsubscribed",
         "time": _SECOND + 3600, "sf_created_at": AT.replace(tzinfo=None)},
        {"id": "g2", "user_id": "b1", "external_user_id": "u1", "subscription_status": "Opted In",
         "time": _SECOND + 7200, "sf_created_at": AT.replace(tzinfo=None)},
    ],
}  # fmt: skip
ROWS = {"segment": SEGMENT, "braze": BRAZE}
