"""Loading provider payloads into small homes, and looking at what came of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path

import duckdb

from data.lake import Lake
from data.load.providers import ProviderReport, load_provider
from tests.cases import CASES

NOW = dt.datetime(2026, 11, 1, 9, 0, tzinfo=dt.UTC)
PAYLOADS = CASES / "payloads"
FILES = {
    "segment": "segment.json",
    "braze": "braze_currents.json",
    "sendgrid": "sendgrid_events.json",
    "twilio": "twilio.json",
}


def load(lake: Lake, provider: str, path: Path, **options) -> ProviderReport:
    (report,) = load_provider(lake, provider, [path], now=NOW, **options)
    return report


def fixture(lake: Lake, provider: str) -> ProviderReport:
    report = load(lake, provider, PAYLOADS / FILES[provider])
    assert report.outcome == "loaded", report.message()
    return report


def put(tmp_path: Path, name: str, value: object) -> Path:
    path = tmp_path / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def rows(lake: Lake, table: str, *columns: str) -> list[tuple]:
    files = lake.manifest.files("facts", table)
    if not files:
        return []
    with contextlib.closing(duckdb.connect()) as con:
        con.execute("SET TimeZone='UTC'")
        found = con.execute(f"SELECT {', '.join(columns)} FROM ({lake.parquet_sql(files)}) ORDER BY ALL")
        return found.fetchall()


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def everything(lake: Lake) -> dict[str, list[tuple]]:
    tables = (
        "activations message_events suppression_events consents outcomes signals person_merges "
        "identity_links people activation_signals"
    )
    return {t: rows(lake, t, "*") for t in tables.split()}


def sendgrid(event_id: str, event: str, **more: object) -> dict[str, object]:
    return {
        "email": "A@b.c ", "timestamp": 1773046800, "event": event, "sg_event_id": event_id,
        "sg_message_id": "m1", **more,
    }  # fmt: skip
